/// A set of code points, as sorted ranges that neither touch nor overlap.
struct CharacterSet: Sendable, Equatable {
  private(set) var ranges: [ClosedRange<UInt32>]
  /// Membership of the ASCII characters, bit by bit.
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init(_ ranges: [ClosedRange<UInt32>]) {
    var merged: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self.ranges = merged
    for character in UInt32(0)..<128 where containsByRange(character) {
      if character < 64 { low |= 1 << UInt64(character) } else { high |= 1 << UInt64(character - 64) }
    }
  }

  init(_ character: Unicode.Scalar) {
    self.init([character.value...character.value])
  }

  static let last: UInt32 = 0x10FFFF
  static let digits = CharacterSet([48...57])
  static let word = CharacterSet([48...57, 65...90, 95...95, 97...122])
  static let space = CharacterSet([
    9...13, 32...32, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
    0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])
  /// What `.` stands for: everything but the ends of lines.
  static let any = CharacterSet([10...10, 13...13, 0x2028...0x2029]).inverted

  var inverted: CharacterSet {
    var gaps: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= Self.last { gaps.append(next...Self.last) }
    return CharacterSet(gaps)
  }

  func union(_ other: CharacterSet) -> CharacterSet {
    CharacterSet(ranges + other.ranges)
  }

  @inline(__always)
  func contains(_ character: UInt32) -> Bool {
    if character < 64 { return low >> UInt64(character) & 1 == 1 }
    if character < 128 { return high >> UInt64(character - 64) & 1 == 1 }
    return containsByRange(character)
  }

  private func containsByRange(_ character: UInt32) -> Bool {
    var lower = 0, upper = ranges.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if ranges[middle].upperBound < character { lower = middle + 1 } else { upper = middle }
    }
    return lower < ranges.count && ranges[lower].contains(character)
  }

  /// The lower and the upper case of a character, itself where it has none or more than one.
  static func otherCases(of character: UInt32) -> (lower: UInt32, upper: UInt32) {
    if character < 128 {
      let isUpper = character >= 65 && character <= 90, isLower = character >= 97 && character <= 122
      return (isUpper ? character + 32 : character, isLower ? character - 32 : character)
    }
    guard let scalar = Unicode.Scalar(character) else { return (character, character) }
    func single(_ text: String) -> UInt32 {
      let scalars = text.unicodeScalars
      return scalars.count == 1 ? scalars[scalars.startIndex].value : character
    }
    return (single(scalar.properties.lowercaseMapping), single(scalar.properties.uppercaseMapping))
  }
}

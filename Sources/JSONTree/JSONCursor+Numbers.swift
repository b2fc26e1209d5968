extension JSONCursor {
  /// The digits of a number as they are read.
  private struct Decimal {
    /// The first digits, as long as they fit.
    var significand: UInt64 = 0
    /// True once digits were left out of the significand.
    var isTruncated = false
    /// The power of ten that the significand is to be multiplied with.
    var exponent = 0

    @inline(__always)
    mutating func append(_ digit: UInt8, isFraction: Bool) {
      if significand < 1_000_000_000_000_000_000 {
        significand = significand &* 10 &+ UInt64(digit)
        if isFraction { exponent &-= 1 }
      } else {
        isTruncated = true
        if !isFraction { exponent &+= 1 }
      }
    }
  }

  /// The next number, as a leaf: an integer if it is one and fits, otherwise the nearest double.
  mutating func readNumberNode() throws(JSONSyntaxError) -> Node {
    skipWhitespace()
    guard position < bytes.count else { throw fault(.unexpectedEnd) }
    let first = bytes[position]
    guard first == UInt8(ascii: "-") || first &- 0x30 <= 9 else { throw fault(.unexpectedValue) }
    let start = position
    var i = start
    let negative = bytes[i] == UInt8(ascii: "-")
    if negative { i += 1 }
    var decimal = Decimal()
    let isWhole = try scanNumber(&i, &decimal)
    position = i
    if isWhole, !decimal.isTruncated {
      let magnitude = decimal.significand
      if negative, magnitude <= 1 << 63 {
        return Node(content: .integer(Int64(truncatingIfNeeded: 0 &- magnitude)))
      }
      if !negative, magnitude <= Int64.max { return Node(content: .integer(Int64(magnitude))) }
    }
    let value = fastDouble(decimal, negative) ?? slowDouble(start..<i)
    guard value.isFinite else { throw JSONSyntaxError(.numberOutOfRange, offset: start) }
    return Node(number: value)
  }

  /// Steps over the digits; true if there is neither a fraction nor an exponent.
  private func scanNumber(_ i: inout Int, _ decimal: inout Decimal) throws(JSONSyntaxError) -> Bool {
    let first = i
    try scanDigits(&i, &decimal, isFraction: false)
    if bytes[first] == UInt8(ascii: "0"), i - first > 1 {
      throw JSONSyntaxError(.invalidNumber, offset: first)
    }
    var isWhole = true
    if i < bytes.count, bytes[i] == UInt8(ascii: ".") {
      i &+= 1
      isWhole = false
      try scanDigits(&i, &decimal, isFraction: true)
    }
    if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
      i &+= 1
      isWhole = false
      var negative = false
      if i < bytes.count, bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+") {
        negative = bytes[i] == UInt8(ascii: "-")
        i &+= 1
      }
      var exponent = Decimal()
      try scanDigits(&i, &exponent, isFraction: false)
      let power = Int(min(exponent.significand, 1_000_000))
      decimal.exponent += negative ? -power : power
    }
    return isWhole
  }

  /// Steps over at least one digit.
  @inline(__always)
  private func scanDigits(
    _ i: inout Int, _ decimal: inout Decimal, isFraction: Bool
  ) throws(JSONSyntaxError) {
    let first = i
    while i < bytes.count {
      let digit = bytes[i] &- 0x30
      guard digit <= 9 else { break }
      decimal.append(digit, isFraction: isFraction)
      i &+= 1
    }
    guard i > first else {
      throw JSONSyntaxError(i < bytes.count ? .invalidNumber : .unexpectedEnd, offset: i)
    }
  }

  /// The value where one exact operation on exact doubles gives it.
  @inline(__always)
  private func fastDouble(_ decimal: Decimal, _ negative: Bool) -> Double? {
    guard !decimal.isTruncated, decimal.significand <= 1 << 53, abs(decimal.exponent) <= 22 else {
      return nil
    }
    let significand = Double(decimal.significand)
    let power = JSONCursor.powerOfTen(abs(decimal.exponent))
    let value = decimal.exponent < 0 ? significand / power : significand * power
    return negative ? -value : value
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]

  @inline(__always)
  private static func powerOfTen(_ exponent: Int) -> Double {
    powersOfTen[exponent]
  }

  private func slowDouble(_ range: Range<Int>) -> Double {
    Double(String(decoding: bytes[range], as: UTF8.self)) ?? .infinity
  }
}

/// Turns byte offsets of a rules text into lines and columns.
package struct SourcePlaces: Sendable {
  private let bytes: [UInt8]
  /// Where each line begins.
  private let lineStarts: [Int]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lineStarts = [0] + bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
  }

  /// The 1-based line of an offset.
  func line(at offset: Int) -> Int {
    var lower = 0, upper = lineStarts.count
    while upper - lower > 1 {
      let middle = (lower + upper) / 2
      if lineStarts[middle] <= offset { lower = middle } else { upper = middle }
    }
    return lower + 1
  }

  /// A fault at an offset.
  package func error(at offset: Int, _ message: String) -> RulesError {
    let line = line(at: offset)
    let before = bytes[lineStarts[line - 1]..<max(lineStarts[line - 1], min(offset, bytes.count))]
    let column = String(decoding: before, as: UTF8.self).unicodeScalars.count + 1
    return RulesError(line: line, column: column, message: message)
  }

  /// The offset of a place that is given in scalars, both 1-based; the nearest one if there is no such place.
  package func offset(line: Int, column: Int) -> Int {
    offset(lineStarts[max(0, min(line, lineStarts.count) - 1)], plus: column - 1)
  }

  /// The offset so many scalars after another, on the same line.
  package func offset(_ offset: Int, plus scalars: Int) -> Int {
    var at = offset, left = scalars
    while left > 0, at < bytes.count, bytes[at] != 10 {
      at += 1
      while at < bytes.count, bytes[at] & 0xC0 == 0x80 { at += 1 }
      left -= 1
    }
    return at
  }

  /// Where the byte at `decoded` of a string's characters stands in the text; the string opens at `start`.
  func offset(inString start: Int, decoded: Int) -> Int {
    var at = start + 1
    var count = 0
    while count < decoded, at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      guard bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count else {
        at += 1
        count += 1
        continue
      }
      guard bytes[at + 1] == UInt8(ascii: "u") else {
        at += 2
        count += 1
        continue
      }
      let digits = String(decoding: bytes[min(bytes.count, at + 2)..<min(bytes.count, at + 6)], as: UTF8.self)
      let unit = UInt32(digits, radix: 16) ?? 0
      // Half of a surrogate pair counts for two of the four bytes.
      count += unit < 0x80 ? 1 : unit < 0x800 || (0xD800..<0xE000).contains(unit) ? 2 : 3
      at += 6
    }
    return at
  }
}

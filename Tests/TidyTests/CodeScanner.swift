/// Blanks comments and string contents out of Swift source, keeping every line break where it was.
struct CodeScanner {
  private let source: [UInt8]
  private var at = 0
  private var out: [UInt8] = []

  init(_ source: [UInt8]) {
    self.source = source
    out.reserveCapacity(source.count)
  }

  mutating func codeOnly() -> [UInt8] {
    scanCode(untilParenthesis: false)
    return out
  }

  private func looking(at text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard at + count <= source.count else { return false }
    return text.withUTF8Buffer { bytes in (0..<count).allSatisfy { bytes[$0] == source[at + $0] } }
  }

  private mutating func keep(_ count: Int) {
    out.append(contentsOf: source[at..<min(at + count, source.count)])
    at = min(at + count, source.count)
  }

  private mutating func blank(_ count: Int) {
    for byte in source[at..<min(at + count, source.count)] {
      out.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
    }
    at = min(at + count, source.count)
  }

  /// Code up to the end, or up to the parenthesis that ends an interpolation.
  private mutating func scanCode(untilParenthesis: Bool) {
    var depth = 0
    while at < source.count {
      if looking(at: "//") {
        blank((source[at...].firstIndex(of: UInt8(ascii: "\n")) ?? source.count) - at)
      } else if looking(at: "/*") {
        blankBlockComment()
      } else if let hashes = stringStart() {
        scanString(hashes: hashes)
      } else if source[at] == UInt8(ascii: "(") {
        depth += 1
        keep(1)
      } else if source[at] == UInt8(ascii: ")") {
        if untilParenthesis && depth == 0 { return keep(1) }
        depth -= 1
        keep(1)
      } else {
        keep(1)
      }
    }
  }

  private mutating func blankBlockComment() {
    var depth = 0
    repeat {
      if looking(at: "/*") {
        depth += 1
        blank(2)
      } else if looking(at: "*/") {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && at < source.count
  }

  /// The number of `#` before a quote here, or nil when no string starts here.
  private func stringStart() -> Int? {
    var end = at
    while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
    guard end < source.count, source[end] == UInt8(ascii: "\"") else { return nil }
    return end - at
  }

  private mutating func scanString(hashes: Int) {
    keep(hashes)
    let isMultiline = looking(at: "\"\"\"")
    keep(isMultiline ? 3 : 1)
    while at < source.count {
      if source[at] == UInt8(ascii: "\\"), hasHashes(hashes, after: at) {
        let next = at + 1 + hashes
        if next < source.count, source[next] == UInt8(ascii: "(") {
          blank(2 + hashes)
          scanCode(untilParenthesis: true)
        } else {
          blank(2 + hashes)
        }
      } else if isMultiline ? looking(at: "\"\"\"") : looking(at: "\""),
        hasHashes(hashes, after: at + (isMultiline ? 2 : 0))
      {
        return keep((isMultiline ? 3 : 1) + hashes)
      } else {
        blank(1)
      }
    }
  }

  private func hasHashes(_ count: Int, after position: Int) -> Bool {
    guard position + count < source.count else { return false }
    return (0..<count).allSatisfy { source[position + 1 + $0] == UInt8(ascii: "#") }
  }
}

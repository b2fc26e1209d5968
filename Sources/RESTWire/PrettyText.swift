/// Lays compact JSON out over lines, piece by piece: two spaces a level, a space after each colon.
struct PrettyText: Sendable {
  private var level = 0
  private var isInString = false
  private var isEscaped = false
  /// A bracket was opened and nothing has followed yet.
  private var isFresh = false

  /// Appends the layout of the next piece of a JSON text, wherever it was cut.
  mutating func append(_ piece: some Sequence<UInt8>, to out: inout [UInt8]) {
    for byte in piece {
      if isInString { appendInString(byte, to: &out) } else { appendOutside(byte, to: &out) }
    }
  }

  private mutating func appendInString(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(byte)
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isInString = false
    }
  }

  private mutating func appendOutside(_ byte: UInt8, to out: inout [UInt8]) {
    let isClosing = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
    if isClosing { level -= 1 }
    if isFresh != isClosing { breakLine(in: &out) }
    isFresh = false
    out.append(byte)
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      level += 1
      isFresh = true
    case UInt8(ascii: ","): breakLine(in: &out)
    case UInt8(ascii: ":"): out.append(UInt8(ascii: " "))
    case UInt8(ascii: "\""): isInString = true
    default: break
    }
  }

  private func breakLine(in out: inout [UInt8]) {
    out.append(UInt8(ascii: "\n"))
    for _ in 0..<level { out.append(contentsOf: "  ".utf8) }
  }
}

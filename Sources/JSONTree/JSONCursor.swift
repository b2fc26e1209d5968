/// A place in JSON text, and the steps over its smallest parts.
struct JSONCursor {
  let bytes: UnsafeRawBufferPointer
  let limits: Limits
  /// Where the next byte is read.
  var position = 0

  init(_ bytes: UnsafeRawBufferPointer, limits: Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  @inline(__always)
  func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  @inline(__always)
  mutating func skipWhitespace() {
    while position < bytes.count {
      let byte = bytes[position]
      if byte > 0x20 || (byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09) { return }
      position &+= 1
    }
  }

  /// Steps over whitespace and one byte.
  @inline(__always)
  mutating func expect(
    _ byte: UInt8, else reason: JSONSyntaxError.Reason = .unexpectedByte
  ) throws(JSONSyntaxError) {
    skipWhitespace()
    guard position < bytes.count else { throw fault(.unexpectedEnd) }
    guard bytes[position] == byte else { throw fault(reason) }
    position &+= 1
  }

  /// The next byte, which is not stepped over.
  @inline(__always)
  func peek() throws(JSONSyntaxError) -> UInt8 {
    guard position < bytes.count else { throw fault(.unexpectedEnd) }
    return bytes[position]
  }

  /// Steps over a comma and the whitespace around it; false if there is none.
  @inline(__always)
  mutating func advance() throws(JSONSyntaxError) -> Bool {
    skipWhitespace()
    guard try peek() == UInt8(ascii: ",") else { return false }
    position &+= 1
    skipWhitespace()
    return true
  }

  /// Steps over the rest of a word whose first byte is known to be there.
  mutating func expect(literal: StaticString) throws(JSONSyntaxError) {
    let count = literal.utf8CodeUnitCount
    for i in 0..<count {
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      guard bytes[position] == literal.utf8Start[i] else { throw fault(.unexpectedByte) }
      position += 1
    }
  }

  func fault(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
    JSONSyntaxError(reason, offset: position)
  }
}

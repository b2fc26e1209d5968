package import NIOCore

/// Frames as a server sends them: whole and unmasked, so that the same bytes serve every subscriber.
package enum WebSocketFraming {
  /// The largest head of a server's frame.
  package static let headBytes = 10

  enum Opcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
  }

  /// Appends one text message as a single frame.
  package static func append(text: ByteBuffer, to frames: inout ByteBuffer) {
    appendHead(.text, count: text.readableBytes, to: &frames)
    frames.writeImmutableBuffer(text)
  }

  /// Appends one text message, given as UTF-8 bytes, as a single frame.
  package static func append(text: UnsafeRawBufferPointer, to frames: inout ByteBuffer) {
    appendHead(.text, count: text.count, to: &frames)
    frames.writeBytes(text)
  }

  /// Appends one binary message as a single frame.
  package static func append(binary: ByteBuffer, to frames: inout ByteBuffer) {
    append(.binary, payload: binary, to: &frames)
  }

  /// Appends the head of a text frame whose payload the caller writes next, exactly `count` bytes.
  package static func appendTextHead(count: Int, to frames: inout ByteBuffer) {
    appendHead(.text, count: count, to: &frames)
  }

  /// The bytes that the head of a frame with this payload takes.
  package static func headBytes(count: Int) -> Int {
    count < 126 ? 2 : count <= 0xffff ? 4 : 10
  }

  static func append(_ opcode: Opcode, payload: ByteBuffer, to frames: inout ByteBuffer) {
    appendHead(opcode, count: payload.readableBytes, to: &frames)
    frames.writeImmutableBuffer(payload)
  }

  static func appendClose(code: UInt16?, reason: String, to frames: inout ByteBuffer) {
    guard let code else { return appendHead(.close, count: 0, to: &frames) }
    // A control frame holds 125 bytes, and the reason must stay whole UTF-8.
    var text = Substring(reason)
    while text.utf8.count > 123 { text.removeLast() }
    appendHead(.close, count: 2 + text.utf8.count, to: &frames)
    frames.writeInteger(code)
    frames.writeSubstring(text)
  }

  private static func appendHead(_ opcode: Opcode, count: Int, to frames: inout ByteBuffer) {
    frames.writeInteger(0x80 | opcode.rawValue)
    if count < 126 {
      frames.writeInteger(UInt8(count))
    } else if count <= 0xffff {
      frames.writeInteger(126 as UInt8)
      frames.writeInteger(UInt16(count))
    } else {
      frames.writeInteger(127 as UInt8)
      frames.writeInteger(UInt64(count))
    }
  }
}

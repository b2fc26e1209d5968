import NIOCore

/// Turns a client's bytes into messages and control frames, without I/O.
///
/// A frame that one read brings whole is unmasked into a scratch buffer of the caller's; only what comes in
/// parts costs memory, which is given back when it is complete.
struct FrameReader {
  enum Event: Equatable {
    case message(ByteBuffer, isText: Bool)
    case ping(ByteBuffer)
    case pong
    case close(code: UInt16?)
    /// The peer broke a rule: nothing after this can be understood.
    case violation(code: UInt16)
  }

  struct Limits {
    var frameBytes: Int
    var messageBytes: Int
  }

  private var unfinished: UnfinishedMessage?

  /// Whether nothing has come that is not complete.
  var isIdle: Bool { unfinished == nil }

  /// The next thing that is complete; nil when the input is used up.
  mutating func next(from input: inout ByteBuffer, scratch: inout ByteBuffer, limits: Limits) -> Event? {
    if let unfinished {
      let event = unfinished.next(from: &input, limits: limits)
      if unfinished.isOver { self.unfinished = nil }
      return event
    }
    let limit = min(limits.frameBytes, limits.messageBytes)
    switch input.withUnsafeReadableBytes({ FrameHead.parse($0, limit: limit) }) {
    case .violation(let code):
      return .violation(code: code)
    case .head(let head, let bytes)
    where head.isFinal && head.opcode != .continuation && input.readableBytes - bytes >= head.length:
      input.moveReaderIndex(forwardBy: bytes)
      return Self.whole(head, from: &input, scratch: &scratch)
    default:
      guard input.readableBytes > 0 else { return nil }
      unfinished = UnfinishedMessage()
      return next(from: &input, scratch: &scratch, limits: limits)
    }
  }

  private static func whole(
    _ head: FrameHead, from input: inout ByteBuffer, scratch: inout ByteBuffer
  ) -> Event {
    scratch.clear()
    append(head.length, of: &input, mask: head.mask, to: &scratch)
    switch head.opcode {
    case .text:
      var check = UTF8Check()
      guard scratch.withUnsafeReadableBytes({ check.accept($0) }), check.isComplete else {
        return .violation(code: CloseCode.invalidText)
      }
      return .message(scratch, isText: true)
    case .binary, .continuation:
      return .message(scratch, isText: false)
    case .close, .ping, .pong:
      return control(head.opcode, payload: scratch)
    }
  }

  /// Moves `count` bytes, unmasked.
  static func append(_ count: Int, of input: inout ByteBuffer, mask: UInt32, to output: inout ByteBuffer) {
    guard count > 0 else { return }
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
      input.readWithUnsafeReadableBytes { source in
        let piece = UnsafeRawBufferPointer(rebasing: source[..<count])
        FrameHead.unmask(piece, to: UnsafeMutableRawBufferPointer(rebasing: target[..<count]), mask: mask)
        return count
      }
      return count
    }
  }

  static func control(_ opcode: WebSocketFraming.Opcode, payload: ByteBuffer) -> Event {
    switch opcode {
    case .ping: return .ping(payload)
    case .close: return close(payload)
    default: return .pong
    }
  }

  private static func close(_ payload: ByteBuffer) -> Event {
    var payload = payload
    if payload.readableBytes == 0 { return .close(code: nil) }
    guard let code = payload.readInteger(as: UInt16.self), mayBeSent(code) else {
      return .violation(code: CloseCode.protocolError)
    }
    var check = UTF8Check()
    guard payload.withUnsafeReadableBytes({ check.accept($0) }), check.isComplete else {
      return .violation(code: CloseCode.invalidText)
    }
    return .close(code: code)
  }

  /// Whether a close frame may carry the code: 1005, 1006 and 1015 are only for reports.
  private static func mayBeSent(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}

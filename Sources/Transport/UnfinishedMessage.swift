import NIOCore

/// What is known of a message, or of a frame, that has not come whole.
final class UnfinishedMessage {
  // The part of a frame's head that came; empty between frames and inside a payload.
  private var headBytes: [UInt8] = []
  // The frame whose payload is coming; `length` and `mask` are of what is still missing.
  private var frame: FrameHead?
  // The data frames so far; nil before the first.
  private var message: ByteBuffer?
  private var isText = false
  private var check = UTF8Check()
  private var control = ByteBuffer()

  /// Whether everything was handed out, so that this can go.
  var isOver: Bool { headBytes.isEmpty && frame == nil && message == nil }

  func next(from input: inout ByteBuffer, limits: FrameReader.Limits) -> FrameReader.Event? {
    while true {
      if frame == nil {
        switch readHead(&input, limits: limits) {
        case .none: return nil
        case .some(let violation?): return .violation(code: violation)
        case .some(.none): break
        }
      }
      guard var current = frame else { return nil }
      let count = min(current.length, input.readableBytes)
      if let violation = append(count, of: &input, frame: current) { return .violation(code: violation) }
      current.length -= count
      current.mask = FrameHead.rotate(current.mask, by: count)
      frame = current
      if current.length > 0 { return nil }
      frame = nil
      if let event = finish(current) { return event }
    }
  }

  /// Nil: more input is needed. Some nil: the head is complete. Some code: it is unlawful.
  private func readHead(_ input: inout ByteBuffer, limits: FrameReader.Limits) -> UInt16?? {
    let limit = limits.frameBytes
    while true {
      switch headBytes.withUnsafeBytes({ FrameHead.parse($0, limit: limit) }) {
      case .violation(let code):
        return .some(code)
      case .head(let head, _):
        headBytes = []
        frame = head
        return .some(begin(head, limits: limits))
      case .needs(let bytes):
        guard let piece = input.readBytes(length: min(bytes - headBytes.count, input.readableBytes)),
          !piece.isEmpty
        else { return .none }
        headBytes += piece
      }
    }
  }

  private func begin(_ head: FrameHead, limits: FrameReader.Limits) -> UInt16? {
    switch head.opcode {
    case .close, .ping, .pong:
      control = ByteBuffer()
      return nil
    case .continuation:
      guard message != nil else { return CloseCode.protocolError }
    case .text, .binary:
      guard message == nil else { return CloseCode.protocolError }
      message = ByteBuffer()
      isText = head.opcode == .text
      check = UTF8Check()
    }
    let before = message?.readableBytes ?? 0
    return head.length > limits.messageBytes - before ? CloseCode.messageTooBig : nil
  }

  private func append(_ count: Int, of input: inout ByteBuffer, frame: FrameHead) -> UInt16? {
    if frame.opcode.isControl {
      FrameReader.append(count, of: &input, mask: frame.mask, to: &control)
      return nil
    }
    // Out of the property, so that the buffer grows in place.
    guard var grown = message else { return nil }
    message = nil
    FrameReader.append(count, of: &input, mask: frame.mask, to: &grown)
    defer { message = grown }
    guard isText, count > 0 else { return nil }
    let fresh = grown.withUnsafeReadableBytes { bytes in
      check.accept(UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - count)...]))
    }
    return fresh ? nil : CloseCode.invalidText
  }

  private func finish(_ frame: FrameHead) -> FrameReader.Event? {
    if frame.opcode.isControl { return FrameReader.control(frame.opcode, payload: control) }
    guard frame.isFinal, let whole = message else { return nil }
    message = nil
    if isText, !check.isComplete { return .violation(code: CloseCode.invalidText) }
    return .message(whole, isText: isText)
  }
}

package import NIOCore

/// Puts a client's messages together from the frames they come in.
///
/// A frame that is short and all digits says how many frames the next message has; the digit `0` is a sign of
/// life and no message. Memory is bounded: of a message that is too long only the beginning is kept.
package struct FrameAssembler {
  /// What a frame brought.
  package enum Step: Equatable {
    /// Nothing to do: a sign of life, or a part of a message.
    case nothing
    case message(ByteBuffer)
    /// A whole message that was too long; its first bytes.
    case oversized(head: ByteBuffer)
  }

  /// The longest count that clients understand.
  private static let countDigits = 6

  private var missingFrames = 0
  private var parts: ByteBuffer?
  private var isOversized = false

  package init() {}

  /// Takes the next frame's text.
  package mutating func receive(_ frame: ByteBuffer, limits: FirebaseLimits) -> Step {
    if missingFrames == 0 {
      if let count = FrameAssembler.count(frame) {
        missingFrames = count
        return .nothing
      }
      if frame.readableBytes <= limits.messageBytes { return .message(frame) }
      return .oversized(head: FrameAssembler.head(of: frame, bytes: limits.oversizedHeadBytes))
    }
    missingFrames -= 1
    add(frame, limits: limits)
    guard missingFrames == 0 else { return .nothing }
    let whole = parts ?? ByteBuffer()
    let wasOversized = isOversized
    parts = nil
    isOversized = false
    return wasOversized ? .oversized(head: whole) : .message(whole)
  }

  private mutating func add(_ frame: ByteBuffer, limits: FirebaseLimits) {
    if isOversized { return }
    guard var whole = parts.take() else {
      parts = frame
      checkSize(limits)
      return
    }
    whole.writeImmutableBuffer(frame)
    parts = whole
    checkSize(limits)
  }

  private mutating func checkSize(_ limits: FirebaseLimits) {
    guard let whole = parts, whole.readableBytes > limits.messageBytes else { return }
    isOversized = true
    parts = FrameAssembler.head(of: whole, bytes: limits.oversizedHeadBytes)
  }

  /// A copy of the first bytes, so that the rest can be freed.
  private static func head(of buffer: ByteBuffer, bytes: Int) -> ByteBuffer {
    ByteBuffer(bytes: buffer.readableBytesView.prefix(bytes))
  }

  /// The number that a count frame holds; nil for any other frame.
  private static func count(_ frame: ByteBuffer) -> Int? {
    let text = frame.readableBytesView
    guard (1...countDigits).contains(text.count) else { return nil }
    var count = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      count = count * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return count
  }
}

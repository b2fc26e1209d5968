package import NIOCore

/// Puts a client's messages together from the frames they come in.
///
/// A frame that is short and all digits says how many frames the next message has; the digit `0` is a sign of
/// life and no message. Memory is bounded: of a message that is too long only its request's number is kept.
package struct FrameAssembler {
  /// What a frame brought.
  package enum Step: Equatable {
    /// Nothing to do: a sign of life, or a part of a message.
    case nothing
    case message(ByteBuffer)
    /// A whole message that was too long, and the number of the request in it.
    case oversized(number: Int64?)
  }

  /// The longest count that clients understand.
  private static let countDigits = 6

  private var missingFrames = 0
  private var parts: ByteBuffer?
  /// What is left of a message that is too long.
  private var oversized: RequestNumberScanner?

  package init() {}

  /// Takes the next frame's text.
  package mutating func receive(_ frame: ByteBuffer, limits: FirebaseLimits) -> Step {
    if missingFrames == 0 {
      if let count = FrameAssembler.count(frame) {
        missingFrames = count
        return .nothing
      }
      if frame.readableBytes <= limits.messageBytes { return .message(frame) }
      var scanner = RequestNumberScanner()
      scanner.scan(frame.readableBytesView)
      return .oversized(number: scanner.number)
    }
    missingFrames -= 1
    add(frame, limits: limits)
    guard missingFrames == 0 else { return .nothing }
    if let scanner = oversized.take() { return .oversized(number: scanner.number) }
    return .message(parts.take() ?? ByteBuffer())
  }

  private mutating func add(_ frame: ByteBuffer, limits: FirebaseLimits) {
    if oversized != nil {
      oversized?.scan(frame.readableBytesView)
      return
    }
    var whole = parts.take() ?? ByteBuffer()
    if whole.readableBytes == 0 { whole = frame } else { whole.writeImmutableBuffer(frame) }
    if whole.readableBytes <= limits.messageBytes {
      parts = whole
    } else {
      var scanner = RequestNumberScanner()
      scanner.scan(whole.readableBytesView)
      oversized = scanner
    }
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

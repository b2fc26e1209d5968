package import NIOCore

/// Puts a client's messages together from the frames they come in.
///
/// A frame that is short and all digits says how many frames the next message has; the digit `0` is a sign of
/// life and no message. Memory is bounded: of a message that is too long only its request's number is kept.
package struct FrameAssembler {
  /// What a frame brought.
  package enum Step: Equatable, Sendable {
    /// Nothing to do: a sign of life, or a part of a message.
    case nothing
    case message(ByteBuffer)
    /// A whole message that was too long, and the number of the request in it.
    case oversized(number: Int64?)
  }

  /// The longest count that clients understand.
  private static let countDigits = 6

  /// A message of which some frames are still to come.
  private final class Unfinished {
    var missingFrames: Int
    var parts = ByteBuffer()
    /// What is left of a message that is too long.
    var oversized: RequestNumberScanner?

    init(missingFrames: Int) {
      self.missingFrames = missingFrames
    }
  }

  /// Most connections have none, and should not pay for one.
  private var unfinished: Unfinished?

  package init() {}

  /// Takes the next frame's text.
  package mutating func receive(_ frame: ByteBuffer, limits: FirebaseLimits) -> Step {
    if let message = unfinished {
      FrameAssembler.add(frame, to: message, limits: limits)
      guard message.missingFrames == 0 else { return .nothing }
      unfinished = nil
      return message.oversized.map { .oversized(number: $0.number) } ?? .message(message.parts)
    }
    if let count = FrameAssembler.count(frame) {
      if count > 0 { unfinished = Unfinished(missingFrames: count) }
      return .nothing
    }
    if frame.readableBytes <= limits.messageBytes { return .message(frame) }
    var scanner = RequestNumberScanner()
    scanner.scan(frame.readableBytesView)
    return .oversized(number: scanner.number)
  }

  private static func add(_ frame: ByteBuffer, to message: Unfinished, limits: FirebaseLimits) {
    message.missingFrames -= 1
    if message.oversized != nil {
      message.oversized?.scan(frame.readableBytesView)
      return
    }
    if message.parts.readableBytes == 0 {
      message.parts = frame
    } else {
      message.parts.writeImmutableBuffer(frame)
    }
    guard message.parts.readableBytes > limits.messageBytes else { return }
    var scanner = RequestNumberScanner()
    scanner.scan(message.parts.readableBytesView)
    message.oversized = scanner
    message.parts = ByteBuffer()
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

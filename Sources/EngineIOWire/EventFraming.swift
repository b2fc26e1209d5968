import NIOCore
import Transport

/// A session's messages as arguments of the event `wd`, which is how Wilddog's clients want them.
///
/// On a WebSocket each is a frame. For polls each has a separator behind it until one comes.
final class EventFraming: MessageFraming {
  /// The numbers of the two as carriers; those of other protocols' carriers are smaller.
  static let webSocketCarrier: UInt8 = 2
  static let pollingCarrier: UInt8 = 3

  static let webSocket = EventFraming(isPolled: false)
  static let polling = EventFraming(isPolled: true)

  private let isPolled: Bool

  private init(isPolled: Bool) {
    self.isPolled = isPolled
  }

  private static let head: StaticString = #"42["wd","#

  func append(_ message: UnsafeRawBufferPointer, to frames: inout ByteBuffer) {
    if !isPolled {
      WebSocketFraming.appendTextHead(
        count: Self.head.utf8CodeUnitCount + message.count + 1, to: &frames)
    }
    frames.writeStaticString(Self.head)
    frames.writeBytes(message)
    frames.writeInteger(UInt8(ascii: "]"))
    if isPolled { frames.writeInteger(EnginePayload.separator) }
  }

  /// Packets that waited for a poll as frames of a WebSocket.
  static func frames(_ waiting: ByteBuffer) -> ByteBuffer {
    var frames = ByteBuffer()
    frames.reserveCapacity(waiting.readableBytes + WebSocketFraming.headBytes)
    EnginePayload.forEach(in: waiting) { WebSocketFraming.append(text: $0, to: &frames) }
    return frames
  }
}

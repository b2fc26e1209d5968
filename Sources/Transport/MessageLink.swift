package import NIOCore

/// A connection that carries whole messages both ways, whatever carries it. Used on its loop only.
///
/// After it is closed, by either side, appending and flushing do nothing.
package protocol MessageLink: AnyObject {
  /// The loop that the link lives on.
  var eventLoop: any EventLoop { get }
  /// How bytes must be framed for `append(frames:)`: 0 is WebSocket.
  var carrier: UInt8 { get }
  /// How a message becomes bytes for `append(frames:)`, where the carrier knows that better than whoever
  /// speaks on it; the same for all links of one `carrier`.
  var framing: (any MessageFraming)? { get }
  /// The peer's address without its port.
  var remoteAddress: String? { get }

  /// Queues bytes that are already framed for this carrier; a buffer shared by many links is not copied.
  func append(frames: ByteBuffer)
  /// Queues one text message, and frames it.
  func append(text: ByteBuffer)
  /// Hands everything queued to the socket, in one write.
  func flush()
  /// `append(frames:)` and `flush()` in one go: the shortest way for a push.
  func send(frames: ByteBuffer)
  /// Says goodbye after what is queued; `closed()` follows when the peer has answered or its time is up.
  func close(code: UInt16, reason: String)
}

extension MessageLink {
  package var framing: (any MessageFraming)? { nil }
}

/// Turns whole messages into bytes of a carrier, the same for every link, so that they can be shared. Pure.
package protocol MessageFraming: AnyObject, Sendable {
  /// Appends one text message, given as UTF-8.
  func append(_ message: UnsafeRawBufferPointer, to frames: inout ByteBuffer)
}

/// What a protocol does with a link's messages. Called on the link's loop.
package protocol MessageHandler: AnyObject {
  /// The link is open: messages may be sent. Called first, once.
  func opened(link: any MessageLink)
  /// A complete message; text is valid UTF-8.
  func received(_ message: ByteBuffer, isText: Bool)
  /// The end of what one read brought: the time to act on all of it at once.
  func receivedAll()
  /// The peer reads too slowly: what is sent from now on costs memory, and past the budget the connection.
  /// May be called in the middle of sending.
  func fellBehind()
  /// Everything has been sent to a peer that had fallen behind.
  func caughtUp()
  /// No message will come any more and none can be sent. Called last, once.
  func closed()
}

extension MessageHandler {
  package func fellBehind() {}
  package func caughtUp() {}
}

/// The close codes of RFC 6455 that this server sends.
package enum CloseCode {
  package static let normal: UInt16 = 1000
  package static let goingAway: UInt16 = 1001
  package static let protocolError: UInt16 = 1002
  package static let unsupportedData: UInt16 = 1003
  package static let invalidText: UInt16 = 1007
  package static let policyViolation: UInt16 = 1008
  package static let messageTooBig: UInt16 = 1009
  package static let internalError: UInt16 = 1011
  package static let tryAgainLater: UInt16 = 1013
}

package import NIOCore

/// Where an event stream's bytes go: the connection, or a recorder in a test.
package protocol EventStreamSink: AnyObject {
  func append(frames: ByteBuffer)
  func flush()
  func endEventStream()
}

/// A server-sent event stream that is open. Used on its loop only.
///
/// It holds no more than the outbound budget; past it the peer is cut off and `onClose` called.
package final class EventStream {
  package let eventLoop: any EventLoop
  /// The stream ended without `close()`: the peer left, was too slow, or the server shuts down.
  package var onClose: (() -> Void)?
  /// The peer reads too slowly: what is sent from now on costs memory, and past the budget the stream.
  package var onFallingBehind: (() -> Void)?
  /// Everything has been sent to a peer that had fallen behind.
  package var onCatchingUp: (() -> Void)?
  private var isBehind = false
  private var sink: (any EventStreamSink)?

  package init(eventLoop: any EventLoop, sink: any EventStreamSink) {
    self.eventLoop = eventLoop
    self.sink = sink
  }

  /// They hold those who hold the stream.
  private func forgetCallbacks() {
    onClose = nil
    onFallingBehind = nil
    onCatchingUp = nil
  }

  package var isOpen: Bool { sink != nil }

  /// Queues events already framed by `EventStreamFraming`; a shared buffer is not copied.
  package func send(frames: ByteBuffer) { sink?.append(frames: frames) }

  /// Queues the text of events, and frames it.
  package func send(text: ByteBuffer) {
    guard let sink else { return }
    var frames = ByteBuffer()
    EventStreamFraming.append(text: text, to: &frames)
    sink.append(frames: frames)
  }

  /// Hands everything queued to the socket, in one write.
  package func flush() { sink?.flush() }

  /// Ends the stream after what is queued. `onClose` is not called.
  package func close() {
    let open = sink
    sink = nil
    forgetCallbacks()
    open?.endEventStream()
  }

  /// The connection tells whether too much waits to be sent, or nothing at all.
  func measured(_ queuedBytes: Int, limit: Int) {
    if !isBehind, queuedBytes > limit {
      isBehind = true
      onFallingBehind?()
    } else if isBehind, queuedBytes == 0 {
      isBehind = false
      onCatchingUp?()
    }
  }

  /// The connection tells that the stream is over.
  package func peerLeft() {
    guard sink != nil else { return }
    let callback = onClose
    sink = nil
    forgetCallbacks()
    callback?()
  }
}

/// Events as they stand on the wire: HTTP chunks, so that clients see each as soon as it comes.
package enum EventStreamFraming {
  /// Appends the text of one or more whole events (`event: …\ndata: …\n\n`) as one chunk.
  package static func append(text: ByteBuffer, to frames: inout ByteBuffer) {
    guard text.readableBytes > 0 else { return }  // an empty chunk would end the stream
    appendChunkHead(count: text.readableBytes, to: &frames)
    frames.writeImmutableBuffer(text)
    frames.writeStaticString("\r\n")
  }

  static func appendChunkHead(count: Int, to frames: inout ByteBuffer) {
    frames.writeString(String(count, radix: 16))
    frames.writeStaticString("\r\n")
  }

  /// The same events without the chunks, for a client of HTTP/1.0.
  static func unchunked(_ frames: ByteBuffer) -> ByteBuffer {
    var input = frames
    var text = ByteBuffer()
    text.reserveCapacity(input.readableBytes)
    while let line = input.readableBytesView.firstIndex(of: UInt8(ascii: "\r")),
      let digits = input.readString(length: line - input.readerIndex),
      let count = Int(digits, radix: 16), input.readableBytes >= count + 4
    {
      input.moveReaderIndex(forwardBy: 2)
      guard let piece = input.readSlice(length: count) else { break }
      text.writeImmutableBuffer(piece)
      input.moveReaderIndex(forwardBy: 2)
    }
    return text
  }
}

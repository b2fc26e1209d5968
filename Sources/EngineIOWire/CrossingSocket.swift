import NIOCore
import Transport

/// The WebSocket of a session that began with polls, seen from the session's loop.
///
/// The session stays on its loop, and the socket has a loop of its own; what goes between them goes in order.
final class CrossingSocket: MessageLink, Sendable {
  /// The session's loop.
  let eventLoop: any EventLoop
  let remoteAddress: String?
  private let socket: NIOLoopBound<any MessageLink>
  private let outgoing: NIOLoopBoundBox<ByteBuffer>

  /// On the socket's loop.
  init(_ socket: any MessageLink, session eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    remoteAddress = socket.remoteAddress
    self.socket = NIOLoopBound(socket, eventLoop: socket.eventLoop)
    outgoing = NIOLoopBoundBox.makeBoxSendingValue(ByteBuffer(), eventLoop: eventLoop)
  }

  var carrier: UInt8 { 0 }

  func append(frames: ByteBuffer) { outgoing.withValue { _ = $0.writeImmutableBuffer(frames) } }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    WebSocketFraming.append(text: text, to: &frames)
    append(frames: frames)
  }

  func flush() {
    let frames = outgoing.withValue { waiting in
      defer { waiting = ByteBuffer() }
      return waiting
    }
    if frames.readableBytes > 0 { onSocket { $0.send(frames: frames) } }
  }

  func send(frames: ByteBuffer) {
    append(frames: frames)
    flush()
  }

  func close(code: UInt16, reason: String) {
    flush()
    onSocket { $0.close(code: code, reason: reason) }
  }

  /// Sends a packet, before the session has moved.
  func say(_ packet: String) {
    append(text: ByteBuffer(string: packet))
    flush()
  }

  /// There is no session to take over here, or none any more.
  func refuse() { close(code: CloseCode.protocolError, reason: EngineIOText.notTaken) }

  private func onSocket(_ work: @escaping @Sendable (any MessageLink) -> Void) {
    let socket = socket
    if socket.eventLoop.inEventLoop { return work(socket.value) }
    socket.eventLoop.execute { work(socket.value) }
  }
}

/// The handler of a WebSocket that is to take over a session that is polled. On the socket's loop.
final class UpgradeHandler: MessageHandler {
  private let session: NIOLoopBound<EngineLink>
  private var crossing: CrossingSocket?
  private var frames: [EngineFrame] = []

  init(session: NIOLoopBound<EngineLink>) {
    self.session = session
  }

  func opened(link: any MessageLink) {
    let crossing = CrossingSocket(link, session: session.eventLoop)
    self.crossing = crossing
    tell { $0.offer(crossing) }
  }

  func received(_ message: ByteBuffer, isText: Bool) {
    frames.append(EngineFrame(message, isText: isText))
  }

  func receivedAll() {
    guard let crossing, !frames.isEmpty else { return }
    let frames = frames
    self.frames = []
    tell { $0.receive(frames, from: crossing) }
  }

  func fellBehind() { tell { $0.fellBehind() } }

  func caughtUp() { tell { $0.caughtUp() } }

  func closed() {
    guard let crossing else { return }
    self.crossing = nil
    tell { $0.lost(crossing) }
  }

  private func tell(_ work: @escaping @Sendable (EngineLink) -> Void) {
    let session = session
    // Not at once on the same loop either: the session may be in the middle of sending on this socket.
    session.eventLoop.execute { work(session.value) }
  }
}

import NIOCore
package import Transport

/// What an open WebSocket of a session that moves from long polling has to do with that session.
///
/// The session stays on its loop, and the socket has a loop of its own; what goes between them goes in order.
///
///     SocketMove (socket's loop) ─ receive ─→ SocketLink (session's loop) ─→ connection
///     WebSocketLink              ←── send ──
final class SocketLink: MessageLink, Sendable {
  /// The session's loop.
  let eventLoop: any EventLoop
  let remoteAddress: String?
  private let socket: NIOLoopBound<any MessageLink>
  private let host: String
  private let limits: PollLimits
  private let box: NIOLoopBoundBox<State?>

  private struct State {
    /// While the session is carried by long polling.
    var poll: PollLink?
    var connection: FirebaseConnection
    /// What came before the client's last poll did.
    var early: [FrameAssembler.Step] = []
    var earlyBytes = 0
    var outgoing = ByteBuffer()
  }

  /// On the socket's loop.
  init(socket: any MessageLink, session eventLoop: any EventLoop, host: String, limits: PollLimits) {
    self.eventLoop = eventLoop
    self.host = host
    self.limits = limits
    remoteAddress = socket.remoteAddress
    self.socket = NIOLoopBound(socket, eventLoop: socket.eventLoop)
    box = NIOLoopBoundBox.makeEmptyBox(valueType: State.self, eventLoop: eventLoop)
  }

  var carrier: UInt8 { FirebaseDialect.webSocket }

  // MARK: Moving

  /// The session takes the socket: the client is told that it may move.
  func begin(poll: PollLink, connection: FirebaseConnection) {
    box.value = State(poll: poll, connection: connection)
    var messages = MessageList()
    messages.readyToMove()
    send(frames: messages.frames(carrier: carrier))
  }

  /// There is no session to move here, or none any more.
  func refuse() {
    box.value = nil
    var messages = MessageList()
    messages.reset(host: host)
    let frames = messages.frames(carrier: carrier)
    onSocket { link in
      link.send(frames: frames)
      link.close(code: CloseCode.normal, reason: "")
    }
  }

  /// The session has moved: what came too early comes now.
  func move() {
    guard let state = box.value else { return }
    box.value?.poll = nil
    box.value?.early = []
    box.value?.earlyBytes = 0
    for step in state.early { state.connection.receive(step) }
    state.connection.receivedAll()
  }

  // MARK: What the socket tells

  /// Messages have come on the socket.
  func receive(_ steps: [FrameAssembler.Step]) {
    guard let state = box.value else { return }
    if state.poll == nil {
      for step in steps { state.connection.receive(step) }
      return state.connection.receivedAll()
    }
    var pongs = MessageList()
    for step in steps {
      guard case .message(let text) = step else {
        box.value?.early.append(step)
        continue
      }
      switch text.withUnsafeReadableBytes(Request.read) {
      case .ping: pongs.pong()
      case .ignored, .endOfTransmission, .unanswerable: break
      case .action:
        box.value?.early.append(step)
        box.value?.earlyBytes += text.readableBytes
      }
    }
    if !pongs.isEmpty { send(frames: pongs.frames(carrier: carrier)) }
    guard let state = box.value, state.earlyBytes <= limits.movingBytes else {
      state.poll?.lose()
      return
    }
  }

  /// The client reads the socket too slowly.
  func fellBehind() {
    if let state = box.value, state.poll == nil { state.connection.fellBehind() }
  }

  /// Everything that was sent on the socket has been taken.
  func caughtUp() {
    if let state = box.value, state.poll == nil { state.connection.caughtUp() }
  }

  /// The socket is closed.
  func lost() {
    guard let state = box.value else { return }
    box.value = nil
    if let poll = state.poll { poll.socketLost() } else { state.connection.closed() }
  }

  // MARK: Sending

  func append(frames: ByteBuffer) {
    guard box.value != nil else { return }
    box.value?.outgoing.writeImmutableBuffer(frames)
  }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    text.withUnsafeReadableBytes { MessageChunks.append($0, to: &frames) }
    append(frames: frames)
  }

  func flush() {
    guard let frames = box.value?.outgoing, frames.readableBytes > 0 else { return }
    box.value?.outgoing = ByteBuffer()
    onSocket { $0.send(frames: frames) }
  }

  func send(frames: ByteBuffer) {
    append(frames: frames)
    flush()
  }

  func close(code: UInt16, reason: String) {
    flush()
    onSocket { $0.close(code: code, reason: reason) }
  }

  private func onSocket(_ work: @escaping @Sendable (any MessageLink) -> Void) {
    let socket = socket
    if socket.eventLoop.inEventLoop { return work(socket.value) }
    socket.eventLoop.execute { work(socket.value) }
  }
}

/// The handler of a WebSocket that a session is to move to from long polling.
final class SocketMove: MessageHandler {
  private let services: FirebaseServices
  private let sessionID: String
  private let host: String
  private var assembler = FrameAssembler()
  private var steps: [FrameAssembler.Step] = []
  private var session: SocketLink?

  init(services: FirebaseServices, sessionID: String, host: String) {
    self.services = services
    self.sessionID = sessionID
    self.host = host
  }

  func opened(link: any MessageLink) {
    guard let poll = services.polling.session(named: sessionID) else {
      var messages = MessageList()
      messages.reset(host: host)
      link.send(frames: messages.frames(carrier: FirebaseDialect.webSocket))
      return link.close(code: CloseCode.normal, reason: "")
    }
    let session = SocketLink(
      socket: link, session: poll.eventLoop, host: host, limits: services.polling.limits)
    self.session = session
    poll.eventLoop.execute { poll.value.offer(session) }
  }

  func received(_ message: ByteBuffer, isText: Bool) {
    guard isText, session != nil else { return }
    switch assembler.receive(message, limits: services.limits) {
    case .nothing: break
    case let step: steps.append(step)
    }
  }

  func receivedAll() {
    guard let session, !steps.isEmpty else { return }
    let steps = steps
    self.steps = []
    session.eventLoop.execute { session.receive(steps) }
  }

  func fellBehind() { inSession { $0.fellBehind() } }

  func caughtUp() { inSession { $0.caughtUp() } }

  /// Later even on the same loop: the socket may be in the middle of sending.
  private func inSession(_ work: @escaping @Sendable (SocketLink) -> Void) {
    guard let session else { return }
    session.eventLoop.execute { work(session) }
  }

  func closed() {
    guard let session else { return }
    self.session = nil
    session.eventLoop.execute { session.lost() }
  }
}

extension FirebaseServices {
  /// The handler of a new WebSocket.
  package func webSocketHandler(for head: RequestHead) -> any MessageHandler {
    let handshake = Handshake(head, naming: naming)
    guard let sessionID = handshake.movedSession else {
      return FirebaseConnection(services: self, head: head)
    }
    return SocketMove(services: self, sessionID: sessionID, host: handshake.host)
  }

  /// Answers a request of the long-polling carrier.
  package func respondToPoll(_ exchange: Exchange) {
    polling.respond(to: exchange, services: self)
  }
}

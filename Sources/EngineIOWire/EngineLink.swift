import NIOCore
import Transport

/// One Engine.IO session, as whoever speaks in it sees it. Used on the loop that it began on.
///
///     WebSocket ─┐                                        ┌─ message ─→ handler
///                ├→ EngineFrame → EngineSession → Action ─┤
///     polls ─────┘                                        └─ send ─→ socket, or what waits for a poll
///
/// A session that begins on a WebSocket stays there. One that begins with polls may move to a WebSocket, of
/// the same loop or another.
final class EngineLink: MessageLink {
  enum End {
    case no
    /// It is over, and the client has still to be told.
    case closing
    case over
  }

  let eventLoop: any EventLoop
  let id: String
  let revision: Revision
  let remoteAddress: String?
  let services: EngineIOServices
  private(set) var end = End.no
  /// What carries the session, unless polls do.
  private(set) var socket: (any MessageLink)?
  /// Nil if the session began on a WebSocket.
  var polls: PollQueue?
  private var session: EngineSession
  /// Kept until somebody speaks in the session.
  private var head: RequestHead?
  private(set) var handler: (any MessageHandler)?
  private var actions: [EngineSession.Action] = []
  private var heartbeat: Heartbeat
  private let beganAt: NIODeadline
  private var closingSince: NIODeadline?
  private var timer: Scheduled<Void>?
  private var timerAt = NIODeadline.distantFuture

  init(
    _ request: EngineRequest, head: RequestHead, services: EngineIOServices, eventLoop: any EventLoop
  ) {
    self.eventLoop = eventLoop
    self.services = services
    self.head = head
    revision = request.revision
    remoteAddress = head.remoteAddress
    id = services.newID()
    polls = request.carrier == .polling ? PollQueue() : nil
    session = EngineSession(revision: revision, limits: services.limits, socketID: services.newID())
    beganAt = eventLoop.now
    heartbeat = Heartbeat(revision: revision, limits: services.limits, now: beganAt)
  }

  var carrier: UInt8 { polls == nil ? EventFraming.webSocketCarrier : EventFraming.pollingCarrier }
  var framing: (any MessageFraming)? { eventFraming }
  private var eventFraming: EventFraming { polls == nil ? .webSocket : .polling }

  /// Sends the first packets.
  func begin() {
    guard end == .no else { return }
    session.open(id: id, canUpgrade: polls != nil, into: &actions)
    carryOut()
    flush()
    wind()
  }

  // MARK: What comes

  /// Packets have come, by whatever carries the session. Returns what was wrong with one, if something was.
  @discardableResult
  func receive(_ frames: [EngineFrame]) -> EngineFault? {
    for frame in frames { receive(frame) }
    return receivedFrames()
  }

  private var fault: EngineFault?

  private func receive(_ frame: EngineFrame) {
    guard end == .no else { return }
    session.receive(frame, into: &actions)
    carryOut()
  }

  private func receivedFrames() -> EngineFault? {
    heartbeat.heard(at: eventLoop.now)
    handler?.receivedAll()
    flush()
    return fault
  }

  private func carryOut() {
    let actions = actions
    self.actions = []
    for action in actions {
      switch action {
      case .send(let packet): say(packet)
      case .begin: speak()
      case .message(let message): handler?.received(message, isText: true)
      case .left: leave(code: CloseCode.normal, reason: "")
      case .close(let fault):
        self.fault = fault
        leave(code: fault.code, reason: fault.reason)
      }
    }
  }

  private func speak() {
    guard let head else { return }
    self.head = nil
    let handler = services.accept(head)
    self.handler = handler
    handler.opened(link: self)
  }

  // MARK: Sending

  func append(frames: ByteBuffer) {
    guard end == .no, frames.readableBytes > 0 else { return }
    guard let socket else { return wait(frames) }
    socket.append(frames: polls == nil ? frames : EventFraming.frames(frames))
  }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    text.withUnsafeReadableBytes { eventFraming.append($0, to: &frames) }
    append(frames: frames)
  }

  func flush() {
    if let socket { socket.flush() } else { answerHeld() }
  }

  func send(frames: ByteBuffer) {
    if polls == nil, end == .no, let socket { return socket.send(frames: frames) }
    append(frames: frames)
    flush()
  }

  /// Queues a packet of Engine.IO's or Socket.IO's own.
  func say(_ packet: String) {
    var frames = ByteBuffer()
    if polls == nil {
      WebSocketFraming.appendTextHead(count: packet.utf8.count, to: &frames)
      frames.writeString(packet)
    } else {
      frames.writeString(packet)
      frames.writeInteger(EnginePayload.separator)
    }
    append(frames: frames)
  }

  // MARK: The end

  /// Whoever speaks in the session ends it.
  func close(code: UInt16, reason: String) {
    guard end == .no else { return }
    flush()
    if let socket {
      end = .closing
      return socket.close(code: code, reason: reason)
    }
    guard polls != nil else { return finish() }
    say("1")
    end = .closing
    closingSince = eventLoop.now
    dismissHandler()
    withdrawUpgrade()
    // What there is to say is kept for the next poll, if one comes.
    answerHeld()
    wind()
  }

  /// The client ends the session, or has done something that ends it.
  func leave(code: UInt16, reason: String) {
    guard end == .no else { return }
    flush()
    if let socket {
      end = .closing
      return socket.close(code: code, reason: reason)
    }
    let packet: StaticString = reason.isEmpty ? "6" : "1"
    polls?.answerLast(packet, revision: revision)
    finish()
  }

  /// The socket that carries the session is closed.
  func socketLost() {
    socket = nil
    finish()
  }

  func finish() {
    guard end != .over else { return }
    end = .over
    timer?.cancel()
    timer = nil
    withdrawUpgrade()
    dropPolls()
    dismissHandler()
    services.forget(self)
  }

  private func dismissHandler() {
    head = nil
    guard let handler else { return }
    self.handler = nil
    // Later, since it may be what has closed the session.
    let bound = NIOLoopBound(handler, eventLoop: eventLoop)
    eventLoop.execute { bound.value.closed() }
  }

  // MARK: Moving

  /// From now on a socket carries the session.
  func move(to socket: any MessageLink) { self.socket = socket }

  // MARK: Time

  /// Sees to it that the next deadline is noticed.
  func wind() {
    guard end == .no || closingSince != nil, end != .over else { return }
    let next = nextDeadline
    if timer != nil, timerAt <= next { return }
    timer?.cancel()
    timerAt = next
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    timer = eventLoop.scheduleTask(deadline: next) { bound.value.timePassed() }
  }

  private var nextDeadline: NIODeadline {
    if let closingSince { return closingSince + .seconds(services.limits.closingSeconds) }
    return min(heartbeat.next, min(connectBy, upgradeBy))
  }

  private var connectBy: NIODeadline {
    session.isConnected ? .distantFuture : beganAt + .seconds(services.limits.connectSeconds)
  }

  private func timePassed() {
    timer = nil
    guard end != .over else { return }
    let now = eventLoop.now
    if let closingSince {
      if now >= closingSince + .seconds(services.limits.closingSeconds) { return finish() }
    } else if now >= connectBy {
      leave(code: CloseCode.policyViolation, reason: EngineIOText.notConnected)
    } else {
      if now >= upgradeBy { withdrawUpgrade() }
      switch heartbeat.check(at: now) {
      case .fine: break
      case .lost: leave(code: CloseCode.normal, reason: EngineIOText.pingTimeout)
      case .ping:
        say("2")
        flush()
      }
    }
    wind()
  }
}

/// A session that began on a WebSocket, as the socket sees it.
extension EngineLink: MessageHandler {
  func opened(link: any MessageLink) {
    socket = link
    begin()
  }

  func received(_ message: ByteBuffer, isText: Bool) { receive(EngineFrame(message, isText: isText)) }

  func receivedAll() { _ = receivedFrames() }

  func fellBehind() { handler?.fellBehind() }

  func caughtUp() { handler?.caughtUp() }

  func closed() { socketLost() }
}

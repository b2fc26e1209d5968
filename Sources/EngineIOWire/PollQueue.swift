import NIOCore
import Transport

/// What a polled session has of its polls.
struct PollQueue {
  /// The poll that waits for something to be said.
  var held: HeldExchange?
  /// Packets that wait for a poll, each with a separator behind it.
  var waiting = ByteBuffer()
  /// Too much waits: the handler has been told.
  var isBehind = false
  /// How the client's requests carry what is not ASCII.
  var encoding = TextEncoding.unknown
  var upgrade = Upgrade.none

  /// How far a WebSocket has come that is to take over.
  enum Upgrade {
    case none
    /// It is open.
    case offered(CrossingSocket, by: NIODeadline)
    /// It has been found to work: polls are sent away.
    case probed(CrossingSocket, by: NIODeadline)
  }

  /// Answers the held poll with one packet and nothing else.
  mutating func answerLast(_ packet: StaticString, revision: Revision) {
    guard let held else { return }
    self.held = nil
    held.answer(EnginePayload.body(of: packet, revision: revision))
  }
}

extension EnginePayload {
  /// The body of an answer with one packet.
  static func body(of packet: StaticString, revision: Revision) -> ByteBuffer {
    var body = ByteBuffer()
    if revision == .three { body.writeString("\(packet.utf8CodeUnitCount):") }
    body.writeStaticString(packet)
    return body
  }
}

extension EngineLink {
  // MARK: Polls

  /// A poll has come that wants to hear something.
  func poll(_ poll: HeldExchange) {
    guard end != .over, socket == nil, polls != nil else { return poll.refuse(.unknownSession) }
    guard polls?.held == nil else {
      poll.refuse(.badRequest(EngineIOText.twoPolls))
      return leave(code: CloseCode.protocolError, reason: EngineIOText.twoPolls)
    }
    polls?.held = poll
    if isProbed, polls?.waiting.readableBytes == 0 { polls?.answerLast("6", revision: revision) }
    answerHeld()
  }

  /// A request has brought packets.
  func post(_ post: HeldExchange, _ body: ByteBuffer, isBinary: Bool) {
    guard end == .no, socket == nil, polls != nil else { return post.refuse(.unknownSession) }
    var fault: EngineFault?
    var encoding = polls?.encoding ?? .unknown
    do throws(EngineFault) {
      fault = receive(
        try EnginePayload.frames(
          body, revision: revision, isBinary: isBinary, mostPackets: services.limits.packetsPerPayload,
          encoding: &encoding))
    } catch {
      fault = error
      leave(code: error.code, reason: error.reason)
    }
    polls?.encoding = encoding
    if let fault { post.refuse(.badRequest(fault.reason)) } else { post.accept() }
  }

  /// The peer of a poll has left before it was answered: the next one gets what there is.
  func pollLeft(_ poll: HeldExchange) {
    if polls?.held === poll { polls?.held = nil }
  }

  // MARK: What waits

  func wait(_ frames: ByteBuffer) {
    guard let polls else { return }
    let count = frames.readableBytes
    let waits = polls.waiting.readableBytes
    guard waits == 0 || waits + count <= services.limits.budgetBytes, services.reserve(count) else {
      // Later, since whoever pushes may be in the middle of a round over all links.
      let bound = NIOLoopBound(self, eventLoop: eventLoop)
      return eventLoop.execute {
        bound.value.leave(code: CloseCode.tryAgainLater, reason: EngineIOText.tooSlow)
      }
    }
    if waits == 0 { self.polls?.waiting = frames } else { self.polls?.waiting.writeImmutableBuffer(frames) }
    guard !polls.isBehind, waits + count > services.limits.conflationBytes else { return }
    self.polls?.isBehind = true
    handler?.fellBehind()
  }

  func answerHeld() {
    guard let held = polls?.held, let before = polls?.waiting.readableBytes, before > 0 else { return }
    polls?.held = nil
    let body = takeWaiting(most: services.limits.packetsPerAnswer)
    held.answer(body, revision: revision)
    if polls?.waiting.readableBytes == 0 { tookAll() }
  }

  /// Nothing waits for a poll any more.
  private func tookAll() {
    if end == .closing { return finish() }
    guard polls?.isBehind == true else { return }
    polls?.isBehind = false
    handler?.caughtUp()
  }

  private func takeWaiting(most: Int) -> ByteBuffer {
    guard var waiting = polls?.waiting else { return ByteBuffer() }
    let before = waiting.readableBytes
    // Not shared while it is read from, or it would be copied.
    polls?.waiting = ByteBuffer()
    let body = EnginePayload.takeBody(from: &waiting, revision: revision, mostPackets: most)
    services.release(before - waiting.readableBytes)
    polls?.waiting = waiting.readableBytes > 0 ? waiting : ByteBuffer()
    return body
  }

  func dropPolls() {
    polls?.held?.refuse(.unknownSession)
    polls?.held = nil
    services.release(polls?.waiting.readableBytes ?? 0)
    polls?.waiting = ByteBuffer()
  }

  // MARK: Moving to a WebSocket

  private var isProbed: Bool {
    if case .probed = polls?.upgrade { true } else { false }
  }

  /// When a WebSocket must have taken over that is to.
  var upgradeBy: NIODeadline {
    switch polls?.upgrade {
    case .offered(_, let deadline), .probed(_, let deadline): deadline
    case .some(.none), nil: .distantFuture
    }
  }

  /// A WebSocket has been opened that wants to take over.
  func offer(_ crossing: CrossingSocket) {
    guard end == .no, socket == nil, case .some(.none) = polls?.upgrade else { return crossing.refuse() }
    polls?.upgrade = .offered(crossing, by: eventLoop.now + .seconds(services.limits.upgradeSeconds))
    wind()
  }

  /// Packets have come on a WebSocket that has taken over, or wants to.
  func receive(_ frames: [EngineFrame], from crossing: CrossingSocket) {
    var frames = frames[...]
    while socket == nil, let frame = frames.popFirst() {
      guard take(frame, from: crossing) else { return }
    }
    if socket === crossing { receive(Array(frames)) }
  }

  /// Takes a step of the upgrade; false if it is no such step.
  private func take(_ frame: EngineFrame, from crossing: CrossingSocket) -> Bool {
    let text = frame.isText ? String(buffer: frame.bytes) : ""
    switch (polls?.upgrade, text) {
    case (.offered(let offered, let deadline), "2probe") where offered === crossing:
      polls?.upgrade = .probed(crossing, by: deadline)
      crossing.say("3probe")
      polls?.answerLast("6", revision: revision)
      return true
    case (.probed(let probed, _), "5") where probed === crossing:
      polls?.upgrade = .none
      polls?.answerLast("6", revision: revision)
      move(to: crossing)
      let waiting = polls?.waiting ?? ByteBuffer()
      services.release(waiting.readableBytes)
      polls?.waiting = ByteBuffer()
      if waiting.readableBytes > 0 { crossing.send(frames: EventFraming.frames(waiting)) }
      tookAll()
      return true
    default:
      lost(crossing)
      crossing.refuse()
      return false
    }
  }

  /// A WebSocket is closed.
  func lost(_ crossing: CrossingSocket) {
    if socket === crossing { return socketLost() }
    switch polls?.upgrade {
    case .offered(let mine, _), .probed(let mine, _):
      if mine === crossing { polls?.upgrade = .none }
    case .some(.none), nil: break
    }
  }

  /// The session ends, or a WebSocket takes too long to take over.
  func withdrawUpgrade() {
    switch polls?.upgrade {
    case .offered(let crossing, _), .probed(let crossing, _):
      polls?.upgrade = .none
      crossing.refuse()
    case .some(.none), nil: break
    }
  }
}

import NIOCore
import Transport

/// One session that is carried by long polling. Used on the loop that its first request came on.
///
///     poll ─→ PollSegments ─→ connection ─→ … ─→ append ─→ waiting ─→ flush ─→ answer to the held poll
///
/// A poll may come on a connection of another loop: it is then handed over, and its answer back.
final class PollLink: MessageLink {
  let eventLoop: any EventLoop
  let key: PollKey
  let remoteAddress: String?
  private let callback: String
  private let polling: Polling
  private let limits: PollLimits

  private var connection: FirebaseConnection?
  private var order: PollOrder
  private var segments: PollSegments
  private var held: HeldPoll?
  /// Messages that have not been sent, each with a line feed behind it.
  private var waiting = ByteBuffer()
  private var end = End.no
  /// More waits than the client is sent change by change.
  private var isBehind = false
  private var isPolled = false
  private var heardAt: NIODeadline
  private var heldAt: NIODeadline
  private var timer: Scheduled<Void>?
  private var timerAt = NIODeadline.distantFuture
  /// The session's name, once the client has been told.
  private(set) var sessionID: String?
  /// The WebSocket that the session is to move to.
  private var socket: SocketLink?

  private enum End {
    case no
    /// The connection is over, and the client has still to be told.
    case closing
    case over
  }

  init(
    key: PollKey, callback: String, start: HeldPoll, connection: FirebaseConnection, polling: Polling,
    messageBytes: Int, remoteAddress: String?, eventLoop: any EventLoop
  ) {
    self.eventLoop = eventLoop
    self.key = key
    self.callback = callback
    self.connection = connection
    self.polling = polling
    self.remoteAddress = remoteAddress
    limits = polling.limits
    order = PollOrder(keptAnswerBytes: limits.keptAnswerBytes)
    segments = PollSegments(messageBytes: messageBytes, limits: limits)
    held = start
    heardAt = eventLoop.now
    heldAt = heardAt
    order.holdStart()
  }

  var carrier: UInt8 { FirebaseDialect.longPolling }

  /// Begins: the answer to the first request is held until there is something to say.
  func open() {
    wind()
    connection?.opened(link: self)
  }

  // MARK: Polls

  /// A poll has come, with or without pieces of messages.
  func receive(_ poll: HeldPoll, serial: Int64, segments pieces: [PollSegment]) {
    guard end != .over else { return poll.answer(PollScript.unknown) }
    heardAt = eventLoop.now
    isPolled = true
    switch order.arrive(serial) {
    case .answeredBefore(let answer): return poll.answer(answer)
    case .held: break
    case .heldAgain: held?.answer(ByteBuffer())
    case .heldAfterReleasing(let older): if let held { answer(held, older) }
    case .late:
      read(pieces)
      return answer(poll, serial)
    }
    guard end != .over else { return poll.answer(PollScript.unknown) }
    held = poll
    heldAt = heardAt
    read(pieces)
    if waiting.readableBytes > 0 || end == .closing { answerHeld() }
    wind()
  }

  /// The peer of a poll has left before it was answered; its number goes to the next.
  func pollLeft(_ poll: HeldPoll) {
    guard let held, held === poll, let serial = order.held else { return }
    self.held = nil
    order.leave(serial)
    // A client that does not know its session's name can't come back for it.
    if serial == PollOrder.start { lose() }
  }

  private func read(_ pieces: [PollSegment]) {
    guard end == .no, !pieces.isEmpty else { return }
    do throws(PollSegments.Violation) {
      for piece in pieces {
        for message in try segments.receive(piece) { connection?.receive(message) }
      }
    } catch {
      return close(code: CloseCode.protocolError, reason: "")
    }
    connection?.receivedAll()
  }

  // MARK: Answers

  func append(frames: ByteBuffer) {
    let count = frames.readableBytes
    guard end == .no, count > 0 else { return }
    let hasRoom = waiting.readableBytes == 0 || waiting.readableBytes + count <= limits.budgetBytes
    guard hasRoom, polling.reserve(count) else { return overflow() }
    if waiting.readableBytes == 0 { waiting = frames } else { waiting.writeImmutableBuffer(frames) }
    guard !isBehind, waiting.readableBytes > limits.conflationBytes else { return }
    isBehind = true
    connection?.fellBehind()
  }

  func append(text: ByteBuffer) {
    var lines = ByteBuffer()
    text.withUnsafeReadableBytes { MessageLines.append($0, to: &lines) }
    append(frames: lines)
  }

  func flush() {
    if waiting.readableBytes > 0 { answerHeld() }
  }

  func send(frames: ByteBuffer) {
    append(frames: frames)
    flush()
  }

  private func answerHeld() {
    guard let held, let serial = order.held else { return }
    self.held = nil
    answer(held, serial)
  }

  /// Answers a poll with all there is, which may be nothing.
  private func answer(_ poll: HeldPoll, _ serial: Int64) {
    var script = ByteBuffer()
    if serial == PollOrder.start { PollScript.appendStart(callback: callback, key: key, to: &script) }
    // An ending session says its last words in one answer, and nothing if there are none.
    if end == .no || waiting.readableBytes > 0 {
      PollScript.appendMessages(waiting, number: order.takeNumber(), to: &script)
      dropWaiting()
    }
    if end == .closing { PollScript.appendClose(after: order.lastNumber, to: &script) }
    order.answered(serial, script)
    poll.answer(script)
    if end == .closing { finish() }
    catchUp(connection)
  }

  /// Nothing waits any more.
  private func catchUp(_ connection: FirebaseConnection?) {
    guard isBehind, let connection else { return }
    isBehind = false
    connection.caughtUp()
  }

  private func dropWaiting() {
    polling.release(waiting.readableBytes)
    waiting = ByteBuffer()
  }

  /// The client takes too little of what it is sent.
  private func overflow() {
    dropWaiting()
    end = .closing
    // Later, since whoever pushes may be in the middle of a round over all links.
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute { bound.value.beginClosing() }
  }

  // MARK: The end

  func close(code: UInt16, reason: String) {
    guard end == .no else { return }
    end = .closing
    beginClosing()
  }

  private func beginClosing() {
    if let connection {
      self.connection = nil
      let bound = NIOLoopBound(connection, eventLoop: eventLoop)
      eventLoop.execute { bound.value.closed() }
    }
    withdrawSocket()
    // What there is to say is kept for the next poll, if one comes.
    if held != nil { answerHeld() } else if waiting.readableBytes == 0 { finish() }
  }

  /// The client has left, or is taken to have.
  func lose() {
    guard end != .over else { return }
    let connection = connection
    self.connection = nil
    withdrawSocket()
    held?.answer(PollScript.unknown)
    finish()
    connection?.closed()
  }

  private func finish() {
    end = .over
    held = nil
    dropWaiting()
    timer?.cancel()
    timer = nil
    polling.forget(self)
  }

  // MARK: Moving to a WebSocket

  /// The session's name; another connection that knows it may take the session over.
  func named(_ sessionID: String) {
    self.sessionID = sessionID
    polling.name(self, sessionID)
  }

  /// A WebSocket has been opened that the session shall move to.
  func offer(_ socket: SocketLink) {
    guard end == .no, self.socket == nil, let connection else { return socket.refuse() }
    self.socket = socket
    socket.begin(poll: self, connection: connection)
  }

  /// The WebSocket is gone before the session has moved.
  func socketLost() { socket = nil }

  /// The client sends nothing more by polls: the last answer says that nothing more comes by them either.
  ///
  /// Returns the WebSocket on which all goes on, if there is one.
  func handOver() -> SocketLink? {
    guard end == .no, let socket else { return nil }
    self.socket = nil
    var messages = MessageList()
    messages.endOfTransmission()
    append(frames: messages.frames(carrier: carrier))
    guard end == .no else { return nil }
    let moving = connection
    connection = nil
    end = .closing
    answerHeld()
    catchUp(moving)
    return socket
  }

  private func withdrawSocket() {
    socket?.refuse()
    socket = nil
  }

  // MARK: Time

  /// Sees to it that the next deadline is noticed.
  private func wind() {
    guard end != .over else { return }
    let next = nextDeadline
    if timer != nil, timerAt <= next { return }
    timer?.cancel()
    timerAt = next
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    timer = eventLoop.scheduleTask(deadline: next) { bound.value.timePassed() }
  }

  private var nextDeadline: NIODeadline {
    isHolding ? min(heldAt + Self.time(limits.holdSeconds), silentAt) : silentAt
  }

  /// The first answer is not given before there is something to say.
  private var isHolding: Bool { held != nil && order.held != PollOrder.start }

  private var silentAt: NIODeadline {
    heardAt + Self.time(isPolled ? limits.silenceSeconds : limits.firstPollSeconds)
  }

  private func timePassed() {
    timer = nil
    let now = eventLoop.now
    if now >= silentAt { return lose() }
    if isHolding, now >= heldAt + Self.time(limits.holdSeconds) { answerHeld() }
    wind()
  }

  private static func time(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}

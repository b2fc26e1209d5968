import Engine
import JSONTree
import NIOCore
import Rules
import Transport

/// One event stream: a listen whose value and changes are told as server-sent events until one side ends it.
final class RESTStream {
  private let read: RESTOperation.Read
  private let form: TextForm
  private let exchange: Exchange
  private let services: RESTServices
  /// When the credential ends, in milliseconds.
  private var expiry: Int64?
  private var session: (client: Client, database: Database)?
  /// The value, until the answer says that the stream may begin.
  private var initial = Node.null
  private var stream: EventStream?
  /// The peer has fallen behind: changes are left out until it is told the whole value again.
  private var isConflating = false
  private var hasLeftOut = false
  /// What comes while a large value is made into text.
  private var backlog = Backlog<Told>()
  private var alarm: NIOScheduledCallback?

  private static let listen: ListenID = 1

  private enum Told {
    case frames(ByteBuffer)
    case event(ListenEvent)
  }

  init(_ read: RESTOperation.Read, exchange: Exchange, services: RESTServices) {
    self.read = read
    form = if case .form(let form) = read.style { form } else { .value }
    self.exchange = exchange
    self.services = services
  }

  func start(in database: Database, as caller: Caller) {
    expiry = caller.expiresAtSeconds.map { seconds in
      let (milliseconds, isTooFar) = seconds.multipliedReportingOverflow(by: 1000)
      return isTooFar ? (seconds < 0 ? 0 : .max) : milliseconds
    }
    let client = Client(eventLoop: exchange.eventLoop, receiver: self, dialect: EventText())
    session = (client, database)
    exchange.onClose = { self.end() }
    let request = ListenRequest(
      path: read.path, query: read.query, form: EventText.form(at: read.path, form), listen: Self.listen)
    database.enter { database in
      database.attach(client, caller: caller)
      database.listen(request, tag: 0, client: client)
    }
  }

  /// The listen stands: from here on events are sent.
  private func begin() {
    guard let stream = exchange.startEventStream(headers: RESTAnswer.eventStream) else { return end() }
    self.stream = stream
    stream.onClose = { self.end() }
    stream.onFallingBehind = { self.isConflating = true }
    stream.onCatchingUp = {
      guard self.hasLeftOut, let (client, database) = self.session else {
        self.isConflating = false
        return
      }
      database.enter { $0.refresh(client) }
    }
    let value = initial
    initial = .null
    tell([value])
    setAlarm()
  }

  private func refuse(_ error: RESTError) {
    RESTAnswer(error).send(to: exchange, for: nil)
    end()
  }

  /// Tells whole values; large ones are made into text beside the loop, and what comes meanwhile waits.
  private func tell(_ values: [Node]) {
    let form = form
    if values.allSatisfy({ $0.estimatedBytes(upTo: LongWork.shortBytes) != nil }) {
      for value in values { stream?.send(frames: EventText.initial(value, form)) }
      return
    }
    backlog.open()
    let this = NIOLoopBound(self, eventLoop: exchange.eventLoop)
    services.longWork.run(for: exchange.eventLoop) {
      values.map { EventText.initial($0, form) }
    } then: { texts in
      this.value.made(texts)
    }
  }

  private func made(_ texts: [ByteBuffer]) {
    for text in texts { stream?.send(frames: text) }
    for told in backlog.close() {
      switch told {
      case .frames(let frames): receive(frames: frames)
      case .event(let event): receive(event)
      }
    }
    stream?.flush()
  }

  /// The listen was refused, or the stream is over: nothing is left of it.
  private func end(_ last: ByteBuffer? = nil) {
    alarm?.cancel()
    alarm = nil
    if let stream {
      self.stream = nil
      if let last { stream.send(frames: last) }
      stream.close()
    }
    if let (client, database) = session {
      session = nil
      client.disconnect()
      database.enter { $0.detach(client) }
    }
  }

  // MARK: Time

  private func setAlarm() {
    var delay = services.keepAlive
    if let expiry {
      let left = max(expiry, 0) - max(services.clock.nowMilliseconds(), 0)
      if left < delay.nanoseconds / 1_000_000 { delay = .milliseconds(max(left, 0)) }
    }
    alarm = try? exchange.eventLoop.assumeIsolated().scheduleCallback(in: delay, handler: self)
  }
}

extension RESTStream: NIOScheduledCallbackHandler {
  func handleScheduledCallback(eventLoop: some EventLoop) {
    guard let stream else { return }
    if let expiry, services.clock.nowMilliseconds() >= expiry { return end(EventText.credentialRevoked) }
    stream.send(frames: EventText.keepAlive)
    stream.flush()
    setAlarm()
  }
}

extension RESTStream: Receiver {
  func receive(frames: ByteBuffer) {
    if backlog.isOpen { return wait(.frames(frames), bytes: frames.readableBytes) }
    if frames.readableBytes == 0 { return }
    if isConflating { hasLeftOut = true } else { stream?.send(frames: frames) }
  }

  private func wait(_ told: Told, bytes: Int) {
    backlog.append(told, bytes: bytes)
    if backlog.bytes > services.backlogBytes { end() }
  }

  func receive(_ event: ListenEvent) {
    if backlog.isOpen { return wait(.event(event), bytes: 0) }
    switch event {
    case .initial(_, let node): initial = node
    case .revoked(_, let error):
      switch error.reason {
      case .closed: end()
      case .tooBig: end(EventText.cancel(RESTText.readTooBig))
      default: end(EventText.cancel(nil))
      }
    case .refreshed(let values):
      isConflating = false
      hasLeftOut = false
      tell(values.map(\.value))
    case .dismissed:
      if stream == nil { return refuse(RESTError(401, RESTText.tokenInvalid)) }
      end(EventText.credentialRevoked)
    case .change: break
    }
  }

  func receive(_ answer: Answer) {
    switch answer.outcome {
    case .listening(noIndex: false): begin()
    case .listening(noIndex: true):
      let index = read.query.index.declaredName ?? ""
      refuse(.bad(RESTText.indexMissing(index, path: read.path.text)))
    case .failed(let error): refuse(RESTError(error, isRead: true))
    default: end()
    }
  }

  func flush() {
    stream?.flush()
  }
}

import Engine
package import NIOCore
import Rules
package import Transport

/// One Firebase client's connection: it carries out what the session decides.
///
/// Everything runs on the link's loop. The requests that one read of the socket brings enter the database
/// together, and the answers and pushes of one turn of the database leave together.
package final class FirebaseConnection: MessageHandler {
  // What a push touches comes first, close together.
  var link: (any MessageLink)?
  var conflation = Conflation()
  var backlog = Backlog<Told>()
  var actions = SessionActions()
  /// The session began with long polling and goes on over a WebSocket: its pushes have still to be framed.
  var hasMoved = false
  let services: FirebaseServices
  private let manners: SessionManners
  /// What the client asked for; nil once that is settled.
  private var handshake: Handshake?
  private var assembler = FrameAssembler()
  /// What has come after a long message that is still being read.
  var unread = Backlog<FrameAssembler.Step>()
  var session: FirebaseSession?
  /// Set together, once the database is open.
  var database: Database?
  var client: Client?
  private var expiry: Scheduled<Void>?

  package init(services: FirebaseServices, head: RequestHead, manners: SessionManners = .firebase) {
    self.services = services
    self.manners = manners
    handshake = Handshake(head, naming: services.naming)
  }

  // MARK: The link

  package func opened(link: any MessageLink) {
    self.link = link
    guard let handshake else { return }
    session = FirebaseSession(
      limits: services.limits, manners: manners, explainsDenials: services.explainsDenials,
      carrier: link.carrier)
    let bound = NIOLoopBound(self, eventLoop: link.eventLoop)
    services.databases.database(named: handshake.database, on: link.eventLoop) { result in
      bound.value.found(result)
    }
  }

  package func received(_ message: ByteBuffer, isText: Bool) {
    guard isText, session != nil else { return }
    receive(assembler.receive(message, limits: services.limits))
  }

  package func receivedAll() {
    guard !actions.isEmpty else { return }
    carryOut()
    send()
  }

  /// The client sends nothing more by polls: what comes next, both ways, comes by the WebSocket that it has
  /// opened.
  func leavePolling() {
    guard let polled = link as? PollLink else { return }
    appendMessages(to: polled)
    guard let socket = polled.handOver() else {
      return polled.close(code: CloseCode.protocolError, reason: "")
    }
    hasMoved = true
    link = socket
    socket.move()
  }

  package func closed() {
    link = nil
    expiry?.cancel()
    expiry = nil
    session?.closed()
    actions = SessionActions()
    _ = backlog.close()
    _ = unread.close()
    guard let database, let client else { return }
    self.database = nil
    self.client = nil
    client.disconnect()
    database.enter { $0.detach(client) }
  }

  // MARK: The database

  private func found(_ result: Result<Database, DirectoryError>) {
    guard let link, let handshake else { return }
    self.handshake = nil
    switch result {
    case .success(let database): attach(to: database, on: link, handshake)
    case .failure(.unknown): refuse(manners.unknownDatabase, link)
    case .failure(.disabled(let reason)): refuse(reason, link)
    case .failure(.failed):
      session?.closed()
      link.close(code: CloseCode.tryAgainLater, reason: FirebaseText.databaseUnavailable)
    }
  }

  private func attach(to database: Database, on link: any MessageLink, _ handshake: Handshake) {
    let client = Client(
      eventLoop: link.eventLoop, receiver: self, dialect: FirebaseDialect(framing: link.framing))
    let sessionID = services.newSession()
    (link as? PollLink)?.named(sessionID)
    let lastSession = handshake.lastSession
    self.database = database
    self.client = client
    database.enter { database in
      if let lastSession { database.endSession(lastSession) }
      database.attach(client, caller: .anonymous, sessionID: sessionID)
    }
    actions.messages.hello(
      version: manners.version, nowMilliseconds: services.clock.nowMilliseconds(), host: handshake.host,
      sessionID: sessionID, instance: handshake.isExtended ? services.instance : nil)
    session?.opened(into: &actions)
    carryOut()
    send()
  }

  /// Tells the client to stop for good.
  private func refuse(_ reason: String, _ link: any MessageLink) {
    session?.closed()
    actions = SessionActions()
    actions.messages.shutdown(reason)
    send()
    link.close(code: CloseCode.normal, reason: "")
  }

  // MARK: What the session decides

  func carryOut() {
    takeSteps()
    guard !actions.commands.isEmpty, let database, let client else { return }
    let commands = actions.commands
    actions.commands = []
    if commands.count == 1 {
      let command = commands[0]
      return database.enter { command.run(in: $0, for: client) }
    }
    database.enter { database in
      for command in commands { command.run(in: database, for: client) }
    }
  }

  private func takeSteps() {
    while !actions.steps.isEmpty {
      let steps = actions.steps
      actions.steps = []
      for step in steps { take(step) }
    }
  }

  private func take(_ step: SessionActions.Step) {
    switch step {
    case .authenticate(let credential):
      guard let database else { return }
      let now = services.clock.nowMilliseconds() / 1000
      authenticate(credential, database: database.id, nowSeconds: now)
    case .expire(let second):
      expiry?.cancel()
      expiry = nil
      if let second { awaitExpiry(second) }
    case .close(let code, let reason):
      send()
      link?.close(code: code, reason: reason)
    }
  }

  private func authenticate(_ credential: String, database: DatabaseID, nowSeconds: Int64) {
    guard let link else { return }
    let (loop, bound) = (link.eventLoop, NIOLoopBound(self, eventLoop: link.eventLoop))
    let result = services.authenticator.authenticate(
      credential, database: database, nowSeconds: nowSeconds
    ) { result in
      loop.execute {
        bound.value.session?.authenticated(result, into: &bound.value.actions)
        bound.value.carryOut()
        bound.value.send()
      }
    }
    if let result { session?.authenticated(result, into: &actions) }
  }

  private func awaitExpiry(_ second: Int64) {
    guard let link else { return }
    let now = services.clock.nowMilliseconds() / 1000
    let left = second.subtractingReportingOverflow(now)
    let seconds = left.overflow ? 0 : min(max(left.partialValue, 0), services.limits.expiryCheckSeconds)
    let bound = NIOLoopBound(self, eventLoop: link.eventLoop)
    expiry = link.eventLoop.scheduleTask(in: .seconds(seconds)) { bound.value.checkExpiry(second) }
  }

  private func checkExpiry(_ second: Int64) {
    guard services.clock.nowMilliseconds() / 1000 >= second else { return awaitExpiry(second) }
    session?.expired(into: &actions)
    carryOut()
    send()
  }

  // MARK: Sending

  func send() {
    guard let link else { return }
    appendMessages(to: link)
    link.flush()
  }

  func appendMessages(to link: any MessageLink) {
    if actions.messages.isEmpty { return }
    let messages = actions.messages
    actions.messages = MessageList()
    link.append(frames: messages.frames(carrier: link.carrier, framing: link.framing))
  }
}

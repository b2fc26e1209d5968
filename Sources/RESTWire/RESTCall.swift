import Engine
import JSONTree
import NIOCore
import Rules
import Transport

/// One request being answered: finds out who asks, finds the database, runs the operation and tells the
/// outcome.
final class RESTCall {
  /// What comes back from the database.
  enum Reply: Sendable {
    case outcome(Outcome)
    case json(String)
    case refused(RESTError)
  }

  private let operation: RESTOperation
  private let request: RESTRequest
  private let exchange: Exchange
  private let site: RESTSite
  /// Values that are too large are not shown; operators are shown everything, for exports.
  private var isBounded = true
  private var timer: Scheduled<Void>?
  /// Set while the engine knows this call as a client.
  private var session: (client: Client, database: Database)?

  private var services: RESTServices { _read { yield site.services } }

  init(_ operation: RESTOperation, _ request: RESTRequest, exchange: Exchange, site: RESTSite) {
    self.operation = operation
    self.request = request
    self.exchange = exchange
    self.site = site
  }

  func start() {
    guard let id = try? DatabaseID(request.database) else { return refuse(.unknownDatabase) }
    guard let credential = request.credential else { return start(id, .success(nil)) }
    let this = NIOLoopBound(self, eventLoop: exchange.eventLoop)
    let now = services.clock.nowMilliseconds() / 1000
    let known = services.authenticator.authenticate(credential, database: id, nowSeconds: now) { result in
      this.eventLoop.execute { this.value.start(id, result.map { $0 }) }
    }
    if let known { start(id, known.map { $0 }) }
  }

  private func start(_ id: DatabaseID, _ authentication: Result<Authentication?, AuthenticationError>) {
    let caller: Caller
    do throws(RESTError) {
      caller = try self.caller(by: authentication)
    } catch {
      return refuse(error)
    }
    if operation.needsAdmin, !caller.isAdmin { return refuse(.denied) }
    if case .listDatabases = operation, caller.isConfined { return refuse(.denied) }
    startTimer()
    let this = NIOLoopBound(self, eventLoop: exchange.eventLoop)
    if case .listDatabases = operation {
      return services.lister.databaseNames(on: exchange.eventLoop) { names in
        switch names {
        case .success(let names): this.value.finish(.json(Self.list(names)))
        case .failure(let error): this.value.refuse(RESTError(error, database: id))
        }
      }
    }
    services.directory.database(named: id.name, on: exchange.eventLoop) { result in
      switch result {
      case .success(let database): this.value.run(in: database, as: caller)
      case .failure(let error): this.value.refuse(RESTError(error, database: id))
      }
    }
  }

  // MARK: Who asks

  private func caller(
    by result: Result<Authentication?, AuthenticationError>
  ) throws(RESTError) -> Caller {
    let caller: Caller
    switch result {
    case .success(let authentication): caller = authentication?.caller ?? .anonymous
    case .failure(let error): throw RESTError(error)
    }
    guard let override = request.parameters[.authOverride] else { return caller }
    guard let auth = Self.auth(override) else { throw .bad(RESTText.overrideInvalid) }
    guard caller.isAdmin else { throw RESTError(401, RESTText.overrideNeedsAdmin) }
    var actor = Caller(auth: auth, expiresAtSeconds: caller.expiresAtSeconds)
    actor.grounds = caller.grounds
    actor.isOperator = true
    return actor
  }

  /// The rules variable that a client wrote down: an object, whose keys are free, or null.
  private static func auth(_ text: String) -> Node? {
    var text = text
    return text.withUTF8 { bytes in
      var reader = JSONReader(UnsafeRawBufferPointer(bytes))
      if let isNull = try? reader.readNull(), isNull { return (try? reader.expectEnd()).map { .null } }
      guard reader.next == .object, let auth = try? reader.readFreeValue() else { return nil }
      return (try? reader.expectEnd()).map { auth }
    }
  }

  // MARK: Running

  private func run(in database: Database, as caller: Caller) {
    isBounded = !caller.isAdmin
    switch operation {
    case .stream(let read):
      stopTimer()
      RESTStream(read, exchange: exchange, services: services).start(in: database, as: caller)
    case .read(let read):
      if case .goOn(let name, let byte) = request.snapshot {
        return goOn(name, byte, read, in: database, isAdmin: caller.isAdmin)
      }
      look(in: database) { database in
        if database.waitsForIndex(read.query, at: read.path) { return nil }
        return switch database.read(read.path, query: read.query, as: caller) {
        case .success(let node): .outcome(.value(node))
        case .failure(let error): .outcome(.failed(error))
        }
      } otherwise: { call in
        call.ask(database, as: caller) { $0.get(read.path, query: read.query, tag: 0, client: $1) }
      }
    case .write(let write, _): self.write(write, in: database, as: caller)
    case .writeRules(let text): ask(database, as: caller) { $0.installRules(text, tag: 0, client: $1) }
    case .checkRules(let text): finish(Self.check(text))
    case .readRules(let isStrict):
      look(in: database) { .json(isStrict ? $0.rules.strictText : $0.rules.text) }
    case .readSetting(let setting): look(in: database) { .json(setting.text($0.setting(setting.key))) }
    case .writeSetting(let setting, let value):
      ask(database, as: caller) { $0.install(value, as: setting.key, tag: 0, client: $1) }
    case .listDatabases: preconditionFailure("databases are listed without one")
    }
  }

  /// Sends the rest of an export that broke off.
  private func goOn(
    _ name: String, _ byte: Int, _ read: RESTOperation.Read, in database: Database, isAdmin: Bool
  ) {
    guard isAdmin else { return refuse(.denied) }
    guard let kept = site.snapshots.kept(name, nowMilliseconds: services.clock.nowMilliseconds()),
      kept.database == database.id, kept.read == read
    else { return refuse(RESTError(410, RESTText.snapshotGone)) }
    stopTimer()
    var answer = RESTAnswer(.value(kept.node, read.style))
    answer.skippedBytes = byte
    answer.snapshot = keep(kept, as: name)
    answer.send(to: exchange, for: request)
  }

  /// Keeps what is being exported, also for some time after the peer has gone.
  private func keep(_ kept: Snapshots.Kept, as old: String? = nil) -> String {
    let (snapshots, clock, loop) = (site.snapshots, services.clock, exchange.eventLoop)
    let now = clock.nowMilliseconds()
    let name =
      old.map { snapshots.keep(kept, as: $0, nowMilliseconds: now) }
      ?? snapshots.keep(kept, nowMilliseconds: now)
    let purge = { @Sendable in
      _ = loop.scheduleTask(in: .milliseconds(Snapshots.milliseconds)) {
        snapshots.purge(nowMilliseconds: clock.nowMilliseconds())
      }
    }
    purge()
    exchange.onClose = {
      _ = snapshots.keep(kept, as: name, nowMilliseconds: clock.nowMilliseconds())
      purge()
    }
    return name
  }

  private func write(_ write: WriteRequest, in database: Database, as caller: Caller) {
    let hasOwnLimit = request.parameters[.writeSizeLimit] != nil
    ask(database, as: caller) {
      var write = write
      if !hasOwnLimit { write.sizeLimitBytes = WriteSizeLimit.standard(of: $0)?.bytes }
      $0.write(write, tag: 0, client: $1)
    }
  }

  /// Lets a client of this call's own put one question, to which there will be one answer.
  private func ask(
    _ database: Database, as caller: Caller,
    _ question: @escaping @Sendable (isolated Database, Client) -> Void
  ) {
    let client = Client(eventLoop: exchange.eventLoop, receiver: self, dialect: EventText())
    session = (client, database)
    database.enter { database in
      database.attach(client, caller: caller)
      question(database, client)
    }
  }

  /// Looks something up in the database; does what is left to `otherwise` when that gives nothing.
  private func look(
    in database: Database, _ look: @escaping @Sendable (isolated Database) -> Reply?,
    otherwise: @escaping @Sendable (RESTCall) -> Void = { _ in }
  ) {
    let loop = exchange.eventLoop
    if database.eventLoop === loop {
      if let reply = database.assumeIsolated({ look($0) }) { finish(reply) } else { otherwise(self) }
      return
    }
    let this = NIOLoopBound(self, eventLoop: loop)
    database.enter { database in
      let reply = look(database)
      loop.execute {
        if let reply { this.value.finish(reply) } else { otherwise(this.value) }
      }
    }
  }

  private static func list(_ names: [String]) -> String {
    "[" + names.sorted().map { #"{"name":"\#($0)"}"# }.joined(separator: ",") + "]"
  }

  private static func check(_ rules: String) -> Reply {
    do throws(RulesErrors) {
      _ = try RuleSet(text: rules)
      return .outcome(.done)
    } catch {
      return .refused(.bad(error.text))
    }
  }

  private func startTimer() {
    guard let timeout = request.timeout else { return }
    timer = exchange.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      RESTAnswer(RESTError(503, RESTText.timedOut)).send(to: self.exchange, for: self.request)
    }
  }

  private func stopTimer() {
    timer?.cancel()
    timer = nil
  }

  // MARK: Telling

  private func refuse(_ error: RESTError) {
    finish(.refused(error))
  }

  private func finish(_ reply: Reply) {
    if let (client, database) = session {
      session = nil
      client.disconnect()
      database.enter { $0.detach(client) }
    }
    if case .outcome(.value(let node)) = reply, case .read(let read) = operation { return finish(node, read) }
    stopTimer()
    if case .outcome(.done) = reply { tellOfSettings() }
    answer(to: reply).send(to: exchange, for: request)
  }

  private func finish(_ node: Node, _ read: RESTOperation.Read) {
    let reading = RESTReading(
      style: read.style, limitBytes: isBounded ? services.readLimitBytes : .max, wantsETag: request.wantsETag,
      ifNoneMatch: request.ifNoneMatch)
    let this = NIOLoopBound(self, eventLoop: exchange.eventLoop)
    reading.answer(node, exchange, services.longWork) { answer in
      var answer = answer
      let call = this.value
      call.stopTimer()
      if call.request.snapshot == .keep, !call.isBounded, answer.status == 200,
        let id = try? DatabaseID(call.request.database)
      {
        answer.snapshot = call.keep(Snapshots.Kept(database: id, read: read, node: node))
      }
      answer.send(to: call.exchange, for: call.request)
    }
  }

  private func tellOfSettings() {
    guard let told = services.settingsChanged, let id = try? DatabaseID(request.database) else { return }
    switch operation {
    case .writeRules: told(id, "rules", exchange.head.remoteAddress)
    case .writeSetting(let setting, _): told(id, "\(setting)", exchange.head.remoteAddress)
    default: break
    }
  }

  private func answer(to reply: Reply) -> RESTAnswer {
    switch reply {
    case .json(let text): RESTAnswer(.json(Array(text.utf8)))
    case .refused(let error): RESTAnswer(error)
    case .outcome(.value(let node)): RESTAnswer(.value(node, .form(form)))
    case .outcome(.written(let entries)): written(entries ?? [])
    case .outcome(.done), .outcome(.listening): RESTAnswer(.json(Array(#"{"status":"ok"}"#.utf8)))
    case .outcome(.stale(let current)):
      RESTAnswer(status: 412, .value(current, .form(.value)), etag: ETag.of(current))
    case .outcome(.failed(let error)): RESTAnswer(RESTError(error, isRead: isRead))
    }
  }

  private var isRead: Bool {
    if case .read = operation { true } else { false }
  }

  private func written(_ entries: [MergeEntry]) -> RESTAnswer {
    guard case .write(_, let echo) = operation else { return RESTAnswer(.none) }
    var etag: String?
    if request.wantsETag { etag = ETag.of(entries.first?.value ?? .null) }
    switch echo {
    case .value: return RESTAnswer(.value(entries.first?.value ?? .null, .form(form)), etag: etag)
    case .null: return RESTAnswer(.value(.null, .form(.value)), etag: etag)
    case .name(let key): return RESTAnswer(.json(Array(#"{"name":"\#(key.text)"}"#.utf8)), etag: etag)
    case .update(let path):
      var text = [UInt8(ascii: "{")]
      for entry in entries {
        if text.count > 1 { text.append(UInt8(ascii: ",")) }
        JSONText.appendString(entry.path.relative(to: path).text, to: &text)
        text.append(UInt8(ascii: ":"))
        entry.value.write(form, into: &text)
      }
      text.append(UInt8(ascii: "}"))
      return RESTAnswer(.json(text))
    }
  }

  private var form: TextForm {
    request.parameters[.format] == "export" ? .export : .value
  }
}

extension RESTCall: Receiver {
  func receive(frames: ByteBuffer) {}

  func receive(_ event: ListenEvent) {}

  func receive(_ answer: Answer) {
    finish(.outcome(answer.outcome))
  }

  func flush() {}
}

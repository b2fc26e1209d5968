import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import RESTWire
import Rules
import Synchronization
import TestSupport
import Transport

/// A REST interface over databases in memory, on a loop whose time a test moves.
struct Site {
  let loop: NIOAsyncTestingEventLoop
  let handler: RESTHandler
  let clock: ManualClock
  let log: FaultyLog
  let database: Database
  let directory: TestDirectory

  /// `rules` is the text of the rules, open if nil; `data` what is there, in export form.
  init(
    rules: String? = nil, data: String = "null", on databaseLoop: (any EventLoop)? = nil,
    readLimitBytes: Int = .max,
    log: FaultyLog = FaultyLog(), longWork: LongWork = .atOnce, indexing: LongWork = .atOnce
  ) async throws {
    loop = NIOAsyncTestingEventLoop()
    clock = ManualClock()
    self.log = log
    var options = DatabaseOptions()
    options.longWork = indexing
    options.indexBuildChildren = 100
    options.defaultRules = try rules.map { text throws(RulesErrors) in try RuleSet(text: text) } ?? .open
    database = try await Database.open(
      DatabaseID("default"), on: databaseLoop ?? loop, log: log, checkpoints: MemoryCheckpoints(),
      options: options,
      clock: clock)
    directory = TestDirectory(database: database)
    var services = RESTServices(
      directory: directory, authenticator: TestAuthenticator(), lister: TestLister(),
      clock: clock)
    services.keepAlive = .seconds(30)
    services.readLimitBytes = readLimitBytes
    services.longWork = longWork
    handler = RESTHandler(services)
    if data != "null" {
      let put = await send("PUT", "/.json?auth=owner", body: data)
      precondition(put.status == 200, "the data was refused: \(put.body)")
    }
  }

  /// Sends a request and gives what came back before time passed.
  func send(
    _ method: String, _ target: String, _ headers: [(String, String)] = [], body: String = ""
  ) async -> RecordingSink.Recorded {
    await open(method, target, headers, body: body).recorded()
  }

  /// Sends a request whose answer is still being made, or a stream.
  func open(
    _ method: String, _ target: String, _ headers: [(String, String)] = [], body: String = "",
    room: Int = .max
  ) async -> OpenExchange {
    let head = RequestHead(method: method, target: target, headers: headers)
    let handler = handler
    let loop = loop
    let pair = await run { () -> NIOLoopBound<(Exchange, RecordingSink)> in
      let sink = RecordingSink(eventLoop: loop)
      sink.room = room
      let exchange = Exchange(head: head, body: ByteBuffer(string: body), eventLoop: loop, sink: sink)
      handler.respond(to: exchange)
      return NIOLoopBound((exchange, sink), eventLoop: loop)
    }
    await loop.advanceTime(by: .milliseconds(10))
    return OpenExchange(pair: pair, loop: loop)
  }

  /// Lets time pass, on the clock and on the loop.
  func pass(seconds: Int64) async {
    clock.advance(milliseconds: seconds * 1000)
    await loop.advanceTime(by: .seconds(seconds))
  }

  func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
    do {
      return try await loop.executeInContext(body)
    } catch {
      preconditionFailure("the loop is shut down")
    }
  }

  /// What the database holds.
  func data() async -> String {
    await send("GET", "/.json?format=export&auth=owner").body
  }

  func close() async {
    await loop.shutdownGracefully()
  }
}

/// An exchange that a test can look at again.
struct OpenExchange: Sendable {
  let pair: NIOLoopBound<(Exchange, RecordingSink)>
  let loop: NIOAsyncTestingEventLoop

  func recorded() async -> RecordingSink.Recorded {
    await look { $1.recorded }
  }

  /// The text that was sent since the last time.
  func take() async -> String {
    await loop.advanceTime(by: .milliseconds(10))
    return await look { $1.takeBody() }
  }

  func look<R: Sendable>(_ body: @escaping @Sendable (Exchange, RecordingSink) -> R) async -> R {
    let pair = pair
    do {
      return try await loop.executeInContext { body(pair.value.0, pair.value.1) }
    } catch {
      preconditionFailure("the loop is shut down")
    }
  }
}

/// Knows `default`, `slow` (which is `default`, once it is told to answer), `disabled` and `broken`.
final class TestDirectory: DatabaseDirectory {
  private let database: Database
  private let held = Mutex<[@Sendable (Result<Database, DirectoryError>) -> Void]>([])

  init(database: Database) {
    self.database = database
  }

  func database(
    named name: String, on eventLoop: any EventLoop,
    completion: @escaping @Sendable (Result<Database, DirectoryError>) -> Void
  ) {
    switch name {
    case "default": completion(.success(database))
    case "slow": held.withLock { $0.append(completion) }
    case "disabled": completion(.failure(.disabled("out of order")))
    case "broken": completion(.failure(.failed("no such file")))
    default: completion(.failure(.unknown))
    }
  }

  /// Gives the slow database. On the loop.
  func answer() {
    let completions = held.withLock { held in
      defer { held = [] }
      return held
    }
    for completion in completions { completion(.success(database)) }
  }
}

/// Knows `owner`, `user:NAME`, `until:SECONDS` and `expired`.
struct TestAuthenticator: Authenticator {
  func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64
  ) -> Result<Authentication, AuthenticationError> {
    let parts = credential.split(separator: ":")
    switch parts.first {
    case "owner": return .success(Authentication(caller: .admin, payload: .null))
    case "user":
      let auth = Node(children: [(ChildKey(unchecked: "uid"), Node(String(parts[1])))])
      return .success(Authentication(caller: Caller(auth: auth), payload: auth))
    case "until":
      let caller = Caller(auth: Node(true), expiresAtSeconds: Int64(parts[1]))
      return .success(Authentication(caller: caller, payload: .null))
    case "expired": return .failure(AuthenticationError(.expired, "expired"))
    default: return .failure(AuthenticationError(.invalid, "invalid"))
    }
  }
}

struct TestLister: DatabaseLister {
  func databaseNames(
    on eventLoop: any EventLoop, completion: @escaping @Sendable (Result<[String], DirectoryError>) -> Void
  ) {
    completion(.success(["other", "default"]))
  }
}

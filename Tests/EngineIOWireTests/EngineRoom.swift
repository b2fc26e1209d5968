import Engine
import EngineIOWire
import FirebaseWire
import NIOCore
import NIOPosix
import Rules
import Synchronization
import TestSupport
import Testing
import Transport

/// A server on loopback whose database is in memory and whose clock is moved by hand. Its sockets are real.
struct EngineRoom: Sendable {
  let port: Int
  let clock: ManualClock
  let database: Database
  let services: EngineIOServices
  let firebase: FirebaseServices
  private let listener: Listener

  /// Runs a test against a room, and ends it afterwards.
  static func run(
    rules: String? = nil, limits: EngineIOLimits = EngineIOLimits(), explainsDenials: Bool = false,
    _ body: (EngineRoom) async throws -> Void
  ) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let room = try await EngineRoom(rules, limits, explainsDenials, group)
    do {
      try await body(room)
    } catch {
      await room.stop()
      try await group.shutdownGracefully()
      throw error
    }
    await room.stop()
    try await group.shutdownGracefully()
  }

  private init(
    _ rules: String?, _ limits: EngineIOLimits, _ explainsDenials: Bool, _ group: any EventLoopGroup
  ) async throws {
    let sessions = Mutex(0)
    let clock = ManualClock(1_700_000_000_123)
    self.clock = clock
    var options = DatabaseOptions()
    options.explainsDenials = explainsDenials
    options.defaultRules = try rules.map { try RuleSet(text: $0) } ?? .open
    database = try await Database.open(
      DatabaseID("default"), on: group.next(), log: MemoryLog(), checkpoints: MemoryCheckpoints(),
      options: options, clock: clock)
    let directory = TestDirectory()
    directory.set("default", .success(database))
    let firebase = FirebaseServices(
      databases: directory, authenticator: TestAuthenticator(), clock: clock,
      explainsDenials: explainsDenials,
      newSession: {
        sessions.withLock { count in
          count += 1
          return "session" + String(repeating: "0", count: 25 - "\(count)".count) + "\(count)"
        }
      })
    self.firebase = firebase
    services = EngineIOServices(limits: limits, accept: { firebase.wilddogHandler(for: $0) })
    let router = EngineRouter(services: services, firebase: firebase)
    listener = try await Listener.start(
      on: .tcp(host: "127.0.0.1", port: 0), group: group, router: router)
    port = try #require(listener.boundPort)
  }

  private func stop() async {
    await services.stop()
    await firebase.polling.stop()
    await listener.shutdown(graceSeconds: 1)
    await withCheckedContinuation { done in
      database.enter { $0.close { done.resume() } }
    }
  }

  /// What the database has done so far.
  func counters() async throws -> Counters {
    let database = database
    return try await database.eventLoop.submit { database.assumeIsolated { $0.counters } }.get()
  }

  /// Installs rules, as the operator.
  func install(_ rules: String) async throws {
    let loop = database.eventLoop
    let database = database
    try await loop.submit {
      let client = TestClient(on: loop).client
      database.enter { database in
        database.attach(client, caller: .admin)
        database.installRules(rules, tag: 1, client: client)
      }
    }.get()
  }
}

/// Engine.IO everywhere, and Firebase's protocol where its clients look for it.
private struct EngineRouter: Router {
  let services: EngineIOServices
  let firebase: FirebaseServices

  func respond(to exchange: Exchange) { services.respond(to: exchange) }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    guard EngineIOServices.isMeant(by: head) else { return .accept(firebase.webSocketHandler(for: head)) }
    return services.acceptWebSocket(head, on: eventLoop)
  }

  func bodyLimitBytes(for head: RequestHead) -> Int { services.limits.payloadBytes }
}

import Engine
import FirebaseWire
import JSONTree
import NIOCore
import NIOEmbedded
import Rules
import Synchronization
import TestSupport
import Transport

/// Connections to databases in memory, on loops that run only when told to.
final class FirebaseRoom: Sendable {
  /// The databases' loop.
  let loop = NIOAsyncTestingEventLoop()
  /// A loop of connections that is not the databases'.
  let otherLoop = NIOAsyncTestingEventLoop()
  let clock = ManualClock(1_700_000_000_123)
  let log = FaultyLog()
  let directory = TestDirectory()
  let fetching = FetchedAnswers()
  let services: FirebaseServices

  init(
    rules: String? = nil, limits: FirebaseLimits = .standard, pollLimits: PollLimits = PollLimits(),
    explainsDenials: Bool = false, longWork: LongWork = .atOnce
  ) async throws {
    let sessions = Mutex(0)
    services = FirebaseServices(
      databases: directory, authenticator: TestAuthenticator(fetching: fetching), clock: clock,
      limits: limits,
      pollLimits: pollLimits, explainsDenials: explainsDenials,
      newSession: {
        sessions.withLock { count in
          count += 1
          return "session" + String(repeating: "0", count: 25 - "\(count)".count) + "\(count)"
        }
      }, instance: "run1", longWork: longWork)
    var options = DatabaseOptions()
    options.defaultRules = try rules.map { try RuleSet(text: $0) } ?? .open
    options.longWork = .atOnce
    let database = try await Database.open(
      DatabaseID("default"), on: loop, log: log, checkpoints: MemoryCheckpoints(), options: options,
      clock: clock)
    directory.set("default", .success(database))
    await settle()
  }

  /// Runs everything that is due.
  func settle() async {
    for _ in 0..<4 {
      await loop.run()
      await otherLoop.run()
    }
  }

  /// A client's connection, opened.
  func connect(
    _ query: String = "v=5&ns=default", host: String = "db.example.com:9000", onOtherLoop: Bool = false
  ) async throws -> TestConnection {
    let head = RequestHead(method: "GET", target: "/.ws?" + query, headers: [("Host", host)])
    let place = onOtherLoop ? otherLoop : loop
    let services = services
    let connection = try await place.executeInContext {
      let link = TestLink(eventLoop: place)
      let handler = services.webSocketHandler(for: head)
      handler.opened(link: link)
      return TestConnection(link: link, handler: NIOLoopBound(handler, eventLoop: place), room: self)
    }
    await settle()
    return connection
  }

  /// Does something in the default database, as an admin.
  func enter(_ work: @escaping @Sendable (isolated Database, Client) -> Void) async throws {
    guard case .success(let database) = directory.get("default") else { return }
    let client = try await loop.executeInContext { TestClient(on: self.loop).client }
    database.enter { database in
      database.attach(client, caller: .admin)
      work(database, client)
    }
    await settle()
    database.enter { $0.detach(client) }
    await settle()
  }
}

/// A client as a recorded session sees it, whatever carries its messages.
protocol ScriptedClient: Sendable {
  /// Sends messages in one burst, and lets all that follows from it happen.
  func send(burst messages: [String]) async throws
  /// Asks for what waits to be asked for.
  func refresh() async throws
  /// The messages that have come since the last call.
  func received() -> [String]
  /// The connection is lost.
  func drop() async throws
}

extension ScriptedClient {
  func refresh() async throws {}
}

/// One client of a room, which a WebSocket carries.
struct TestConnection: ScriptedClient {
  let link: TestLink
  let handler: NIOLoopBound<any MessageHandler>
  let room: FirebaseRoom

  /// Sends frames in one burst, and lets all that follows from it happen.
  func send(_ frames: String...) async throws {
    try await send(burst: frames)
  }

  /// Tells the handler something of its link, and lets all that follows from it happen.
  func tell(_ what: @escaping @Sendable (any MessageHandler) -> Void) async throws {
    try await (link.eventLoop as? NIOAsyncTestingEventLoop)?.executeInContext { what(handler.value) }
    await room.settle()
  }

  func send(burst frames: [String]) async throws { try await send(burst: frames, isText: true) }

  func send(burst frames: [String], isText: Bool) async throws {
    try await (link.eventLoop as? NIOAsyncTestingEventLoop)?.executeInContext {
      for frame in frames { handler.value.received(ByteBuffer(string: frame), isText: isText) }
      handler.value.receivedAll()
    }
    await room.settle()
  }

  /// The messages that have come since the last call.
  func received() -> [String] { ServerFrames.texts(link.take()) }

  /// The connection is lost.
  func drop() async throws {
    try await (link.eventLoop as? NIOAsyncTestingEventLoop)?.executeInContext { handler.value.closed() }
    await room.settle()
  }
}

/// A link that keeps what is sent.
final class TestLink: MessageLink, Sendable {
  struct State {
    var unsent = ByteBuffer()
    var sent = ByteBuffer()
    var flushes = 0
    var closes: [UInt16] = []
  }

  let eventLoop: any EventLoop
  let carrier: UInt8 = 0
  let remoteAddress: String? = "127.0.0.1"
  private let state = Mutex(State())

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func append(frames: ByteBuffer) {
    eventLoop.preconditionInEventLoop()
    state.withLock { _ = $0.unsent.writeImmutableBuffer(frames) }
  }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    WebSocketFraming.append(text: text, to: &frames)
    append(frames: frames)
  }

  func flush() {
    eventLoop.preconditionInEventLoop()
    state.withLock { state in
      guard state.unsent.readableBytes > 0 else { return }
      state.sent.writeBuffer(&state.unsent)
      state.unsent = ByteBuffer()
      state.flushes += 1
    }
  }

  func send(frames: ByteBuffer) {
    append(frames: frames)
    flush()
  }

  func close(code: UInt16, reason: String) {
    flush()
    state.withLock { $0.closes.append(code) }
  }

  /// What was sent since the last call; what was not flushed is not sent.
  func take() -> ByteBuffer {
    state.withLock { state in
      defer { state.sent = ByteBuffer() }
      return state.sent
    }
  }

  var flushes: Int { state.withLock(\.flushes) }
  /// The codes that the connection was closed with.
  var closes: [UInt16] { state.withLock(\.closes) }
}

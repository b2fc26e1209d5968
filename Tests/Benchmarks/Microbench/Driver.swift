import Engine
import JSONTree
import NIOCore
import NIOPosix
import Rules
import TestSupport

/// One database on one loop over a log in memory, and a client on the same loop that keeps it busy.
final class Driver: Sendable {
  let database: Database
  let client: Client
  private let group: MultiThreadedEventLoopGroup
  private let inbox: NIOLoopBound<Inbox>

  init(rules: RuleSet = .open) async throws {
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let eventLoop = group.next()
    var options = DatabaseOptions()
    options.defaultRules = rules
    options.checkpointEntries = .max
    options.checkpointBytes = .max
    options.listensPerClient = 200_000
    let opened = try await Database.open(
      DatabaseID("bench"), on: eventLoop, log: MemoryLog(), checkpoints: MemoryCheckpoints(),
      options: options, clock: SystemClock())
    database = opened
    (client, inbox) = try await eventLoop.submit {
      let inbox = Inbox()
      let client = Client(eventLoop: eventLoop, receiver: inbox, dialect: TestDialect())
      opened.enter { $0.attach(client, caller: .anonymous, sessionID: "bench") }
      return (client, NIOLoopBound(inbox, eventLoop: eventLoop))
    }.get()
  }

  func stop() async throws {
    try await group.shutdownGracefully()
  }

  /// Sends one request and waits for its answer.
  func ask(_ request: @escaping @Sendable (isolated Database, Client) -> Void) async throws {
    let database = self.database, client = self.client, inbox = self.inbox
    try await database.eventLoop.flatSubmit {
      let promise = database.eventLoop.makePromise(of: Void.self)
      inbox.value.wait(for: 1, promise)
      database.enter { request($0, client) }
      return promise.futureResult
    }.get()
  }

  /// CPU seconds that one of `count` requests takes, 32 of them under way at once.
  func cost(_ count: Int, _ request: @escaping @Sendable (isolated Database, Client, Int) -> Void)
    async throws -> Double
  {
    let database = self.database, client = self.client, inbox = self.inbox
    let start = Stopwatch.processorSeconds()
    try await database.eventLoop.flatSubmit {
      let promise = database.eventLoop.makePromise(of: Void.self)
      inbox.value.wait(for: count, promise)
      inbox.value.next = { index in
        guard index < count else { return }
        database.enter { request($0, client, index) }
      }
      for _ in 0..<32 { inbox.value.goOn() }
      return promise.futureResult
    }.get()
    return (Stopwatch.processorSeconds() - start) / Double(count)
  }
}

/// Counts answers and, when asked to, answers each with the next request.
final class Inbox: Receiver {
  var next: ((Int) -> Void)?
  private var sent = 0
  private var left = 0
  private var promise: EventLoopPromise<Void>?

  func wait(for count: Int, _ promise: EventLoopPromise<Void>) {
    left = count
    sent = 0
    next = nil
    self.promise = promise
  }

  func goOn() {
    sent += 1
    next?(sent - 1)
  }

  func receive(frames: ByteBuffer) {}
  func receive(_ event: ListenEvent) {}
  func flush() {}

  func receive(_ answer: Answer) {
    if case .failed(let error) = answer.outcome { preconditionFailure("refused: \(error)") }
    left -= 1
    if left == 0 { promise?.succeed() }
    if next != nil { goOn() }
  }
}

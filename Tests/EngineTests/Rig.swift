import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import Rules
import TestSupport

/// A database on a loop that runs only when told to, with a second loop for clients.
struct Rig: Sendable {
  let loop: NIOAsyncTestingEventLoop
  let otherLoop: NIOAsyncTestingEventLoop
  let log: FaultyLog
  let checkpoints: MemoryCheckpoints
  let clock: ManualClock
  let options: DatabaseOptions
  let database: Database

  /// A new database; its rules let everybody do everything unless told otherwise.
  static func open(
    rules: String? = nil, log: FaultyLog = FaultyLog(), checkpoints: MemoryCheckpoints = MemoryCheckpoints(),
    clock: ManualClock = ManualClock(), _ adjust: (inout DatabaseOptions) -> Void = { _ in }
  ) async throws -> Rig {
    var options = DatabaseOptions()
    options.defaultRules = try rules.map { try RuleSet(text: $0) } ?? .open
    adjust(&options)
    return try await start(log, checkpoints, clock, options)
  }

  private static func start(
    _ log: FaultyLog, _ checkpoints: MemoryCheckpoints, _ clock: ManualClock, _ options: DatabaseOptions
  ) async throws -> Rig {
    let loop = NIOAsyncTestingEventLoop()
    let id = try DatabaseID("test")
    let database = try await Database.open(
      id, on: loop, log: log, checkpoints: checkpoints, options: options, clock: clock)
    let rig = Rig(
      loop: loop, otherLoop: NIOAsyncTestingEventLoop(), log: log, checkpoints: checkpoints, clock: clock,
      options: options, database: database)
    await rig.settle()
    return rig
  }

  /// Another process on the same log: what the first one had in memory is gone.
  func crashed() async throws -> Rig {
    try await Rig.start(log, checkpoints, clock, options)
  }

  /// Runs everything that is due, on both loops.
  func settle() async {
    for _ in 0..<3 {
      await loop.run()
      await otherLoop.run()
    }
  }

  /// Lets time pass on the database's loop.
  func pass(milliseconds: Int64) async {
    await loop.advanceTime(by: .milliseconds(milliseconds))
    await settle()
  }

  /// As `settle`, for work that goes through background tasks: until something holds.
  func settle(until holds: @Sendable () -> Bool) async throws {
    for _ in 0..<500 {
      await settle()
      if holds() { return }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  /// Works in the database, and lets all that follows from it happen.
  func enter(_ work: @escaping @Sendable (isolated Database) -> Void) async {
    database.enter(work)
    await settle()
  }

  func client(
    _ caller: Caller = .anonymous, session: String = "", onOtherLoop: Bool = false
  ) async throws -> TestClient {
    let place = onOtherLoop ? otherLoop : loop
    let client = try await place.executeInContext { TestClient(on: place) }
    await enter { $0.attach(client.client, caller: caller, sessionID: session) }
    return client
  }

  /// What work in the database finds.
  func read<R: Sendable>(_ body: @escaping @Sendable (isolated Database) -> R) async throws -> R {
    try await loop.executeInContext { database.assumeIsolated { body($0) } }
  }

  /// The whole tree, as an admin reads it.
  func tree() async throws -> String {
    let reader = try await client(.admin)
    await enter { $0.get(.root, tag: 0, client: reader.client) }
    let text = reader.received.take().joined()
    await enter { $0.detach(reader.client) }
    return String(text.dropFirst("answer 0 value ".count))
  }

  /// Puts as an admin, without telling how it went.
  func given(_ path: String, _ value: String) async throws {
    let writer = try await client(.admin)
    let node = try Node.parse(value)
    await enter { $0.write(.put(at(path), node), tag: 0, client: writer.client) }
    await enter { $0.detach(writer.client) }
  }
}

/// A path that a test knows to be legal.
func at(_ text: String) -> Path {
  let keys = text.split(separator: "/").map { ChildKey(unchecked: String($0)) }
  return keys.last?.text == ".priority" ? Path(Array(keys.dropLast())).priority : Path(keys)
}

/// A value that a test knows to be good JSON, server values included.
func value(_ text: String) throws -> UnresolvedValue {
  try UnresolvedValue.parse(utf8: Array(text.utf8))
}

/// A put, from text.
func put(_ path: String, _ text: String, if condition: Condition? = nil) throws -> WriteRequest {
  WriteRequest(.put(at(path), try value(text)), condition: condition)
}

/// An update, from text: each key a path.
func merge(_ path: String, _ text: String) throws -> WriteRequest {
  let bytes = Array(text.utf8)
  let changes = try bytes.withUnsafeBytes { bytes in
    var reader = JSONReader(bytes)
    return try reader.readUpdate()
  }
  return WriteRequest(.merge(at(path), changes))
}

/// The form that most tests use.
let plain = PushForm(dialect: 1)

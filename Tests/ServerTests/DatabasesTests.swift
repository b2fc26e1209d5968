import Engine
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite struct DatabasesTests {
  private let group = MultiThreadedEventLoopGroup.singleton
  private let store = CountingStore()

  private func databases(createsOnUse: Bool = true, failureMemory: TimeAmount = .seconds(1)) -> Databases {
    Databases(
      log: MemoryLog(), checkpoints: store, group: group, options: DatabaseOptions(),
      createsOnUse: createsOnUse, failureMemory: failureMemory, logger: TestServer.quiet)
  }

  private func ask(_ databases: Databases, _ name: String) async -> Result<Database, DirectoryError> {
    let loop = group.next()
    return await withCheckedContinuation { continuation in
      databases.database(named: name, on: loop) { result in
        loop.assertInEventLoop()
        continuation.resume(returning: result)
      }
    }
  }

  private func error(_ result: Result<Database, DirectoryError>) -> DirectoryError? {
    if case .failure(let error) = result { error } else { nil }
  }

  @Test func `all who ask at the same time get the same database, opened once`() async throws {
    let databases = databases()
    let all = await withTaskGroup { tasks in
      for _ in 0..<50 { tasks.addTask { try? await ask(databases, "a").get() } }
      return await tasks.reduce(into: []) { $0.append($1.map { ObjectIdentifier($0) }) }
    }
    #expect(Set(all).count == 1 && all.first != .some(nil))
    #expect(store.loads == 1)
    await databases.closeAll()
  }

  @Test func `names are compared without case, and what can't be a name is unknown`() async throws {
    let databases = databases()
    let lower = try await ask(databases, "abc").get()
    #expect(try await ask(databases, "ABC").get() === lower)
    for name in ["", "a.b", "a/b", "../a", "ä", String(repeating: "a", count: 64), "a\u{0}b", "\u{212A}"] {
      #expect(error(await ask(databases, name)) == .unknown, "\(name)")
    }
    await databases.closeAll()
  }

  @Test func `without creation on use only what exists is found`() async throws {
    let databases = databases(createsOnUse: false)
    #expect(error(await ask(databases, "a")) == .unknown)
    #expect(try await databases.create(DatabaseID("a")))
    #expect(try await ask(databases, "a").get().id.name == "a")
    await databases.closeAll()
  }

  @Test func `a failure to open is told to all who ask, without trying each time`() async throws {
    let databases = databases(failureMemory: .hours(1))
    store.isFailing.store(true, ordering: .relaxed)
    for _ in 0..<20 { #expect(error(await ask(databases, "a")) == .failed("io(\"broken\")")) }
    #expect(store.loads == 1)
    await databases.closeAll()
  }

  @Test func `a failure to open is not held against a database for ever`() async throws {
    let databases = databases(failureMemory: .milliseconds(1))
    store.isFailing.store(true, ordering: .relaxed)
    #expect(error(await ask(databases, "a")) == .failed("io(\"broken\")"))
    store.isFailing.store(false, ordering: .relaxed)
    try await Task.sleep(for: .milliseconds(5))
    #expect(try await ask(databases, "a").get().id.name == "a")
    await databases.closeAll()
  }

  @Test func `an unused database is closed and opened again when somebody asks`() async throws {
    let databases = databases()
    let first = try await ask(databases, "a").get()
    databases.closeIdle(unusedSince: .now() - .seconds(60))
    #expect(databases.open.count == 1)
    databases.closeIdle(unusedSince: .now())
    while !databases.open.isEmpty { await Task.yield() }
    let second = try await ask(databases, "a").get()
    #expect(first !== second)
    #expect(store.loads == 2)
    await databases.closeAll()
  }

  @Test func `after closing everything nobody gets in`() async throws {
    let databases = databases()
    for name in ["a", "b", "c"] { _ = try await ask(databases, name).get() }
    async let late = ask(databases, "d")
    await databases.closeAll()
    _ = await late
    #expect(databases.open.isEmpty)
    #expect(error(await ask(databases, "a")) == .failed("the server is stopping"))
  }

  @Test func `asking, closing and deleting at random never leaves anybody waiting`() async throws {
    let databases = databases()
    await withTaskGroup { tasks in
      for worker in 0..<8 {
        tasks.addTask {
          for step in 0..<60 {
            let name = ["a", "b"][(worker + step) % 2]
            switch (worker &* 7 &+ step) % 5 {
            case 0: databases.closeIdle(unusedSince: .now())
            case 1: _ = try? await databases.delete(DatabaseID(name))
            default: _ = await ask(databases, name)
            }
          }
        }
      }
    }
    await databases.closeAll()
    #expect(databases.open.isEmpty)
  }
}

/// A store in memory that counts loads and fails them when told to.
private final class CountingStore: CheckpointStore {
  private let store = MemoryCheckpoints()
  private let loadCount = Atomic(0)
  let isFailing = Atomic(false)

  var loads: Int { loadCount.load(ordering: .relaxed) }

  func load(_ database: DatabaseID) async throws(CommitLogError) -> Checkpoint? {
    loadCount.add(1, ordering: .relaxed)
    await Task.yield()
    if isFailing.load(ordering: .relaxed) { throw .io("broken") }
    return try await store.load(database)
  }

  func save(_ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint) async throws(CommitLogError) {
    try await store.save(database, from: old, to: new)
  }

  func list() async throws(CommitLogError) -> [DatabaseID] { try await store.list() }
  func create(_ database: DatabaseID) async throws(CommitLogError) { try await store.create(database) }
  func delete(_ database: DatabaseID) async throws(CommitLogError) { try await store.delete(database) }
  func exists(_ database: DatabaseID) async throws(CommitLogError) -> Bool {
    try await store.exists(database)
  }
}

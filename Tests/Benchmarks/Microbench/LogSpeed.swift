import Engine
import NIOCore
import NIOPosix
import Storage
import Synchronization

/// The journal of all databases, entries of about 100 bytes, 100 under way at once: so 100 a commit.
enum LogSpeed {
  static let payload =
    #"[["d","users/user012345/age","012345678901234567890123456789012345678901234567890123456789abcd"]]"#

  static func run(_ folder: String) async throws {
    let bare = try DiskSpeed.journalRows(folder, seconds: 1)
    let ours = try await rows("\(folder)/log-\(UInt32.random(in: 0...UInt32.max))", seconds: 1)
    report(
      ratio: ours.rows / bare,
      note: "\(Int(ours.rows)) to \(Int(bare)) rows/s, \(short(ours.perCommit)) a commit")
  }

  private static func rows(_ folder: String, seconds: Double) async throws -> (
    rows: Double, perCommit: Double
  ) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let store = try await SQLiteStore.open(
      folder: folder, journalLoop: group.next(), checkpointLoop: group.next())
    let bytes = Array(payload.utf8)
    // A hundred databases append one entry each, again as soon as the last one is durable.
    var databases: [DatabaseID] = []
    for index in 0..<100 {
      let database = try DatabaseID("db\(index)")
      try await store.create(database)
      databases.append(database)
    }
    let start = Stopwatch.wallSeconds()
    let total = Total()
    await withTaskGroup(of: Void.self) { tasks in
      for database in databases {
        tasks.addTask {
          await withCheckedContinuation { done in
            append(to: database, after: .start, of: store, bytes, until: start + seconds, total, done)
          }
        }
      }
    }
    let wall = Stopwatch.wallSeconds() - start
    let counters = await store.journalCounters
    await store.close()
    try await group.shutdownGracefully()
    let rows = Double(total.count.load(ordering: .relaxed))
    return (rows / wall, rows / Double(max(1, counters.commits)))
  }

  @Sendable private static func append(
    to database: DatabaseID, after: LogPosition, of store: SQLiteStore, _ payload: [UInt8], until end: Double,
    _ total: Total, _ done: CheckedContinuation<Void, Never>
  ) {
    store.append(payload, kind: .writes, epoch: 1, to: database, after: after) { result in
      guard case .success(.committed(let position)) = result else { preconditionFailure("\(result)") }
      total.count.add(1, ordering: .relaxed)
      if Stopwatch.wallSeconds() > end { return done.resume() }
      append(to: database, after: position, of: store, payload, until: end, total, done)
    }
  }
}

/// Entries that are durable.
final class Total: Sendable {
  let count = Atomic<Int>(0)
}

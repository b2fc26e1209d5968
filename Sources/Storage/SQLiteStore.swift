package import Engine
package import NIOCore
import Synchronization

/// A data folder, served by this process alone: the log of all databases and their checkpoints.
package final class SQLiteStore: CommitLog, CheckpointStore, Sendable {
  private let folder: Mutex<DataFolder?>
  let journal: Journal
  let checkpoints: Checkpoints
  private let durability: Durability

  private init(
    _ folder: consuming DataFolder, durability: Durability, journal: Journal, checkpoints: Checkpoints
  ) {
    self.folder = Mutex(folder)
    self.durability = durability
    self.journal = journal
    self.checkpoints = checkpoints
  }

  /// Opens a data folder, making it if need be, and checks the whole journal.
  ///
  /// The two event loops must have threads of their own, which wait for the disk: one for appends, one for
  /// checkpoints.
  package static func open(
    folder path: String, durability: Durability = .full, journalLoop: any EventLoop,
    checkpointLoop: any EventLoop, faults: FaultHook? = nil
  ) async throws(StorageError) -> SQLiteStore {
    let folder = try DataFolder(path: path)
    let journal = Journal(folder: path, durability: durability, eventLoop: journalLoop, faults: faults)
    try await journal.open()
    let checkpoints = Checkpoints(folder: path, eventLoop: checkpointLoop)
    return SQLiteStore(folder, durability: durability, journal: journal, checkpoints: checkpoints)
  }

  /// What was found, and mended or left out of service, when the folder was opened.
  package var notices: [String] {
    get async { await journal.notices + checkpoints.notices }
  }

  package var journalCounters: JournalCounters {
    get async { await journal.counters }
  }

  /// Refuses what comes from now on, and gives the folder free once everything before is done.
  package func close() async {
    await journal.close()
    folder.withLock { $0 = nil }
  }

  // MARK: CommitLog

  package func append(
    _ payload: [UInt8], kind: LogEntry.Kind, epoch: UInt64, to database: DatabaseID, after: LogPosition,
    completion: @escaping @Sendable (Result<AppendResult, CommitLogError>) -> Void
  ) {
    journal.append(
      Append(
        payload: payload, kind: kind, epoch: epoch, database: database, after: after, completion: completion))
  }

  package func tail(of database: DatabaseID) async throws(CommitLogError) -> LogPosition {
    try await journal.tail(of: database)
  }

  package func entries(
    of database: DatabaseID, after: LogPosition, follow: Bool
  ) -> any AsyncSequence<LogEntry, any Error> & Sendable {
    JournalEntries(journal: journal, database: database, after: after, follow: follow)
  }

  package func trim(_ database: DatabaseID, below index: UInt64) async throws(CommitLogError) {
    try await journal.trim(database, below: index)
  }

  // MARK: CheckpointStore

  package func load(_ database: DatabaseID) async throws(CommitLogError) -> Checkpoint? {
    _ = try await journal.tail(of: database)
    let checkpoint: Checkpoint?
    do throws(StorageError) {
      checkpoint = try await checkpoints.load(database)
    } catch {
      throw error.asLogError
    }
    do throws(CommitLogError) {
      try await journal.check(checkpoint?.position ?? .start, of: database)
    } catch .corrupt(let text) {
      // A checkpoint of another time or history than the journal's must not be taken for a start.
      let state = checkpoint == nil ? "is missing" : "does not fit the journal"
      throw .corrupt("db/\(database.name).sqlite \(state): \(text)")
    }
    return checkpoint
  }

  package func save(
    _ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint
  ) async throws(CommitLogError) {
    try await journal.check(new.position, of: database)
    // The checkpoint must never be ahead of the journal, whatever happens to the power.
    if durability == .relaxed { try await journal.synchronize() }
    do throws(StorageError) {
      try await checkpoints.save(database, from: old, to: new, salt: UInt64.random(in: 0 ... .max))
    } catch {
      throw error.asLogError
    }
  }

  package func list() async throws(CommitLogError) -> [DatabaseID] {
    try await journal.databases
  }

  package func create(_ database: DatabaseID) async throws(CommitLogError) {
    try await journal.create(database)
    await checkpoints.allow(database)
  }

  /// Removes a database's entries and its checkpoint. What a crash leaves of it goes at the next opening.
  package func delete(_ database: DatabaseID) async throws(CommitLogError) {
    guard let number = try await journal.markDeleted(database) else { return }
    do throws(StorageError) {
      try await checkpoints.remove(database)
    } catch {
      throw error.asLogError
    }
    try await journal.bury(number)
  }

  package func exists(_ database: DatabaseID) async throws(CommitLogError) -> Bool {
    try await journal.exists(database)
  }
}

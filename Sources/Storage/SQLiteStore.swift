package import Engine
package import NIOCore
import Synchronization

/// A data folder, served by this process alone: the log of all databases and their checkpoints.
package final class SQLiteStore: CommitLog, Sendable {
  private let folder: Mutex<DataFolder?>
  let journal: Journal

  private init(_ folder: consuming DataFolder, journal: Journal) {
    self.folder = Mutex(folder)
    self.journal = journal
  }

  /// Opens a data folder, making it if need be, and checks the whole journal.
  ///
  /// The two event loops must have threads of their own, which wait for the disk: one for appends, one for checkpoints.
  package static func open(
    folder path: String, durability: Durability = .full, journalLoop: any EventLoop,
    checkpointLoop: any EventLoop, faults: FaultHook? = nil
  ) async throws(StorageError) -> SQLiteStore {
    let folder = try DataFolder(path: path)
    let journal = Journal(folder: path, durability: durability, eventLoop: journalLoop, faults: faults)
    try await journal.open()
    return SQLiteStore(folder, journal: journal)
  }

  /// What was found, and mended or left out of service, when the folder was opened.
  package var notices: [String] {
    get async { await journal.notices }
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

  package func create(_ database: DatabaseID) async throws(CommitLogError) {
    try await journal.create(database)
  }
}

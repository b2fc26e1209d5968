import CSQLite
import Engine

/// A copy of one open file in the making, a few pages at a time; changes made meanwhile are in it.
struct PageCopy: ~Copyable {
  private let target: Connection
  private let handle: OpaquePointer

  /// Pages in one step: about a megabyte.
  private static let stepPages: Int32 = 256

  init(of source: borrowing Connection, to path: String) throws(SQLiteError) {
    let target = try Connection(path: path, mode: .create)
    try target.execute("PRAGMA synchronous = OFF")
    handle = try target.beginCopy(of: source)
    self.target = target
  }

  deinit { sqlite3_backup_finish(handle) }

  /// Copies some pages; false when all are copied.
  func step() throws(SQLiteError) -> Bool {
    let code = sqlite3_backup_step(handle, Self.stepPages)
    if code == SQLITE_DONE { return false }
    guard code == SQLITE_OK else {
      throw SQLiteError(code: code, message: String(cString: sqlite3_errstr(code)), file: target.file)
    }
    return true
  }
}

extension Journal {
  /// Copies the file while appends go on.
  func copy(to path: String) async throws(StorageError) {
    let file: JournalFile
    do throws(CommitLogError) {
      file = try openFile()
    } catch {
      throw StorageError(error)
    }
    do throws(SQLiteError) {
      let copy = try PageCopy(of: file.connection, to: path)
      while try copy.step() { await Task.yield() }
    } catch {
      throw StorageError(error)
    }
  }
}

extension Checkpoints {
  /// Copies a database's file, if there is one.
  func copy(_ database: DatabaseID, to target: String) throws(StorageError) {
    let path = DataFolder.checkpointPath(of: database, in: folder)
    guard DataFolder.fileExists(path) else { return }
    let file = try CheckpointFile.open(path, for: .use)
    let quoted = target.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    do throws(SQLiteError) {
      try file.connection.execute("VACUUM INTO '\(quoted)'")
    } catch {
      throw StorageError(error)
    }
    try DataFolder.synchronize(target)
  }
}

extension SQLiteStore {
  /// Copies everything into a new data folder while writes go on; what was durable at the start is in it.
  package func backup(to target: String) async throws(StorageError) {
    guard !DataFolder.fileExists(target) else {
      throw StorageError(.io, "\(target) is there already: name a folder that is not")
    }
    try DataFolder.make(target)
    // The journal is copied last, so it must still have all that follows from the checkpoints.
    await journal.holdTrims()
    do throws(StorageError) {
      try await copyFiles(to: target)
    } catch {
      await journal.releaseTrims()
      throw error
    }
    await journal.releaseTrims()
  }

  private func copyFiles(to target: String) async throws(StorageError) {
    let databases: [DatabaseID]
    do throws(CommitLogError) {
      databases = try await journal.databases
    } catch {
      throw StorageError(error)
    }
    for database in databases {
      try await checkpoints.copy(database, to: DataFolder.checkpointPath(of: database, in: target))
    }
    let path = DataFolder.journalPath(in: target)
    try await journal.copy(to: path)
    try DataFolder.synchronize(path)
    try DataFolder.synchronize(target + "/db")
    try DataFolder.synchronize(target)
  }
}

import CSQLite

/// One open SQLite file, used by one thread.
struct Connection: ~Copyable {
  enum Mode { case create, existing, readOnly }

  private let handle: OpaquePointer
  /// The file's name without its folder, for messages.
  let file: String
  private let frames: UnsafeMutablePointer<Int32>

  init(path: String, mode: Mode) throws(SQLiteError) {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    switch mode {
    case .create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    case .existing: flags |= SQLITE_OPEN_READWRITE
    case .readOnly: flags |= SQLITE_OPEN_READONLY
    }
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw SQLiteError(code: code, message: message, file: name)
    }
    handle = opened
    frames = .allocate(capacity: 1)
    frames.initialize(to: 0)
    file = name
    csqlite_defend(opened)
  }

  // Statements that outlive the connection keep it open until they end.
  deinit {
    sqlite3_close_v2(handle)
    frames.deallocate()
  }

  /// Whether no transaction is open.
  var isIdle: Bool { sqlite3_get_autocommit(handle) != 0 }

  /// How many rows this connection has changed since it was opened.
  var changes: Int64 { sqlite3_total_changes64(handle) }

  func prepare(_ text: String) throws(SQLiteError) -> Statement {
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement else { throw failure(code) }
    return Statement(statement, file: file)
  }

  /// Runs statements that give no rows, or whose rows don't matter.
  func execute(_ text: String) throws(SQLiteError) {
    let code = sqlite3_exec(handle, text, nil, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// The first column of the first row as an integer, nil when there is no row.
  func integer(_ text: String) throws(SQLiteError) -> Int64? {
    let statement = try prepare(text)
    return try statement.step() ? statement.integer(0) : nil
  }

  /// The first column of the first row as text, nil when there is no row.
  func text(_ text: String) throws(SQLiteError) -> String? {
    let statement = try prepare(text)
    return try statement.step() ? statement.text(0) : nil
  }

  /// The first column of all rows as texts.
  func texts(_ text: String) throws(SQLiteError) -> [String] {
    let statement = try prepare(text)
    var all: [String] = []
    while try statement.step() { all.append(statement.text(0)) }
    return all
  }

  /// Runs `body` within a transaction, which is rolled back if it throws.
  func transaction(_ body: (borrowing Connection) throws(SQLiteError) -> Void) throws(SQLiteError) {
    try execute("BEGIN IMMEDIATE")
    do throws(SQLiteError) {
      try body(self)
      try execute("COMMIT")
    } catch {
      if !isIdle { try? execute("ROLLBACK") }
      throw error
    }
  }

  /// Whether closing leaves the write-ahead log in place, so that damage can still be looked at.
  func keepLogOnClose(_ keeps: Bool) {
    csqlite_keep_log_on_close(handle, keeps ? 1 : 0)
  }

  /// Counts the write-ahead log's frames from now on, in place of SQLite's own checkpoints within a commit.
  func countLogFrames() {
    sqlite3_wal_hook(
      handle,
      { counter, _, _, frames in
        counter?.assumingMemoryBound(to: Int32.self).pointee = frames
        return SQLITE_OK
      }, frames)
  }

  /// Frames in the write-ahead log after the last commit.
  var logFrames: Int { Int(frames.pointee) }

  /// Makes the write-ahead log durable and moves its pages into the file.
  func checkpointLog() throws(SQLiteError) {
    let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    guard code == SQLITE_OK else { throw failure(code) }
    frames.pointee = 0
  }

  /// Writes changed pages to the file in the middle of a transaction, but for those in use.
  func flushPages() throws(SQLiteError) {
    let code = sqlite3_db_cacheflush(handle)
    // Somebody reads the file: the pages are written later.
    guard code == SQLITE_OK || code == SQLITE_BUSY else { throw failure(code) }
  }

  /// Asks SQLite whether every page is where it belongs; the first complaint, or nil.
  func structuralDamage() throws(SQLiteError) -> String? {
    let answer = try text("PRAGMA quick_check(1)")
    return answer == "ok" ? nil : answer ?? "no answer"
  }

  /// Begins to copy another file's pages into this one.
  func beginCopy(of source: borrowing Connection) throws(SQLiteError) -> OpaquePointer {
    guard let copy = sqlite3_backup_init(handle, "main", source.handle, "main") else {
      throw failure(sqlite3_extended_errcode(handle))
    }
    return copy
  }

  private func failure(_ code: Int32) -> SQLiteError {
    SQLiteError(code: code, message: String(cString: sqlite3_errmsg(handle)), file: file)
  }
}

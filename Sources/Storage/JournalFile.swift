import CSQLite
import Engine

/// Where a test may make the journal fail, with SQLite's result code.
package enum FaultPoint: Sendable {
  case begin, insert
  /// In place of the commit.
  case commit
  /// After a commit that took place.
  case committed
}

/// Gives the result code with which a step is to fail, or nil.
package typealias FaultHook = @Sendable (FaultPoint) -> Int32?

/// The open journal and its statements.
final class JournalFile {
  let connection: Connection
  private let faults: FaultHook?
  private let begin: Statement
  private let commit: Statement
  private let rollback: Statement
  private let insertEntry: Statement
  private let readEntry: Statement
  private let removeEntries: Statement
  private let writeDatabase: Statement
  private let removeDatabase: Statement

  /// How many transactions were committed.
  private(set) var commitCount = 0

  init(_ connection: consuming Connection, faults: FaultHook?) throws(SQLiteError) {
    begin = try connection.prepare("BEGIN IMMEDIATE")
    commit = try connection.prepare("COMMIT")
    rollback = try connection.prepare("ROLLBACK")
    insertEntry = try connection.prepare(
      "INSERT INTO entries(seq, db, epoch, idx, kind, digest, payload) VALUES(?, ?, ?, ?, ?, ?, ?)")
    readEntry = try connection.prepare("\(JournalRow.selection) WHERE seq = ?")
    removeEntries = try connection.prepare("DELETE FROM entries WHERE seq BETWEEN ? AND ?")
    writeDatabase = try connection.prepare("INSERT OR REPLACE INTO databases VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
    removeDatabase = try connection.prepare("DELETE FROM databases WHERE id = ?")
    self.connection = connection
    self.faults = faults
  }

  /// Runs `body` in a transaction of its own. Any error but one of the commit itself means that nothing was
  /// written.
  func transaction(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
    try beginTransaction()
    do throws(SQLiteError) {
      try body()
      try commitTransaction()
    } catch {
      rollBack()
      throw error
    }
  }

  func beginTransaction() throws(SQLiteError) {
    try fail(at: .begin)
    try begin.run()
  }

  func commitTransaction() throws(SQLiteError) {
    try fail(at: .commit)
    try commit.run()
    commitCount += 1
    try fail(at: .committed)
  }

  /// Gives up the open transaction, if SQLite has not done so already; see `connection.isIdle` for success.
  func rollBack() {
    guard !connection.isIdle else { return }
    // A failure shows in `isIdle`.
    try? rollback.run()
  }

  func insert(
    row: Int64, database: Int64, position: LogPosition, kind: UInt8, payload: UnsafeRawBufferPointer
  ) throws(SQLiteError) {
    try fail(at: .insert)
    try position.digest.withBytes { (digest) throws(SQLiteError) in
      insertEntry.bind(1, row)
      insertEntry.bind(2, database)
      insertEntry.bind(3, position.epoch)
      insertEntry.bind(4, position.index)
      insertEntry.bind(5, Int64(kind))
      insertEntry.bind(6, digest)
      insertEntry.bind(7, payload)
      try insertEntry.run()
    }
  }

  /// Hands over the entry in a row, or nil when there is no such row. The payload is valid within `body`
  /// only.
  func read<R>(row: Int64, _ body: (JournalRow?) -> R) throws(SQLiteError) -> R {
    readEntry.bind(1, row)
    defer { readEntry.reset() }
    return body(try readEntry.step() ? JournalRow(readEntry) : nil)
  }

  func hasRow(_ row: Int64) throws(SQLiteError) -> Bool {
    try read(row: row) { $0 != nil }
  }

  func remove(rows: ClosedRange<Int64>) throws(SQLiteError) {
    removeEntries.bind(1, rows.lowerBound)
    removeEntries.bind(2, rows.upperBound)
    try removeEntries.run()
  }

  /// Adds or replaces what is known of a database.
  func write(_ row: DatabaseRow) throws(SQLiteError) {
    try Array(row.name.utf8).withUnsafeBufferPointer { (text) throws(SQLiteError) in
      try row.base.digest.withBytes { (digest) throws(SQLiteError) in
        writeDatabase.bind(1, row.number)
        writeDatabase.bindText(2, UnsafeRawBufferPointer(text))
        writeDatabase.bind(3, row.isDeleted ? 1 : Int64(0))
        writeDatabase.bind(4, row.base.epoch)
        writeDatabase.bind(5, row.base.index)
        writeDatabase.bind(6, row.base.token)
        writeDatabase.bind(7, digest)
        writeDatabase.bind(8, row.seal)
        try writeDatabase.run()
      }
    }
  }

  func removeDatabase(number: Int64) throws(SQLiteError) {
    removeDatabase.bind(1, number)
    try removeDatabase.run()
  }

  private func fail(at point: FaultPoint) throws(SQLiteError) {
    guard let code = faults?(point) else { return }
    throw SQLiteError(code: code, message: "a fault was asked for", file: connection.file)
  }
}

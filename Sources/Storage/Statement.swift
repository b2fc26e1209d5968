import CSQLite

/// One prepared statement, kept for as long as it is used: preparing costs more than running.
///
/// Values are bound by position from 1 and read by column from 0. Bound bytes are not copied: they must
/// stay in place
/// until `reset`.
struct Statement: ~Copyable {
  private let handle: OpaquePointer
  private let file: String

  init(_ handle: OpaquePointer, file: String) {
    self.handle = handle
    self.file = file
  }

  deinit { sqlite3_finalize(handle) }

  func bind(_ place: Int32, _ value: Int64) {
    sqlite3_bind_int64(handle, place, value)
  }

  /// Binds the bit pattern: SQLite has signed integers only.
  func bind(_ place: Int32, _ value: UInt64) {
    sqlite3_bind_int64(handle, place, Int64(bitPattern: value))
  }

  /// Binds bytes that stay where they are until `reset`.
  func bind(_ place: Int32, _ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, !bytes.isEmpty else {
      sqlite3_bind_zeroblob(handle, place, 0)
      return
    }
    sqlite3_bind_blob64(handle, place, base, UInt64(bytes.count), nil)
  }

  /// Binds UTF-8 that stays where it is until `reset`, as text.
  func bindText(_ place: Int32, _ bytes: UnsafeRawBufferPointer) {
    let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
    sqlite3_bind_text64(handle, place, base, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8))
  }

  /// Advances to the next row; false when there is none.
  func step() throws(SQLiteError) -> Bool {
    let code = sqlite3_step(handle)
    if code == SQLITE_ROW { return true }
    if code == SQLITE_DONE { return false }
    throw failure(code)
  }

  /// Makes the statement ready for the next run.
  func reset() {
    sqlite3_reset(handle)
  }

  /// Runs a statement that gives no rows.
  func run() throws(SQLiteError) {
    let code = sqlite3_step(handle)
    sqlite3_reset(handle)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { throw failure(code) }
  }

  func integer(_ column: Int32) -> Int64 {
    sqlite3_column_int64(handle, column)
  }

  func unsigned(_ column: Int32) -> UInt64 {
    UInt64(bitPattern: sqlite3_column_int64(handle, column))
  }

  /// The column's bytes, valid until the next `step` or `reset`.
  func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
    let base = sqlite3_column_blob(handle, column)
    return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column)))
  }

  func text(_ column: Int32) -> String {
    String(decoding: bytes(column), as: UTF8.self)
  }

  private func failure(_ code: Int32) -> SQLiteError {
    let message = sqlite3_db_handle(handle).map { String(cString: sqlite3_errmsg($0)) } ?? ""
    return SQLiteError(code: code, message: message, file: file)
  }
}

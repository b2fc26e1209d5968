import CSQLite
import Engine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The open file of records and its statements.
final class RecordFile {
  private let connection: Connection
  private let read: Statement
  private let write: Statement
  private let remove: Statement
  private let removeRealm: Statement

  static func open(_ path: String) throws(StorageError) -> RecordFile {
    // Made with these rights before SQLite writes to it, so that nobody can look in between.
    let descriptor = Self.make(path)
    guard descriptor >= 0 else {
      throw StorageError(.io, "can't open \(path): \(String(cString: strerror(errno)))")
    }
    close(descriptor)
    return try StorageError.wrapping(path) {
      let connection = try Connection(path: path, mode: .existing)
      try connection.execute(
        """
        PRAGMA busy_timeout = 2000;
        PRAGMA cell_size_check = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA secure_delete = ON;
        PRAGMA journal_mode = DELETE;
        PRAGMA synchronous = EXTRA;
        """)
      try Schema.records.prepare(connection)
      if let damage = try connection.structuralDamage() {
        throw SQLiteError.damage(damage, in: connection.file)
      }
      return try RecordFile(connection)
    }
  }

  private static func make(_ path: String) -> Int32 {
    #if canImport(Glibc)
      Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    #elseif canImport(Musl)
      Musl.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    #else
      Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    #endif
  }

  private init(_ connection: consuming Connection) throws(SQLiteError) {
    read = try connection.prepare("SELECT value FROM records WHERE kind = ? AND realm = ? AND key = ?")
    write = try connection.prepare(
      "INSERT OR REPLACE INTO records(kind, realm, key, value) VALUES(?, ?, ?, ?)")
    remove = try connection.prepare("DELETE FROM records WHERE kind = ? AND realm = ? AND key = ?")
    removeRealm = try connection.prepare("DELETE FROM records WHERE realm = ?")
    self.connection = connection
  }

  func value(_ realm: String, _ kind: String, _ key: String) throws(SQLiteError) -> [UInt8]? {
    try Self.binding(read, kind, realm, key) { () throws(SQLiteError) in
      try read.step() ? Array(read.bytes(0)) : nil
    }
  }

  func all(
    _ realm: String?, _ kind: String, after key: String? = nil, limit: Int64, reversed: Bool
  ) throws(SQLiteError) -> [StoredRecord] {
    let order = reversed ? "DESC" : "ASC"
    let start = key == nil ? "" : " AND key \(reversed ? "<" : ">") ?3"
    let filter = realm == nil ? "" : " AND realm = ?2\(start)"
    let statement = try connection.prepare(
      "SELECT realm, key, value FROM records WHERE kind = ?1\(filter) ORDER BY realm \(order), "
        + "key \(order) LIMIT ?4")
    statement.bind(4, limit)
    return try Self.binding(statement, kind, realm, realm == nil ? nil : key) { () throws(SQLiteError) in
      var found: [StoredRecord] = []
      while try statement.step() {
        found.append(
          StoredRecord(
            realm: statement.text(0), key: statement.text(1), value: Array(statement.bytes(2))))
      }
      return found
    }
  }

  func apply(_ changes: [RecordChange]) throws(SQLiteError) -> Bool {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(SQLiteError) {
      for change in changes {
        guard try value(change.realm, change.kind, change.key) == change.expected else {
          try connection.execute("ROLLBACK")
          return false
        }
        try make(change)
      }
      try connection.execute("COMMIT")
      return true
    } catch {
      if !connection.isIdle { try? connection.execute("ROLLBACK") }
      throw error
    }
  }

  func removeAll(_ realm: String) throws(SQLiteError) {
    try Self.withText(realm) { (bytes) throws(SQLiteError) in
      removeRealm.bindText(1, bytes)
      try removeRealm.run()
    }
  }

  private func make(_ change: RecordChange) throws(SQLiteError) {
    guard let value = change.value else {
      return try Self.binding(remove, change.kind, change.realm, change.key) { () throws(SQLiteError) in
        _ = try remove.step()
      }
    }
    try Self.binding(write, change.kind, change.realm, change.key) { () throws(SQLiteError) in
      try Self.withBytes(value) { (bytes) throws(SQLiteError) in
        write.bind(4, bytes)
        _ = try write.step()
      }
    }
  }

  // MARK: Binding

  /// Binds the three names to the places 1 to 3, where they are given, while `body` runs.
  private static func binding<R>(
    _ statement: borrowing Statement, _ kind: String, _ realm: String?, _ key: String?,
    _ body: () throws(SQLiteError) -> R
  ) throws(SQLiteError) -> R {
    defer { statement.reset() }
    return try withText(kind) { (kindBytes) throws(SQLiteError) in
      statement.bindText(1, kindBytes)
      return try withText(realm ?? "") { (realmBytes) throws(SQLiteError) in
        if realm != nil { statement.bindText(2, realmBytes) }
        return try withText(key ?? "") { (keyBytes) throws(SQLiteError) in
          if key != nil { statement.bindText(3, keyBytes) }
          return try body()
        }
      }
    }
  }

  private static func withText<R>(
    _ text: String, _ body: (UnsafeRawBufferPointer) throws(SQLiteError) -> R
  ) throws(SQLiteError) -> R {
    // One byte more, for an empty text without a place would be bound as null.
    try withBytes(Array(text.utf8) + [0]) { (bytes) throws(SQLiteError) in
      try body(UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
    }
  }

  /// The bytes, in place while `body` runs.
  private static func withBytes<R>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(SQLiteError) -> R
  ) throws(SQLiteError) -> R {
    let result = bytes.withUnsafeBytes { raw -> Result<R, SQLiteError> in
      do throws(SQLiteError) { return .success(try body(raw)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

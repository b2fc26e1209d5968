import CSQLite
import Engine

/// What a checkpoint file says about itself.
struct CheckpointState: Equatable {
  var name: String
  var position: LogPosition
  /// Chosen once for a file; see `Blocks`.
  var salt: UInt64
  var rowCount: UInt64 = 0
  /// The sum of all rows' seals: shows rows that are lost or strange.
  var rowSeals: UInt64 = 0

  var seal: UInt64 {
    var checksum = Checksum()
    var name = name
    name.withUTF8 { checksum.combine(UnsafeRawBufferPointer($0)) }
    checksum.combine(position)
    checksum.combine(salt)
    checksum.combine(rowCount)
    checksum.combine(rowSeals)
    return checksum.value
  }
}

/// One row as it was read, valid until the statement moves on.
struct CheckpointRow {
  let path: UnsafeRawBufferPointer
  let block: UnsafeRawBufferPointer
  let text: UnsafeRawBufferPointer
  let seal: UInt64

  var isSound: Bool { seal == Self.seal(path: path, block: block, text: text) }

  static func seal(
    path: UnsafeRawBufferPointer, block: UnsafeRawBufferPointer, text: UnsafeRawBufferPointer
  ) -> UInt64 {
    var checksum = Checksum()
    checksum.combine(path)
    checksum.combine(block)
    checksum.combine(text)
    return checksum.value
  }
}

/// The checkpoint of one database, open.
///
/// Each object of the tree has its leaves in rows of its own, cut into blocks; objects below have their own
/// rows. The
/// rows are a pure function of the tree and the file's salt.
final class CheckpointFile {
  let connection: Connection
  private let readState: Statement
  private let writeState: Statement
  private let readSeal: Statement
  private let readRows: Statement
  private let writeRow: Statement
  private let removeRow: Statement
  // The last to be let go of, as it has to be closed after the connection.
  private let sync: FileSync

  /// What a file is opened for.
  enum Purpose {
    /// To read it, or to bring it to the next state.
    case use
    /// To write a new one that gets its name only when it is complete: nothing in it needs protection
    /// before.
    case build
  }

  static func open(_ path: String, for purpose: Purpose) throws(StorageError) -> CheckpointFile {
    try StorageError.wrapping(path) {
      let connection = try Connection(path: path, mode: purpose == .build ? .create : .existing)
      try connection.execute(
        """
        PRAGMA busy_timeout = 2000;
        PRAGMA secure_delete = FAST;
        PRAGMA cell_size_check = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -32768;
        """)
      switch purpose {
      case .use:
        // EXTRA: a commit holds even if the power goes right after it, for the journal is trimmed then.
        try connection.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA")
      case .build:
        try connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
      }
      try Schema.checkpoint.prepare(connection)
      return try CheckpointFile(connection, FileSync(path))
    }
  }

  private init(_ connection: consuming Connection, _ sync: FileSync) throws(SQLiteError) {
    self.sync = sync
    readState = try connection.prepare(
      "SELECT name, epoch, idx, token, digest, salt, row_count, row_seals, seal FROM state WHERE id = 1")
    writeState = try connection.prepare("INSERT OR REPLACE INTO state VALUES(1, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    readSeal = try connection.prepare("SELECT seal FROM nodes WHERE path = ? AND block = ?")
    readRows = try connection.prepare("SELECT path, block, text, seal FROM nodes ORDER BY path, block")
    writeRow = try connection.prepare(
      """
      INSERT INTO nodes(path, block, text, seal) VALUES(?, ?, ?, ?) \
      ON CONFLICT(path, block) DO UPDATE SET text = excluded.text, seal = excluded.seal
      """)
    removeRow = try connection.prepare("DELETE FROM nodes WHERE path = ? AND block = ?")
    self.connection = connection
  }

  /// Has the disk take what has been written so far, in the middle of a transaction. All of it at the end
  /// would keep the disk from everybody else for as long as it takes.
  func settle() throws {
    try connection.flushPages()
    try sync()
  }

  /// Nil when nothing was ever saved.
  func state() throws(SQLiteError) -> CheckpointState? {
    defer { readState.reset() }
    guard try readState.step() else { return nil }
    let digest = ChainDigest(reading: readState.bytes(4))
    let position = LogPosition(
      epoch: readState.unsigned(1), index: readState.unsigned(2), digest: digest ?? .zero,
      token: readState.unsigned(3))
    let state = CheckpointState(
      name: readState.text(0), position: position, salt: readState.unsigned(5),
      rowCount: readState.unsigned(6), rowSeals: readState.unsigned(7))
    guard digest != nil, readState.unsigned(8) == state.seal else {
      throw .damage("the row of its state is not as it was written", in: connection.file)
    }
    return state
  }

  func write(_ state: CheckpointState) throws(SQLiteError) {
    try Array(state.name.utf8).withUnsafeBufferPointer { (name) throws(SQLiteError) in
      try state.position.digest.withBytes { (digest) throws(SQLiteError) in
        writeState.bindText(1, UnsafeRawBufferPointer(name))
        writeState.bind(2, state.position.epoch)
        writeState.bind(3, state.position.index)
        writeState.bind(4, state.position.token)
        writeState.bind(5, digest)
        writeState.bind(6, state.salt)
        writeState.bind(7, state.rowCount)
        writeState.bind(8, state.rowSeals)
        writeState.bind(9, state.seal)
        try writeState.run()
      }
    }
  }

  /// Calls `body` with every row, in the order of paths.
  func forEachRow(_ body: (CheckpointRow) throws -> Void) throws {
    defer { readRows.reset() }
    while try readRows.step() {
      try body(
        CheckpointRow(
          path: readRows.bytes(0), block: readRows.bytes(1), text: readRows.bytes(2),
          seal: readRows.unsigned(3)))
    }
  }

  /// The seal of a row, nil when there is no such row.
  func seal(path: UnsafeRawBufferPointer, block: UnsafeRawBufferPointer) throws(SQLiteError) -> UInt64? {
    readSeal.bind(1, path)
    readSeal.bind(2, block)
    defer { readSeal.reset() }
    return try readSeal.step() ? readSeal.unsigned(0) : nil
  }

  /// Adds or replaces a row.
  func write(_ row: CheckpointRow) throws(SQLiteError) {
    writeRow.bind(1, row.path)
    writeRow.bind(2, row.block)
    writeRow.bind(3, row.text)
    writeRow.bind(4, row.seal)
    try writeRow.run()
  }

  func removeRow(path: UnsafeRawBufferPointer, block: UnsafeRawBufferPointer) throws(SQLiteError) {
    removeRow.bind(1, path)
    removeRow.bind(2, block)
    try removeRow.run()
  }

  /// Removes the rows whose path lies in a range; how many they were, and the sum of their seals.
  func removeRows(from start: [UInt8], to end: [UInt8]) throws(SQLiteError) -> (count: UInt64, seals: UInt64)
  {
    let read = try connection.prepare("SELECT seal FROM nodes WHERE path >= ? AND path < ?")
    let remove = try connection.prepare("DELETE FROM nodes WHERE path >= ? AND path < ?")
    return try start.withUnsafeBufferPointer { (start) throws(SQLiteError) in
      try end.withUnsafeBufferPointer { (end) throws(SQLiteError) in
        read.bind(1, UnsafeRawBufferPointer(start))
        read.bind(2, UnsafeRawBufferPointer(end))
        var count: UInt64 = 0
        var seals: UInt64 = 0
        while try read.step() {
          count += 1
          seals &+= read.unsigned(0)
        }
        read.reset()
        remove.bind(1, UnsafeRawBufferPointer(start))
        remove.bind(2, UnsafeRawBufferPointer(end))
        try remove.run()
        return (count, seals)
      }
    }
  }
}

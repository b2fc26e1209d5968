/// The tables of one kind of file, as SQLite keeps their text.
///
/// A file is taken only if its texts are exactly these, so that a flipped bit in a table's definition shows
/// at once.
struct Schema: Sendable {
  /// "DhoJ", "DhoC" or "DhoI".
  let applicationID: Int64
  /// What to call such a file in a message.
  let kind: String
  /// The version that `tables` describes.
  let version: Int
  let tables: [String]
  /// How older versions become newer ones, the oldest first; the last leads to `version`.
  let migrations: [Migration]

  static let journalTables = [
    """
    CREATE TABLE databases(id INTEGER PRIMARY KEY, name TEXT NOT NULL, deleted INTEGER NOT NULL, \
    base_epoch INTEGER NOT NULL, base_idx INTEGER NOT NULL, base_token INTEGER NOT NULL, \
    base_digest BLOB NOT NULL, seal INTEGER NOT NULL)
    """,
    """
    CREATE TABLE entries(seq INTEGER PRIMARY KEY, db INTEGER NOT NULL, epoch INTEGER NOT NULL, \
    idx INTEGER NOT NULL, kind INTEGER NOT NULL, digest BLOB NOT NULL, payload BLOB NOT NULL)
    """,
    "CREATE TABLE state(id INTEGER PRIMARY KEY, durability INTEGER NOT NULL)",
  ]

  static let journal = Schema(
    applicationID: 0x4468_6f4a, kind: "journal", version: 1,
    tables: journalTables,
    migrations: [.journalWithoutState])

  static let checkpoint = Schema(
    applicationID: 0x4468_6f43, kind: "checkpoint", version: 1,
    tables: [
      """
      CREATE TABLE nodes(path BLOB NOT NULL, block BLOB NOT NULL, text BLOB NOT NULL, seal INTEGER NOT NULL, \
      PRIMARY KEY(path, block)) WITHOUT ROWID
      """,
      """
      CREATE TABLE state(id INTEGER PRIMARY KEY, name TEXT NOT NULL, epoch INTEGER NOT NULL, \
      idx INTEGER NOT NULL, token INTEGER NOT NULL, digest BLOB NOT NULL, salt INTEGER NOT NULL, \
      row_count INTEGER NOT NULL, row_seals INTEGER NOT NULL, seal INTEGER NOT NULL)
      """,
    ],
    migrations: [])

  static let records = Schema(
    applicationID: 0x4468_6f49, kind: "file of records", version: 1,
    tables: [
      """
      CREATE TABLE records(kind TEXT NOT NULL, realm TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, \
      PRIMARY KEY(kind, realm, key)) WITHOUT ROWID
      """
    ],
    migrations: [])
}

extension Schema {
  /// Makes the tables in a new file, brings an older one up to date, refuses any other.
  func prepare(_ file: borrowing Connection) throws(StorageError) {
    try StorageError.wrapping(file.file) {
      let identity = try file.integer("PRAGMA application_id") ?? 0
      let found = Int(try file.integer("PRAGMA user_version") ?? 0)
      let texts = try file.texts("SELECT sql FROM sqlite_schema ORDER BY rowid")
      if texts.isEmpty && identity == 0 && found == 0 { return try create(in: file) }
      guard identity == applicationID else {
        throw StorageError(.corrupt, "\(file.file) is not a \(kind) of this program")
      }
      guard found <= version else { throw newer(file.file, found: found) }
      let oldest = version - migrations.count
      guard found >= oldest, texts == tables(ofVersion: found) else {
        throw StorageError(
          .corrupt, "\(file.file): its tables are not those of a \(kind) of version \(found)")
      }
      if found < version { try migrate(file, from: found) }
    }
  }

  private func tables(ofVersion found: Int) -> [String] {
    found == version ? tables : migrations[found - (version - migrations.count)].tables
  }

  private func create(in file: borrowing Connection) throws(SQLiteError) {
    try file.transaction { (file) throws(SQLiteError) in
      for table in tables { try file.execute(table) }
      try file.execute("PRAGMA application_id = \(applicationID)")
      try file.execute("PRAGMA user_version = \(version)")
    }
  }

  private func migrate(_ file: borrowing Connection, from found: Int) throws(SQLiteError) {
    try file.transaction { (file) throws(SQLiteError) in
      for step in migrations.suffix(version - found) { try step.apply(file) }
      try file.execute("PRAGMA user_version = \(version)")
    }
  }

  private func newer(_ file: String, found: Int) -> StorageError {
    StorageError(
      .newerSchema(found: found, known: version),
      """
      \(file) has version \(found) and this program knows versions up to \(version): a newer one wrote it. \
      Run that one, or restore a backup made before it
      """)
  }
}

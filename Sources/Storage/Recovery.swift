import Engine

/// Rebuilds from the journal's rows what is known of each database, and checks every chain on the way.
struct Recovery {
  private(set) var tracks: [Int64: Track] = [:]
  /// Databases whose entries are still to be removed.
  private(set) var graves: [DatabaseRow] = []
  private(set) var lastRow: Int64 = 0
  private(set) var lastNumber: Int64 = 0
  /// The names of all databases, deleted ones included.
  private(set) var names: Set<String> = []
  /// The names of those that are not deleted.
  private(set) var liveNames: Set<String> = []
  private let file: String

  init(file: String) {
    self.file = file
  }

  mutating func add(_ row: DatabaseRow?) throws(StorageError) {
    guard let row else {
      throw StorageError(.corrupt, "\(file): a row of the list of databases is not as it was written")
    }
    lastNumber = max(lastNumber, row.number)
    names.insert(row.name)
    if row.isDeleted { return graves.append(row) }
    guard let database = try? DatabaseID(row.name), liveNames.insert(row.name).inserted else {
      throw StorageError(
        .corrupt, "\(file): '\(row.name)' in the list of databases is no name, or twice there")
    }
    tracks[row.number] = Track(number: row.number, database: database, base: row.base)
  }

  /// Takes the next row in the order of the file.
  mutating func add(_ row: JournalRow) throws(StorageError) {
    lastRow = row.row
    if graves.contains(where: { $0.number == row.database }) { return }
    let named = tracks[row.database]
    if let named, named.damage != nil { return }
    if let named, let position = row.position(after: named.tail) { return named.extend(to: position) }
    let owners = tracks.values.filter { row.position(after: $0.tail) != nil }
    for owner in owners { owner.damage = place(owner, row, "names another database") }
    if !owners.isEmpty { return }
    guard let named else {
      throw StorageError(.corrupt, "\(file): row \(row.row) names a database that is not in the list")
    }
    named.damage = place(named, row, "does not follow from the one before")
  }

  /// Looks for what only shows once all rows were read.
  func finish() {
    for track in tracks.values where track.damage == nil && track.rows.isEmpty && track.base.index > 0 {
      track.damage =
        "\(file): database \(track.database.name): entry \(track.base.index + 1) and all after it are missing"
    }
  }

  private func place(_ track: Track, _ row: JournalRow, _ what: String) -> String {
    "\(file): database \(track.database.name): entry \(track.tail.index + 1) in row \(row.row) \(what)"
  }
}

import Engine
import NIOCore

extension Journal {
  /// Most entries removed in one transaction.
  private static let sliceEntries = 1000
  /// How many the first transaction removes. Entries are small or large: the next go by how long it took.
  private static let firstSliceEntries = 8
  /// How long removing a slice may hold up appends.
  private static let sliceTime = TimeAmount.microseconds(400)
  /// How many times as long as a slice took the journal is left to appends before the next.
  private static let restPerSlice: Int64 = 4

  var databases: [DatabaseID] {
    get throws(CommitLogError) {
      _ = try openFile()
      return tracks.keys.sorted { $0.name < $1.name }
    }
  }

  func exists(_ database: DatabaseID) throws(CommitLogError) -> Bool {
    _ = try openFile()
    return tracks[database] != nil
  }

  /// What is known of a database that is there and sound.
  func track(of database: DatabaseID) throws(CommitLogError) -> (JournalFile, Track) {
    let file = try openFile()
    guard let track = tracks[database] else { throw .io("there is no database \(database.name)") }
    if let damage = track.damage { throw .corrupt(damage) }
    return (file, track)
  }

  func tail(of database: DatabaseID) throws(CommitLogError) -> LogPosition {
    try track(of: database).1.tail
  }

  /// Adds a database; one that is there already stays as it is.
  func create(_ database: DatabaseID) throws(CommitLogError) {
    let file = try openFile()
    guard tracks[database] == nil else { return }
    let path = DataFolder.checkpointPath(of: database, in: folder)
    guard !DataFolder.fileExists(path) else {
      throw .io("\(path) is there but belongs to no database: move it away before creating \(database.name)")
    }
    let track = Track(number: lastNumber + 1, database: database, base: .start)
    try change(file) { (file) throws(SQLiteError) in try file.write(DatabaseRow(track)) }
    lastNumber += 1
    tracks[database] = track
  }

  /// Forgets a database for good: from here on a crash only delays the removal of its rows.
  ///
  /// The number identifies its rows for `remove`.
  func markDeleted(_ database: DatabaseID) throws(CommitLogError) -> Int64? {
    let file = try openFile()
    guard let track = tracks[database] else { return nil }
    try change(file) { (file) throws(SQLiteError) in try file.write(DatabaseRow(track, isDeleted: true)) }
    tracks[database] = nil
    followers.wake([database])
    return track.number
  }

  /// Removes what is left of a deleted database, a slice at a time.
  func bury(_ number: Int64) throws(CommitLogError) {
    let file = try openFile()
    do throws(SQLiteError) {
      try remove(number, from: file)
    } catch {
      throw error.asLogError
    }
  }

  func remove(_ number: Int64, from file: JournalFile) throws(SQLiteError) {
    try file.transaction { () throws(SQLiteError) in
      try file.connection.execute("DELETE FROM entries WHERE db = \(number)")
      try file.removeDatabase(number: number)
    }
  }

  /// Removes entries below an index, never the last one.
  func trim(_ database: DatabaseID, below index: UInt64) async throws(CommitLogError) {
    var most = Self.firstSliceEntries
    let number = try track(of: database).1.number
    while true {
      let (file, track) = try track(of: database)
      // Deleted during a rest, and made anew under the same name.
      guard track.number == number else { return }
      track.trimIndex = max(track.trimIndex, index)
      let count = min(track.trimmableCount, most)
      guard count > 0, trimHolds == 0 else { return }
      let rows = track.rows.prefix(count)
      var base = track.base
      let begun = NIODeadline.now()
      try change(file) { (file) throws(SQLiteError) in
        let last = try file.read(row: rows[rows.endIndex - 1]) { $0?.claimedPosition }
        guard let last, last.index == track.base.index + UInt64(count) else {
          throw .damage("database \(database.name): row \(rows[rows.endIndex - 1])", in: file.connection.file)
        }
        base = last
        for run in Self.runs(of: rows) { try file.remove(rows: run) }
        most =
          NIODeadline.now() - begun > Self.sliceTime ? max(1, count / 2) : min(Self.sliceEntries, most * 2)
        try file.write(DatabaseRow(track, base: base))
      }
      track.trim(to: base)
      await rest(for: .nanoseconds((NIODeadline.now() - begun).nanoseconds * Self.restPerSlice))
    }
  }

  /// Leaves the journal to others for a while, or until it is closed.
  private func rest(for time: TimeAmount) async {
    await withCheckedContinuation { continuation in
      let id = followers.makeID()
      resting[id] = continuation
      wake(id, in: time)
    }
  }

  /// Row numbers that follow each other, taken together: one busy database has few runs.
  static func runs(of rows: ArraySlice<Int64>) -> [ClosedRange<Int64>] {
    var runs: [ClosedRange<Int64>] = []
    for row in rows {
      if let last = runs.last, last.upperBound + 1 == row {
        runs[runs.count - 1] = last.lowerBound...row
      } else {
        runs.append(row...row)
      }
    }
    return runs
  }

  /// Writes in a transaction of its own.
  private func change(
    _ file: JournalFile, _ body: (JournalFile) throws(SQLiteError) -> Void
  ) throws(CommitLogError) {
    do throws(SQLiteError) {
      try file.transaction { () throws(SQLiteError) in try body(file) }
    } catch {
      // What a failed commit left behind is read anew at the next use.
      if error.leavesCommitInDoubt || !file.connection.isIdle { self.file = nil }
      throw error.asLogError
    }
  }
}

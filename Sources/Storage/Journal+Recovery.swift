import Engine

extension Journal {
  /// Pages below which a file is never too large.
  private static let smallFilePages: Int64 = 4096

  /// The open file; after a failure that left its state open, what it holds is read anew.
  func openFile() throws(CommitLogError) -> JournalFile {
    guard !isClosed else { throw .closed }
    if let file { return file }
    do throws(StorageError) {
      return try recover()
    } catch {
      throw error.asLogError
    }
  }

  /// Opens the file and checks it, before the first use.
  func open() throws(StorageError) {
    _ = try recover()
  }

  /// Opens the file, checks all of it and rebuilds the tracks.
  private func recover() throws(StorageError) -> JournalFile {
    let path = DataFolder.journalPath(in: folder)
    if !DataFolder.fileExists(path) { try refuseStrangers(known: [], isNew: true) }
    let log = try WriteAheadLog.inspect(path + "-wal")
    return try StorageError.wrapping(path) {
      let connection = try Connection(path: path, mode: .create)
      connection.keepLogOnClose(true)
      try configure(connection)
      if let log { try judge(log, in: connection) }
      try Schema.journal.prepare(connection)
      if let damage = try connection.structuralDamage() {
        throw StorageError(.corrupt, "\(connection.file): \(damage)")
      }
      let recovery = try read(connection)
      try refuseStrangers(known: recovery.names, isNew: false)
      let file = try JournalFile(connection, faults: faults)
      try bury(recovery, in: file)
      try finishOpening(file.connection)
      adopt(recovery)
      self.file = file
      return file
    }
  }

  // Debian's SQLite overwrites what is deleted unless told otherwise: a trim would write as much as the
  // appends before it.
  private func configure(_ connection: borrowing Connection) throws(SQLiteError) {
    try connection.execute(
      """
      PRAGMA busy_timeout = 2000;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA secure_delete = FAST;
      PRAGMA cell_size_check = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 67108864;
      """)
  }

  /// Tells a commit that a crash cut short from damage in front of commits that were acknowledged.
  private func judge(_ log: WriteAheadLog, in connection: borrowing Connection) throws(StorageError) {
    let name = "\(connection.file)-wal"
    guard log.hasSoundHeader else {
      throw StorageError(.corrupt, "\(name): its header is damaged, so what it holds can't be read")
    }
    guard log.lostFrames > 0 else { return }
    // Without a sync after each commit, several may be cut short together.
    let mayLoseSeveral =
      (try? connection.integer("SELECT durability FROM state")) == Durability.relaxed.rawValue
    let place = "frame \(log.soundFrames + 1)"
    guard log.lostCommits <= 1 || mayLoseSeveral else {
      throw StorageError(
        .corrupt, "\(name): \(place) is damaged and \(log.lostCommits) commits from there on can't be read")
    }
    notices.append("\(name): a commit was cut short at \(place), before it was acknowledged, and is dropped")
  }

  private func read(_ connection: borrowing Connection) throws -> Recovery {
    var recovery = Recovery(file: connection.file)
    let databases = try connection.prepare(DatabaseRow.selection)
    while try databases.step() { try recovery.add(DatabaseRow(databases)) }
    let entries = try connection.prepare("\(JournalRow.selection) ORDER BY seq")
    while try entries.step() { try recovery.add(JournalRow(entries)) }
    recovery.finish()
    return recovery
  }

  /// A journal that was lost or replaced must not pass for a new one: the checkpoints tell.
  private func refuseStrangers(known: Set<String>, isNew: Bool) throws(StorageError) {
    let strangers = try DataFolder.checkpointNames(in: folder).filter { !known.contains($0) }
    guard let first = strangers.first else { return }
    let path = "\(folder)/db/\(first).sqlite"
    guard !known.isEmpty else {
      throw StorageError(
        .corrupt,
        """
        journal.sqlite \(isNew ? "is missing" : "is empty") but \(path) is there: restore the journal of the \
        same backup, or move the db folder away to start anew
        """)
    }
    notices.append("\(path) belongs to no database of this journal and is left alone")
  }

  /// Finishes deletions that a crash interrupted.
  private func bury(_ recovery: Recovery, in file: JournalFile) throws {
    for grave in recovery.graves {
      // A database that has the name now was created after the file was removed.
      if !recovery.liveNames.contains(grave.name), let database = try? DatabaseID(grave.name) {
        try DataFolder.removeFile(DataFolder.checkpointPath(of: database, in: folder))
      }
      try remove(grave.number, from: file)
    }
  }

  private func finishOpening(_ connection: borrowing Connection) throws(SQLiteError) {
    // Still in full sync: the note must be on disk before commits that rely on it.
    if try connection.integer("SELECT durability FROM state") != durability.rawValue {
      try connection.execute("INSERT OR REPLACE INTO state VALUES(1, \(durability.rawValue))")
    }
    let pages = try connection.integer("PRAGMA page_count") ?? 0
    let free = try connection.integer("PRAGMA freelist_count") ?? 0
    if pages > Self.smallFilePages && free > pages / 2 { try connection.execute("VACUUM") }
    if durability == .relaxed { try connection.execute("PRAGMA synchronous = NORMAL") }
    connection.countLogFrames()
    connection.keepLogOnClose(false)
  }

  private func adopt(_ recovery: Recovery) {
    tracks = [:]
    for track in recovery.tracks.values {
      tracks[track.database] = track
      if let damage = track.damage { notices.append(damage) }
    }
    lastRow = recovery.lastRow
    lastNumber = recovery.lastNumber
  }
}

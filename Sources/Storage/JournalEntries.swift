import Engine

/// A database's entries after a place, read a page at a time on the journal's thread.
struct JournalEntries: AsyncSequence, Sendable {
  typealias Element = LogEntry
  typealias Failure = any Error

  let journal: Journal
  let database: DatabaseID
  let after: LogPosition
  let follow: Bool

  func makeAsyncIterator() -> Iterator {
    Iterator(entries: self, last: after)
  }

  struct Iterator: AsyncIteratorProtocol {
    let entries: JournalEntries
    fileprivate(set) var last: LogPosition
    private var page: ArraySlice<LogEntry> = []
    private var isFinished = false

    init(entries: JournalEntries, last: LogPosition) {
      self.entries = entries
      self.last = last
    }

    mutating func next() async throws -> LogEntry? {
      if page.isEmpty && !isFinished {
        let journal = entries.journal
        page = try await journal.page(of: entries.database, after: last, follow: entries.follow)[...]
        isFinished = page.isEmpty
      }
      guard let entry = page.popFirst() else { return nil }
      last = entry.position
      return entry
    }
  }
}

extension Journal {
  /// Entries and bytes in one page: short enough not to hold up appends.
  private static let pageEntries = 256
  private static let pageBytes = 1 << 20

  /// The next entries after a place; empty at the tail, unless `follow` waits there, and when the task is
  /// cancelled.
  func page(
    of database: DatabaseID, after: LogPosition, follow: Bool
  ) async throws(CommitLogError) -> [LogEntry] {
    while true {
      let page = try read(database, after: after)
      if !page.isEmpty || !follow || Task.isCancelled { return page }
      await waitForAppend(to: database)
    }
  }

  private func waitForAppend(to database: DatabaseID) async {
    let id = followers.makeID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { followers.add(id, to: database, $0) }
    } onCancel: {
      enter { $0.followers.cancel(id, of: database) }
    }
  }

  private func read(_ database: DatabaseID, after: LogPosition) throws(CommitLogError) -> [LogEntry] {
    let (file, track) = try track(of: database)
    do throws(SQLiteError) {
      try check(after, of: track, in: file)
      var page: [LogEntry] = []
      var bytes = 0
      var last = after
      while page.count < Self.pageEntries, bytes < Self.pageBytes, let row = track.row(of: last.index + 1) {
        let entry = try file.read(row: row) { $0?.entry(after: last, of: track) }
        guard let entry else {
          throw .damage(
            "database \(database.name): entry \(last.index + 1) in row \(row)", in: file.connection.file)
        }
        page.append(entry)
        bytes += entry.payload.count
        last = entry.position
      }
      return page
    } catch {
      throw error.asLogError
    }
  }

  /// Makes sure that a database's history has this place, and that all entries after it are kept.
  func check(_ place: LogPosition, of database: DatabaseID) throws(CommitLogError) {
    let (file, track) = try track(of: database)
    do throws(SQLiteError) {
      try check(place, of: track, in: file)
    } catch {
      throw error.asLogError
    }
  }

  /// Makes everything appended so far durable, whatever the mode.
  func synchronize() throws(CommitLogError) {
    let file = try openFile()
    do throws(SQLiteError) {
      try file.connection.checkpointLog()
    } catch {
      throw error.asLogError
    }
  }

  private func check(_ place: LogPosition, of track: Track, in file: JournalFile) throws(SQLiteError) {
    let name = "database \(track.database.name)"
    guard place.index >= track.base.index else {
      throw .damage(
        "\(name): entries from \(place.index + 1) to \(track.base.index) were trimmed",
        in: file.connection.file)
    }
    guard place.index <= track.tail.index else {
      throw .damage(
        "\(name): ends at entry \(track.tail.index), before \(place.index)", in: file.connection.file)
    }
    var found: ChainDigest? = track.base.digest
    if let row = track.row(of: place.index) { found = try file.read(row: row) { $0?.digest } }
    guard found == place.digest else {
      throw .damage("\(name): entry \(place.index) belongs to another history", in: file.connection.file)
    }
  }
}

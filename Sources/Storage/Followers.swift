import Engine

/// Readers that wait for a database's next entry.
struct Followers {
  private var waiting: [DatabaseID: [UInt64: CheckedContinuation<Void, Never>]] = [:]
  private var lastID: UInt64 = 0

  var isEmpty: Bool { waiting.isEmpty }

  /// A name for one wait, so that it can be called off.
  mutating func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }

  mutating func add(_ id: UInt64, to database: DatabaseID, _ continuation: CheckedContinuation<Void, Never>) {
    waiting[database, default: [:]][id] = continuation
  }

  mutating func cancel(_ id: UInt64, of database: DatabaseID) {
    guard let continuation = waiting[database]?.removeValue(forKey: id) else { return }
    if waiting[database]?.isEmpty == true { waiting[database] = nil }
    continuation.resume()
  }

  mutating func wake(_ databases: Set<DatabaseID>) {
    for database in databases {
      for continuation in (waiting.removeValue(forKey: database) ?? [:]).values { continuation.resume() }
    }
  }

  mutating func wakeAll() {
    wake(Set(waiting.keys))
  }
}

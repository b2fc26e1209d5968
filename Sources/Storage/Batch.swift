import Engine

/// One group commit in the making: appends of any databases, in the order they came in.
///
/// The tracks run ahead of the file while it is made; `retreat` takes them back when the transaction fails.
struct Batch {
  /// What each append is told if the transaction commits; missing where it failed before.
  private var outcomes: [Result<AppendResult, CommitLogError>] = []
  /// Rows inserted.
  private(set) var count = 0
  private var undo: [(track: Track, tail: LogPosition)] = []

  /// The longest payload that is taken, in bytes: far above any batch of writes, below SQLite's bound.
  static let payloadLimitBytes = 512 << 20

  /// Inserts the append if it follows its database's tail.
  mutating func add(
    _ append: Append, to track: Track?, row: Int64, in file: JournalFile
  ) throws(SQLiteError) {
    guard let track else {
      return outcomes.append(.failure(.io("there is no database \(append.database.name)")))
    }
    if let damage = track.damage { return outcomes.append(.failure(.corrupt(damage))) }
    let tail = track.tail
    guard append.after.isSamePlace(as: tail), append.epoch >= tail.epoch else {
      return outcomes.append(.success(.superseded))
    }
    guard append.payload.count <= Self.payloadLimitBytes else {
      return outcomes.append(.failure(.io("an entry of \(append.payload.count) bytes is too long")))
    }
    let position = try append.payload.withUnsafeBufferPointer { (bytes) throws(SQLiteError) in
      let payload = UnsafeRawBufferPointer(bytes)
      let kind = append.kind.rawValue
      let digest = Chain.digest(
        after: tail.digest, epoch: append.epoch, index: tail.index + 1, kind: kind, payload: payload)
      let position = LogPosition(
        epoch: append.epoch, index: tail.index + 1, digest: digest, token: UInt64(bitPattern: row))
      try file.insert(row: row, database: track.number, position: position, kind: kind, payload: payload)
      return position
    }
    undo.append((track, tail))
    track.extend(to: position)
    count += 1
    outcomes.append(.success(.committed(position)))
  }

  /// What an append is told: with a failure, all that were or would have been inserted failed.
  func outcome(_ place: Int, failure: CommitLogError?) -> Result<AppendResult, CommitLogError> {
    guard let failure else { return outcomes[place] }
    guard place < outcomes.count else { return .failure(failure) }
    if case .success(.committed) = outcomes[place] { return .failure(failure) }
    return outcomes[place]
  }

  /// Takes the tracks back to where they were; to be called once, when nothing was written.
  func retreat() {
    for (track, tail) in undo.reversed() { track.retreat(to: tail) }
  }

  /// The databases that got entries.
  var changed: Set<DatabaseID> { Set(undo.map(\.track.database)) }
}

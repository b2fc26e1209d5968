/// One durable entry of a database's log.
package struct LogEntry: Sendable {
  /// What the payload is. Unknown kinds must stop recovery, never be skipped.
  package enum Kind: UInt8, Sendable {
    /// A batch of resolved sets (`EntryCodec`).
    case writes = 1
  }
  /// Where the log stands once this entry is in it.
  package let position: LogPosition
  package let kind: Kind
  package let payload: [UInt8]

  package init(position: LogPosition, kind: Kind, payload: [UInt8]) {
    self.position = position
    self.kind = kind
    self.payload = payload
  }
}

/// What became of an append that did not fail.
package enum AppendResult: Sendable, Equatable {
  /// Durable, at this place.
  case committed(LogPosition)
  /// Somebody else has written after `after`: nothing was appended.
  case superseded
}

/// Why the log could not do something. `outcomeUnknown` alone leaves open whether an append happened.
package enum CommitLogError: Error, Equatable, Sendable {
  case diskFull(String)
  case io(String)
  /// The file and the place that do not hold what was written.
  case corrupt(String)
  case closed
  case outcomeUnknown(String)
}

/// The ordered, durable record of every change of every database of this node.
package protocol CommitLog: Sendable {
  /// Appends right after `after`, or not at all.
  ///
  /// `completion` runs exactly once, on a thread of the log's own, when the entry is durable or the append
  /// has failed; it must be short. Any error but `outcomeUnknown` means that nothing was appended.
  func append(
    _ payload: [UInt8], kind: LogEntry.Kind, epoch: UInt64, to database: DatabaseID, after: LogPosition,
    completion: @escaping @Sendable (Result<AppendResult, CommitLogError>) -> Void)

  /// The place of the last entry, `start` when there is none.
  func tail(of database: DatabaseID) async throws(CommitLogError) -> LogPosition

  /// The entries after a place, in order. Throws `CommitLogError.corrupt` when the entry at `after` has
  /// another digest than `after` says, or when the chain breaks. With `follow` it waits for entries to come,
  /// otherwise it ends at the tail.
  func entries(of database: DatabaseID, after: LogPosition, follow: Bool)
    -> any AsyncSequence<LogEntry, any Error> & Sendable

  /// Forgets entries below an index; always keeps the last one.
  func trim(_ database: DatabaseID, below index: UInt64) async throws(CommitLogError)
}

import Engine
import Synchronization

/// What one caller wants appended, and how to tell it what became of that.
struct Append: Sendable {
  let payload: [UInt8]
  let kind: LogEntry.Kind
  let epoch: UInt64
  let database: DatabaseID
  let after: LogPosition
  let completion: @Sendable (Result<AppendResult, CommitLogError>) -> Void
}

/// Where appends of all databases wait for the next commit: whatever came in meanwhile is taken at once.
final class Mailbox: Sendable {
  private struct Contents: Sendable {
    var appends: [Append] = []
    /// Whether somebody is on the way to empty it.
    var isExpected = false
    var isClosed = false
  }
  private let contents = Mutex(Contents())

  enum Arrival { case wakeUp, queued, closed }

  /// Leaves an append; on `wakeUp` the caller must see to it that somebody empties the mailbox.
  func put(_ append: Append) -> Arrival {
    contents.withLock { contents in
      guard !contents.isClosed else { return .closed }
      contents.appends.append(append)
      if contents.isExpected { return .queued }
      contents.isExpected = true
      return .wakeUp
    }
  }

  /// Nothing waits at this moment.
  var isEmpty: Bool { contents.withLock { $0.appends.isEmpty } }

  /// Takes everything; with nothing there, the next `put` asks for a wake-up again.
  func take() -> [Append] {
    contents.withLock { contents in
      var taken: [Append] = []
      swap(&taken, &contents.appends)
      if taken.isEmpty { contents.isExpected = false }
      // The next batch is likely to be as large.
      contents.appends.reserveCapacity(min(taken.count, 1024))
      return taken
    }
  }

  /// Takes what is left and refuses the rest.
  func close() -> [Append] {
    contents.withLock { contents in
      contents.isClosed = true
      var taken: [Append] = []
      swap(&taken, &contents.appends)
      return taken
    }
  }
}

package import Engine
import Synchronization

/// A log in memory: durable as long as the process lives, with a chain of its own.
package final class MemoryLog: CommitLog, Sendable {
  private struct Journal {
    var entries: [LogEntry] = []
    /// What was trimmed away before `entries`.
    var base = LogPosition.start

    var tail: LogPosition { entries.last?.position ?? base }
  }

  private let journals = Mutex<[DatabaseID: Journal]>([:])

  package init() {}

  package func append(
    _ payload: [UInt8], kind: LogEntry.Kind, epoch: UInt64, to database: DatabaseID, after: LogPosition,
    completion: @escaping @Sendable (Result<AppendResult, CommitLogError>) -> Void
  ) {
    completion(.success(appendNow(payload, kind: kind, epoch: epoch, to: database, after: after)))
  }

  package func appendNow(
    _ payload: [UInt8], kind: LogEntry.Kind, epoch: UInt64, to database: DatabaseID, after: LogPosition
  ) -> AppendResult {
    journals.withLock { journals in
      var journal = journals[database] ?? Journal()
      guard journal.tail == after else { return .superseded }
      let position = LogPosition(
        epoch: epoch, index: after.index + 1, digest: MemoryLog.chain(after.digest, payload),
        token: after.token + 1)
      journal.entries.append(LogEntry(position: position, kind: kind, payload: payload))
      journals[database] = journal
      return .committed(position)
    }
  }

  package func tail(of database: DatabaseID) async throws(CommitLogError) -> LogPosition {
    journals.withLock { $0[database]?.tail ?? .start }
  }

  package func entries(
    of database: DatabaseID, after: LogPosition, follow: Bool
  ) -> any AsyncSequence<LogEntry, any Error> & Sendable {
    precondition(!follow, "a memory log is not followed")
    let found = journals.withLock { journals -> Result<[LogEntry], CommitLogError> in
      guard let journal = journals[database] else {
        return after == .start ? .success([]) : .failure(.corrupt("no such log"))
      }
      let known = journal.entries.first { $0.position.index == after.index }?.position
      guard after == journal.base || known == after else {
        return .failure(.corrupt("the log does not hold the entry at \(after)"))
      }
      return .success(journal.entries.filter { $0.position.index > after.index })
    }
    return AsyncThrowingStream<LogEntry, any Error> { stream in
      switch found {
      case .success(let entries):
        for entry in entries { stream.yield(entry) }
        stream.finish()
      case .failure(let error):
        stream.finish(throwing: error)
      }
    }
  }

  package func trim(_ database: DatabaseID, below index: UInt64) async throws(CommitLogError) {
    journals.withLock { journals in
      guard var journal = journals[database], let last = journal.entries.last else { return }
      let kept = min(index, last.position.index)
      if let before = journal.entries.last(where: { $0.position.index < kept }) {
        journal.base = before.position
      }
      journal.entries.removeAll { $0.position.index < kept }
      journals[database] = journal
    }
  }

  /// How many entries are kept.
  package func count(of database: DatabaseID) -> Int {
    journals.withLock { $0[database]?.entries.count ?? 0 }
  }

  /// The payloads that are kept, as text.
  package func texts(of database: DatabaseID) -> [String] {
    journals.withLock { journals in
      (journals[database]?.entries ?? []).map { String(decoding: $0.payload, as: UTF8.self) }
    }
  }

  /// Changes one byte of an entry that is kept, as a bad disk would; its digest stays.
  package func damage(_ database: DatabaseID, index: UInt64, to payload: String) {
    journals.withLock { journals in
      guard let place = journals[database]?.entries.firstIndex(where: { $0.position.index == index }) else {
        return
      }
      guard let old = journals[database]?.entries[place] else { return }
      journals[database]?.entries[place] = LogEntry(
        position: old.position, kind: old.kind, payload: Array(payload.utf8))
    }
  }

  /// Loses entries, as a disk that lied about a flush would.
  package func lose(_ database: DatabaseID, after index: UInt64) {
    journals.withLock { journals in
      journals[database]?.entries.removeAll { $0.position.index > index }
    }
  }

  /// Not a hash to trust, but one that changes with every byte.
  private static func chain(_ digest: ChainDigest, _ payload: [UInt8]) -> ChainDigest {
    var words = digest.words
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325 ^ words.3
    for byte in payload { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    words = (words.0 &+ sum, words.1 ^ sum, words.2 &* 31 &+ sum, sum)
    return ChainDigest(words.0, words.1, words.2, words.3)
  }
}

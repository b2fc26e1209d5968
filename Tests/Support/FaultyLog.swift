package import Engine
import Synchronization

/// A log that does what a test tells it to.
package final class FaultyLog: CommitLog, Sendable {
  /// What becomes of one append.
  package enum Fate: Sendable {
    case success
    /// Nothing is appended.
    case failure(CommitLogError)
    /// Neither appended nor answered until `release`.
    case hang
    /// Appended, but the answer says that nobody knows.
    case unknownThoughAppended
    /// Not appended, and the answer says that nobody knows.
    case unknownAndAbsent
  }

  private struct State {
    var fates: [Fate] = []
    var standing = Fate.success
    var held: [@Sendable (CommitLogError?) -> Void] = []
    var tailFailures = 0
    var appends = 0
    var isDead = false
  }

  package let log: MemoryLog
  private let state = Mutex(State())

  package init(_ log: MemoryLog = MemoryLog()) {
    self.log = log
  }

  /// What becomes of the next appends, one after another.
  package func next(_ fates: Fate...) {
    state.withLock { $0.fates += fates }
  }

  /// What becomes of appends that `next` says nothing of.
  package func always(_ fate: Fate) {
    state.withLock { $0.standing = fate }
  }

  /// Forgets what `next` said of appends that have not come.
  package func calm() {
    state.withLock { $0.fates = [] }
  }

  /// Makes the next readings of the tail fail.
  package func failTail(times: Int) {
    state.withLock { $0.tailFailures = times }
  }

  /// Carries out what hangs.
  package func release() {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for append in held { append(nil) }
  }

  /// Fails what hangs: nothing was appended.
  package func failHeld(_ error: CommitLogError) {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for append in held { append(error) }
  }

  /// Drops what hangs, as a crash would.
  package func forget() {
    state.withLock { state in
      state.held = []
      state.fates = []
    }
  }

  /// The process that has this log dies: what hangs, and whatever it asks from now on, is neither done nor
  /// answered. Another process opens `log` with one of its own.
  package func die() {
    state.withLock { state in
      state.held = []
      state.isDead = true
    }
  }

  /// How many appends were asked for.
  package var appends: Int { state.withLock(\.appends) }

  package func append(
    _ payload: [UInt8], kind: LogEntry.Kind, epoch: UInt64, to database: DatabaseID, after: LogPosition,
    completion: @escaping @Sendable (Result<AppendResult, CommitLogError>) -> Void
  ) {
    let log = log
    let append = { @Sendable in
      log.appendNow(payload, kind: kind, epoch: epoch, to: database, after: after)
    }
    let fate = state.withLock { state -> Fate? in
      if state.isDead { return nil }
      state.appends += 1
      return state.fates.isEmpty ? state.standing : state.fates.removeFirst()
    }
    switch fate {
    case nil: break
    case .success: completion(.success(append()))
    case .failure(let error): completion(.failure(error))
    case .hang:
      state.withLock { state in
        state.held.append { error in
          completion(error.map { .failure($0) } ?? .success(append()))
        }
      }
    case .unknownThoughAppended:
      _ = append()
      completion(.failure(.outcomeUnknown("the answer was lost")))
    case .unknownAndAbsent: completion(.failure(.outcomeUnknown("the question was lost")))
    }
  }

  package func tail(of database: DatabaseID) async throws(CommitLogError) -> LogPosition {
    let fails = state.withLock { state in
      if state.isDead { return true }
      guard state.tailFailures > 0 else { return false }
      state.tailFailures -= 1
      return true
    }
    if fails { throw .io("the tail can't be read") }
    return try await log.tail(of: database)
  }

  package func entries(
    of database: DatabaseID, after: LogPosition, follow: Bool
  ) -> any AsyncSequence<LogEntry, any Error> & Sendable {
    log.entries(of: database, after: after, follow: follow)
  }

  package func trim(_ database: DatabaseID, below index: UInt64) async throws(CommitLogError) {
    if state.withLock(\.isDead) { return }
    try await log.trim(database, below: index)
  }
}

import Engine
import NIOCore

/// The log of all databases of this node in one file, so that one commit covers whatever came in from any
/// of them.
///
/// Everything happens on its own event loop's thread, which waits for the disk; `append` may be called from
/// any thread.
actor Journal {
  /// Frames in the write-ahead log, of 4 KB, after which they are moved into the file. Appends wait for that
  /// and for one sync: it is done early when none waits, and put off while they keep coming.
  private static let checkpointFrames = (quiet: 128, busy: 1000)

  let folder: String
  let durability: Durability
  let faults: FaultHook?
  private nonisolated let eventLoop: any EventLoop
  private nonisolated let executor: any SerialExecutor
  private nonisolated let mailbox = Mailbox()

  /// Nil before the first use, and after a failure that leaves open what the file holds.
  var file: JournalFile?
  var tracks: [DatabaseID: Track] = [:]
  /// The number of the newest row.
  var lastRow: Int64 = 0
  /// The highest number that a database has.
  var lastNumber: Int64 = 0
  /// What was found and mended at openings, for the operator.
  var notices: [String] = []
  var followers = Followers()
  /// Trims between two slices.
  var resting: [UInt64: CheckedContinuation<Void, Never>] = [:]
  /// While it is above zero, trims are put off until the next one.
  private(set) var trimHolds = 0
  private(set) var isClosed = false
  /// Whether the write-ahead log may hold frames of a commit that failed.
  private var holdsFailedFrames = false
  private(set) var counters = JournalCounters()

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(folder: String, durability: Durability, eventLoop: any EventLoop, faults: FaultHook?) {
    self.folder = folder
    self.durability = durability
    self.faults = faults
    self.eventLoop = eventLoop
    executor = eventLoop.executor
  }

  /// Queues an append for the next commit.
  nonisolated func append(_ append: Append) {
    switch mailbox.put(append) {
    case .queued: return
    case .wakeUp: enter { $0.drain() }
    case .closed: eventLoop.execute { append.completion(.failure(.closed)) }
    }
  }

  /// Runs `work` on the journal's thread, after what was entered before.
  nonisolated func enter(_ work: @escaping @Sendable (isolated Journal) -> Void) {
    eventLoop.execute { self.assumeIsolated { work($0) } }
  }

  /// Commits whatever waits, then looks again: the next batch has filled meanwhile.
  private func drain() {
    let appends = mailbox.take()
    guard !appends.isEmpty else { return }
    let (batch, failure) = commit(appends)
    for (place, append) in appends.enumerated() {
      append.completion(batch.outcome(place, failure: failure))
    }
    if !followers.isEmpty { followers.wake(batch.changed) }
    let frames = mailbox.isEmpty ? Self.checkpointFrames.quiet : Self.checkpointFrames.busy
    if let file, file.connection.logFrames >= frames {
      // Failing only lets the log grow until the next try.
      try? file.connection.checkpointLog()
    }
    enter { $0.drain() }
  }

  /// Writes all appends in one transaction, or none.
  private func commit(_ appends: [Append]) -> (Batch, CommitLogError?) {
    var batch = Batch()
    let file: JournalFile
    do throws(CommitLogError) {
      file = try openFile()
    } catch {
      return (batch, error)
    }
    clearFailedFrames(in: file)
    var isCommitting = false
    do throws(SQLiteError) {
      try file.beginTransaction()
      for append in appends {
        let row = lastRow + Int64(batch.count) + 1
        try batch.add(append, to: tracks[append.database], row: row, in: file)
      }
      isCommitting = true
      if batch.count > 0 { try file.commitTransaction() } else { file.rollBack() }
      lastRow += Int64(batch.count)
      counters.entries += batch.count
      counters.commits += batch.count > 0 ? 1 : 0
      return (batch, nil)
    } catch {
      let isInDoubt = isCommitting && error.leavesCommitInDoubt
      return (batch, settle(batch, in: file, after: error, isInDoubt: isInDoubt))
    }
  }

  /// Brings the tracks in line with what the file holds after a failed transaction.
  private func settle(
    _ batch: Batch, in file: JournalFile, after error: SQLiteError, isInDoubt: Bool
  ) -> CommitLogError {
    file.rollBack()
    holdsFailedFrames = true
    if !file.connection.isIdle {
      // Neither committed nor rolled back: the next use opens the file anew and reads what is there.
      self.file = nil
    } else if isInDoubt, (try? file.hasRow(lastRow + Int64(batch.count))) ?? false {
      lastRow += Int64(batch.count)
      return error.asUnknownOutcome
    }
    batch.retreat()
    return isInDoubt ? error.asUnknownOutcome : error.asLogError
  }

  /// Makes sure that frames of a failed commit are never taken for lost ones: a log that is empty starts a
  /// new generation.
  private func clearFailedFrames(in file: JournalFile) {
    guard holdsFailedFrames else { return }
    // The next commit fails by itself if the disk still does.
    guard (try? file.connection.checkpointLog()) != nil else { return }
    holdsFailedFrames = false
  }

  /// Ends a trim's rest after some time.
  func wake(_ id: UInt64, in time: TimeAmount) {
    eventLoop.scheduleTask(in: time) {
      self.assumeIsolated { $0.resting.removeValue(forKey: id)?.resume() }
    }
  }

  /// Keeps all entries until `releaseTrims`.
  func holdTrims() { trimHolds += 1 }

  func releaseTrims() { trimHolds -= 1 }

  /// Refuses new appends, ends followers and closes the file.
  func close() {
    guard !isClosed else { return }
    for append in mailbox.close() { append.completion(.failure(.closed)) }
    isClosed = true
    file = nil
    followers.wakeAll()
    // They find it closed, while its loop still runs.
    for continuation in resting.values { continuation.resume() }
    resting = [:]
  }
}

/// How often the journal waited for the disk, and for how much.
package struct JournalCounters: Sendable, Equatable {
  /// Transactions that appended something.
  package internal(set) var commits = 0
  package internal(set) var entries = 0
}

/// When an append counts as durable.
package enum Durability: Int64, Sendable {
  /// Each commit waits until the disk has it.
  case full = 1
  /// SQLite syncs on its own: the last moments may be lost with the power, nothing is torn.
  case relaxed = 2
}

import JSONTree
import NIOCore

extension Database {
  /// Starts a checkpoint when enough lies behind the last one, or else sees to it that one is made some time.
  func checkpointIfDue() {
    guard entriesSinceCheckpoint > 0, !isSaving else { return }
    if entriesSinceCheckpoint >= options.checkpointEntries || bytesSinceCheckpoint >= options.checkpointBytes
    {
      return saveCheckpoint()
    }
    guard checkpointTimer == nil else { return }
    checkpointTimer = eventLoop.scheduleTask(in: .seconds(options.checkpointSeconds)) { [weak self] in
      self?.enter { database in
        database.checkpointTimer = nil
        database.saveCheckpoint()
      }
    }
  }

  /// Writes the committed state in the background, then lets the log forget what it covers.
  func saveCheckpoint() {
    guard entriesSinceCheckpoint > 0, !isSaving else { return }
    isSaving = true
    checkpointTimer?.cancel()
    checkpointTimer = nil
    let new = Checkpoint(root: committed.root, position: position)
    let old = lastCheckpoint
    entriesSinceCheckpoint = 0
    bytesSinceCheckpoint = 0
    Task.detached { [id, log, checkpoints] in
      var error: CommitLogError?
      do throws(CommitLogError) {
        try await checkpoints.save(id, from: old, to: new)
      } catch let failure {
        error = failure
      }
      let failure = error
      self.enterLater { $0.saved(new, failure) }
      // The last entry stays, so that the chain can be followed across the checkpoint.
      if failure == nil { try? await log.trim(id, below: new.position.index) }
    }
  }

  private func saved(_ checkpoint: Checkpoint, _ error: CommitLogError?) {
    isSaving = false
    if let error {
      options.report(.checkpointFailed(id, "\(error)"))
      counters.failedCheckpoints += 1
      entriesSinceCheckpoint += 1
    } else {
      counters.checkpoints += 1
      if let lastCheckpoint { Reaper.release(lastCheckpoint.root) }
      lastCheckpoint = checkpoint
    }
    if case .saving(let completions) = closing { return finishClosing(completions) }
    checkpointIfDue()
    settleClosing()
  }

  /// Refuses new requests, ends all sessions, commits, writes a checkpoint and calls back on the database's
  /// loop.
  package func close(_ completion: @escaping @Sendable () -> Void) {
    switch closing {
    case .no:
      for session in sessions.values { detach(session.client) }
      closing = .waiting([completion])
      settleClosing()
    case .waiting(let completions): closing = .waiting(completions + [completion])
    case .saving(let completions): closing = .saving(completions + [completion])
    case .done: completion()
    }
  }

  /// Goes on with closing once nothing is on its way any more.
  func settleClosing() {
    guard case .waiting(let completions) = closing, !isSaving else { return }
    let isQuiet = inFlight == nil && sealed.isEmpty && open.isEmpty
    guard isQuiet || isSuperseded else { return }
    if entriesSinceCheckpoint == 0 || isSuperseded { return finishClosing(completions) }
    closing = .saving(completions)
    saveCheckpoint()
  }

  private func finishClosing(_ completions: [@Sendable () -> Void]) {
    closing = .done
    checkpointTimer?.cancel()
    checkpointTimer = nil
    for completion in completions { enterLater { _ in completion() } }
  }

  /// Another writer has the log: only opening the database again helps.
  package var isSuperseded: Bool {
    if case .superseded = logState { return true }
    return false
  }
}

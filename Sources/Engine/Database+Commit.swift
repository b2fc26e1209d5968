import JSONTree
import NIOCore
import Rules

extension Database {
  static let supersededText = "Another writer has taken this database over."

  /// Has the open batch sent at the end of this turn of the loop, so that all that arrives together goes
  /// together.
  func scheduleSeal() {
    guard inFlight == nil, !isSealScheduled, case .ready = logState else { return }
    isSealScheduled = true
    enterLater { database in
      database.isSealScheduled = false
      database.send()
    }
  }

  /// Closes the open batch: later proposals go into the next.
  func seal() {
    if open.isEmpty { return }
    if open.holdsTrees { open.after = built }
    sealed.append(open)
    open = Batch(after: open)
  }

  /// Gives the next batch to the log, unless one is there already.
  func send() {
    while inFlight == nil, case .ready = logState {
      if sealed.isEmpty { seal() }
      guard !sealed.isEmpty else { break }
      let batch = sealed.removeFirst()
      if batch.isUnchanging {
        complete(batch)
        continue
      }
      inFlight = batch
      EntryCodec.finish(&batch.payload)
      counters.loggedBytes += UInt64(batch.payload.count)
      log.append(batch.payload, kind: .writes, epoch: epoch, to: id, after: position) { result in
        self.enterLater { $0.appended(result) }
      }
    }
    settleClosing()
  }

  /// As `send`, but a batch that is not full goes when the loop has looked at its sockets: whoever has just
  /// been answered is likely to write again, and many writes cost the disk little more than a few.
  private func sendSoon() {
    let gathers = options.gatherMicroseconds > 0 && inFlight == nil && sealed.isEmpty && !open.isEmpty
    guard gathers, case .ready = logState else { return send() }
    isSealScheduled = true
    let wait = TimeAmount.microseconds(options.gatherMicroseconds)
    // When the answers are on their way: a loop does not look at its sockets while something is due.
    eventLoop.execute {
      self.eventLoop.scheduleTask(in: wait) {
        self.enter { database in
          database.isSealScheduled = false
          database.send()
        }
      }
    }
  }

  private func appended(_ result: Result<AppendResult, CommitLogError>) {
    guard let batch = inFlight else { return }
    switch result {
    case .success(.committed(let position)):
      commit(batch, at: position)
    case .success(.superseded):
      logState = .superseded
      options.report(.superseded(id))
      fail(batch, Database.supersededText)
    case .failure(.outcomeUnknown(let text)):
      logState = .finding
      options.report(.outcomeUnknown(id, text))
      findOutcome(of: batch, attempt: 0)
    case .failure(let error):
      options.report(.writesFailed(id, "\(error)"))
      fail(batch, "\(error)")
    }
    sendSoon()
  }

  private func commit(_ batch: Batch, at position: LogPosition) {
    inFlight = nil
    self.position = position
    history.append(batch.steps, at: position, nowMilliseconds: clock.nowMilliseconds())
    counters.commits += 1
    entriesSinceCheckpoint += 1
    bytesSinceCheckpoint += UInt64(batch.payload.count)
    complete(batch)
    if !retained.isEmpty { resubmitRetained() }
    checkpointIfDue()
  }

  /// The batch is durable: listeners first, then answers, then the reads that waited.
  private func complete(_ batch: Batch) {
    if batch.freeableNodes <= 0 { Reaper.release(committed.root) }
    if !watches.isEmpty { buildSteps(of: [batch]) }
    if let after = batch.after {
      let before = committed.data
      committed = after
      settleHead()
      if batch.rules == nil { recheck(after: batch, from: before) }
    }
    for step in batch.steps { announce(step) }
    if let rules = batch.rules {
      self.rules = rules
      recheckAll()
    }
    pendingRequests -= batch.items.count + batch.reads.count
    pendingBytes -= batch.bytes
    for item in batch.items { release(item, batch) }
    for (session, read) in batch.reads {
      session.pending -= 1
      if session.waitsFor === batch { session.waitsFor = nil }
      perform(read, session)
    }
  }

  private func release(_ item: BatchItem, _ batch: Batch) {
    guard let session = item.session else { return }
    session.pending -= 1
    if session.waitsFor === batch { session.waitsFor = nil }
    answer(item.outcome, item.tag, session)
  }

  // MARK: Failure

  /// The batch is not in the log and never will be: its writes fail, and all that came after is sequenced
  /// again.
  private func fail(_ batch: Batch, _ text: String) {
    inFlight = nil
    counters.failedCommits += 1
    let following = sealed + [open]
    sealed = []
    open = Batch()
    built = nil
    headRules = rules
    pendingBytes = 0
    let all = [batch] + following
    restorePresence(all)

    var again: [BatchItem] = []
    for item in batch.items {
      if !item.isChange {
        again.append(item)
      } else if let session = item.session {
        session.pending -= 1
        pendingRequests -= 1
        answer(.failed(EngineError(.unavailable(text))), item.tag, session)
      } else {
        pendingRequests -= 1
        retained.append(item)
      }
    }
    again += following.flatMap(\.items)
    for item in again { resequence(item) }
    open.reads = all.flatMap(\.reads)
    for item in open.items { item.session?.waitsFor = open }
    for (session, _) in open.reads { session.waitsFor = open }
    for item in batch.items where item.isChange {
      guard let session = item.session, session.pending == 0 else { continue }
      session.waitsFor = nil
    }
    if case .superseded = logState { return refuseAll(text) }
    if !retained.isEmpty { scheduleRetry() }
    scheduleSeal()
  }

  private func resequence(_ item: BatchItem) {
    var item = item
    item.outcome = .done
    item.isChange = false
    let before = open.payload.count
    sequence(&item)
    count(open.payload.count - before, item)
    open.items.append(item)
  }

  /// There will be no more log: whatever waits is answered, reads from the committed state.
  private func refuseAll(_ text: String) {
    let batch = open
    open = Batch()
    built = nil
    headRules = rules
    restorePresence([batch])
    pendingBytes -= batch.bytes
    let rest = Batch()
    rest.reads = batch.reads
    for var item in batch.items {
      if item.isChange { item.outcome = .failed(EngineError(.unavailable(text))) }
      rest.items.append(item)
    }
    for item in rest.items { item.session?.waitsFor = rest }
    for (session, _) in rest.reads { session.waitsFor = rest }
    complete(rest)
  }

  /// Tries what the engine itself has to write once more, some time from now.
  private func scheduleRetry() {
    if isRetryScheduled { return }
    isRetryScheduled = true
    eventLoop.scheduleTask(in: .seconds(1)) { [weak self] in
      self?.enter { database in
        database.isRetryScheduled = false
        database.resubmitRetained()
      }
    }
  }

  private func resubmitRetained() {
    let items = retained
    retained = []
    // Closed meanwhile: what is left is in the state and is done at the next start.
    if case .done = closing { return }
    for item in items { enqueue(item) }
  }

  // MARK: Unknown outcomes

  private enum Finding: Sendable { case committed(LogPosition), absent, superseded, unknown }

  /// Reads the log's tail again: until it is known whether the batch is there, nothing goes on.
  private func findOutcome(of batch: Batch, attempt: Int) {
    let payload = batch.payload
    let after = position
    let epoch = epoch
    Task.detached { [log, id] in
      let finding = await Database.find(payload, epoch, in: log, id, after)
      self.enterLater { $0.found(finding, attempt: attempt) }
    }
  }

  private static func find(
    _ payload: [UInt8], _ epoch: UInt64, in log: any CommitLog, _ id: DatabaseID, _ after: LogPosition
  ) async -> Finding {
    do {
      let tail = try await log.tail(of: id)
      if tail.index <= after.index { return tail.index == after.index ? .absent : .superseded }
      for try await entry in log.entries(of: id, after: after, follow: false) {
        let isOurs = entry.position.epoch == epoch && entry.payload == payload && tail == entry.position
        return isOurs ? .committed(entry.position) : .superseded
      }
      return .unknown
    } catch {
      return .unknown
    }
  }

  private func found(_ finding: Finding, attempt: Int) {
    guard let batch = inFlight else { return }
    switch finding {
    case .committed(let position):
      logState = .ready
      commit(batch, at: position)
    case .absent:
      logState = .ready
      options.report(.writesFailed(id, "The log did not take the write."))
      fail(batch, "The log did not take the write.")
    case .superseded:
      logState = .superseded
      options.report(.superseded(id))
      fail(batch, Database.supersededText)
    case .unknown:
      let delay = TimeAmount.milliseconds(Int64(50) << min(attempt, 6))
      eventLoop.scheduleTask(in: delay) { [weak self] in
        self?.enter { database in
          guard let batch = database.inFlight else { return }
          database.findOutcome(of: batch, attempt: attempt + 1)
        }
      }
    }
    send()
  }
}

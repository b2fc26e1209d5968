import JSONTree
import Rules

extension Database {
  /// Writes; answers `written`, `stale` or `failed`, after all pushes that the write (or what it collided
  /// with) caused.
  package func write(_ request: WriteRequest, tag: UInt64, client: Client) {
    submit(.write(request), tag, client)
  }

  /// Registers or cancels what shall happen when the client's session ends; answers `done` when that is
  /// durable.
  package func onDisconnect(_ operation: DisconnectOperation, tag: UInt64, client: Client) {
    submit(.disconnect(operation), tag, client)
  }

  /// Installs rules (nil: the default ones) for an admin; answers `done` when they are in force, or `invalid`
  /// with the compiler's text. All listens are checked again.
  package func installRules(_ text: String?, tag: UInt64, client: Client) {
    submit(.rules(text), tag, client)
  }

  func submit(_ proposal: Proposal, _ tag: UInt64, _ client: Client) {
    guard let session = session(of: client, tag: tag) else { return }
    counters.writes += 1
    if case .superseded = logState {
      return answer(.failed(EngineError(.unavailable(Database.supersededText))), tag, session)
    }
    let isFull = pendingRequests >= options.pendingRequests || pendingBytes >= options.pendingBytes
    if isFull || session.pending >= options.pendingRequestsPerClient {
      return answer(.failed(EngineError(.overloaded)), tag, session)
    }
    enqueue(BatchItem(proposal: proposal, session: session, tag: tag, caller: session.caller))
  }

  /// Something that the engine itself has to get into the log: it is tried until it is.
  func submitOwn(_ proposal: Proposal, caller: Caller) {
    enqueue(BatchItem(proposal: proposal, session: nil, tag: 0, caller: caller))
  }

  /// Sequences a proposal and lets its answer wait for what it stands on.
  func enqueue(_ item: BatchItem) {
    if case .superseded = logState { return }
    var item = item
    let before = open.payload.count
    sequence(&item)
    let isAlone = inFlight == nil && sealed.isEmpty && open.isEmpty
    if !item.isChange, isAlone {
      if let session = item.session { answer(item.outcome, item.tag, session) }
      return
    }
    if let session = item.session {
      session.pending += 1
      session.waitsFor = open
    }
    pendingRequests += 1
    count(open.payload.count - before, item)
    open.items.append(item)
    if open.payload.count >= options.batchBytes { seal() }
    scheduleSeal()
  }

  /// Takes a proposal's bytes into account: those for the log, or those that it holds though it changes
  /// nothing.
  func count(_ payloadBytes: Int, _ item: BatchItem) {
    let bytes = item.isChange ? payloadBytes : item.proposal.estimatedBytes
    open.bytes += bytes
    pendingBytes += bytes
  }

  func sequence(_ item: inout BatchItem) {
    let now = clock.nowMilliseconds()
    switch item.proposal {
    case .write(let request): sequence(request, &item, now)
    case .disconnect(let operation): sequence(operation, &item, now)
    case .rules(let text): sequenceRules(text, &item)
    case .setting(let name, let value): sequenceSetting(name, value, &item)
    case .identity(let session): sequenceIdentity(session, &item)
    case .ending(let session): sequenceEnding(session, &item, now)
    }
  }

  private func sequence(_ request: WriteRequest, _ item: inout BatchItem, _ now: Int64) {
    switch request.kind {
    case .put(let path, let value):
      if let condition = request.condition, let outcome = refusal(condition, path, item.caller, now) {
        item.outcome = outcome
        return
      }
      if let outcome = note(path, value, request, now, &item) {
        item.outcome = outcome
        return
      }
      let entry = MergeEntry(path, resolve(value, at: path, now))
      propose(.set(path, entry.value), [entry], request, &item, now)
    case .merge(let base, let changes):
      guard !base.endsWithPriority, changes.allSatisfy({ $0.path != .root }) else {
        item.outcome = .failed(EngineError(.invalid("An update needs paths below its own.")))
        return
      }
      var relative: [MergeEntry] = []
      var absolute: [MergeEntry] = []
      relative.reserveCapacity(changes.count)
      absolute.reserveCapacity(changes.count)
      for (path, value) in changes {
        let place = base.appending(path)
        let resolved = resolve(value, at: place, now)
        relative.append(MergeEntry(path, resolved))
        absolute.append(MergeEntry(place, resolved))
      }
      propose(.merge(base, relative), absolute, request, &item, now)
    }
  }

  /// Why a conditional put can't go on: its condition does not hold, or tells of data that the caller may not
  /// read.
  private func refusal(_ condition: Condition, _ path: Path, _ caller: Caller, _ now: Int64) -> Outcome? {
    let data = head().data
    let decision = headRules.read(at: path, caller: caller, root: data, nowMilliseconds: now, query: nil)
    let current = condition == .present ? data[path.withoutPriority] : data[path]
    if case .denied(let explanation) = decision {
      // Who may only write may still create: whether anything is there shows anyway.
      if condition.isAbsence, current.isNull { return nil }
      // A priority of nothing leaves no trace: who may not look need not hear that it was for nothing.
      if condition == .present { return nil }
      return .failed(denial(explanation, reading: path, caller, headRules, data, now, nil))
    }
    return condition.holds(for: current) ? nil : .stale(current: current)
  }

  /// Checks a resolved write and makes it the next step.
  private func propose(
    _ change: Change, _ entries: [MergeEntry], _ request: WriteRequest, _ item: inout BatchItem, _ now: Int64
  ) {
    if let error = fault(in: entries, request) {
      item.outcome = .failed(error)
      return
    }
    if case .failed(let error) = step(change, entries, item.caller, now, &item) {
      item.outcome = .failed(error)
      return
    }
    item.outcome = .written(request.wantsValue ? entries : nil)
  }

  enum StepResult { case taken, unchanged, failed(EngineError) }

  /// Asks the rules about a write, and puts it on top of `head` and into the open batch.
  func step(
    _ change: Change, _ entries: [MergeEntry], _ caller: Caller, _ now: Int64, _ item: inout BatchItem
  ) -> StepResult {
    var state = head()
    let before = state.data
    var after = before
    var isChange = false
    for entry in entries {
      let old = after[entry.path]
      if !isChange { isChange = Database.differs(after, entry, from: old) }
      if old.isObject { old.spend(&open.freeableNodes) }
      after.set(entry.value, at: entry.path)
    }
    let decision = headRules.write(
      at: entries.map { $0.path }, caller: caller, before: before, after: after, nowMilliseconds: now)
    if case .denied(let explanation) = decision {
      let paths = entries.map(\.path)
      return .failed(denial(explanation, writing: paths, caller, before, after, now))
    }
    guard isChange else { return .unchanged }
    let sets = entries.lazy.map { ResolvedSet(.data, $0.path, $0.value) }
    guard log({ EntryCodec.append(sets, to: &$0) }) else { return .failed(EngineError(.tooBig)) }
    state.data = after
    advance(to: state)
    open.steps.append(Step(change: change, trees: Step.Trees(before: before, after: after)))
    item.isChange = true
    return .taken
  }

  /// Puts a write into the open batch's payload, unless it is too long.
  private func log(_ append: (inout [UInt8]) -> Void) -> Bool {
    let mark = open.payload.count
    append(&open.payload)
    if open.payload.count - mark <= options.writeBytes { return true }
    open.payload.removeLast(open.payload.count - mark)
    return false
  }

  /// Takes a put of which nobody needs to see the tree before it is durable; nil if it is none, or is not
  /// allowed for sure.
  private func note(
    _ path: Path, _ unresolved: UnresolvedValue, _ request: WriteRequest, _ now: Int64,
    _ item: inout BatchItem
  ) -> Outcome? {
    guard request.condition == nil, unresolved.serverValues.isEmpty, canNote(path),
      headRules.surelyAllows(writing: path, item.caller, now)
    else { return nil }
    let value = unresolved.node
    if let error = fault(in: CollectionOfOne(MergeEntry(path, value)), request) { return .failed(error) }
    let written = Outcome.written(request.wantsValue ? [MergeEntry(path, value)] : nil)
    let old = base.data[path]
    if old == value { return written }
    if old.isObject { old.spend(&open.freeableNodes) }
    guard log({ EntryCodec.append(.data, path, value, to: &$0) }) else {
      return .failed(EngineError(.tooBig))
    }
    open.places.insert(path)
    open.steps.append(Step(change: .set(path, value)))
    item.isChange = true
    return written
  }

  /// Whether an overwrite leaves another tree behind.
  private static func differs(_ data: Node, _ entry: MergeEntry, from old: Node) -> Bool {
    if entry.path.endsWithPriority, data[entry.path.withoutPriority].isNull { return false }
    return old != entry.value
  }

  private func fault(in entries: some Sequence<MergeEntry>, _ request: WriteRequest) -> EngineError? {
    var bytes = 0
    for entry in entries {
      if entry.path.count > Limits.standard.depth { return EngineError(.invalid("The path is too deep.")) }
      if entry.path.endsWithPriority, !entry.value.canBePriority {
        return EngineError(.invalid("A priority is a number, a string or null."))
      }
      if request.sizeLimitBytes != nil { bytes += entry.value.estimatedBytes }
    }
    if let limit = request.sizeLimitBytes, bytes > limit { return EngineError(.tooBig) }
    return nil
  }

  func resolve(_ value: UnresolvedValue, at path: Path, _ now: Int64) -> Node {
    if value.serverValues.isEmpty { return value.node }
    let data = head().data
    return value.resolved(nowMilliseconds: now) { relative in
      if relative == .root { return data[path] }
      // What lies below a priority was never there.
      return path.endsWithPriority ? .null : data[path.appending(relative)]
    }
  }

  private func sequenceRules(_ text: String?, _ item: inout BatchItem) {
    guard item.caller.isAdmin else {
      item.outcome = .failed(EngineError(.permissionDenied(nil)))
      return
    }
    do throws(RulesErrors) {
      let compiled = try text.map { text throws(RulesErrors) in try RuleSet(text: text) }
      headRules = compiled ?? options.defaultRules
    } catch {
      item.outcome = .failed(EngineError(.invalid(error.text)))
      return
    }
    open.rules = headRules
    setMeta([(MetaPath.rules, text.map { Node($0) } ?? .null)], &item)
  }

  /// Puts records of the engine's own on top of `head` and into the open batch.
  func setMeta(_ sets: [(path: Path, value: Node)], _ item: inout BatchItem) {
    if sets.isEmpty { return }
    EntryCodec.append(sets.lazy.map { ResolvedSet(.meta, $0.path, $0.value) }, to: &open.payload)
    var state = head()
    for set in sets { state.meta.set(set.value, at: set.path) }
    advance(to: state)
    item.isChange = true
  }
}

extension Condition {
  /// It demands that nothing is there.
  var isAbsence: Bool {
    switch self {
    case .absent: true
    case .present: false
    case .hash(let hash, _): hash.isEmpty
    }
  }

  func holds(for current: Node) -> Bool {
    switch self {
    case .absent: current.isNull
    case .present: !current.isNull
    case .hash(let hash, let dialects): dialects.contains { current.hash($0) == hash }
    }
  }
}

package import JSONTree
import Rules

extension Database {
  /// Reads once; answers `value` or `failed`. Sees the client's own earlier writes.
  package func get(_ path: Path, query: Query = .all, tag: UInt64, client: Client) {
    request(.get(path, query, tag: tag), tag, client)
  }

  /// Begins a listen: an `.initial` event, then the answer `listening`, then every later change; or answers
  /// `failed`.
  package func listen(_ request: ListenRequest, tag: UInt64, client: Client) {
    self.request(.listen(request, tag: tag), tag, client)
  }

  /// Ends a listen; answers `done`, also when there is no such listen.
  package func unlisten(_ listen: ListenID, tag: UInt64? = nil, client: Client) {
    request(.unlisten(listen, tag: tag), tag ?? 0, client)
  }

  /// Reads wait for the client's own writes; nothing else holds them up.
  private func request(_ read: WaitingRead, _ tag: UInt64, _ client: Client) {
    guard let session = session(of: client, tag: tag) else { return }
    guard let batch = session.waitsFor else { return perform(read, session) }
    guard session.pending < options.pendingRequestsPerClient, pendingRequests < options.pendingRequests else {
      return answer(.failed(EngineError(.overloaded)), tag, session)
    }
    session.pending += 1
    pendingRequests += 1
    batch.reads.append((session, read))
  }

  func perform(_ read: WaitingRead, _ session: Session) {
    guard session.isAttached, !holds(read, session) else { return }
    switch read {
    case .get(let path, let query, let tag):
      counters.reads += 1
      answer(value(at: path, query, session), tag, session)
    case .listen(let request, let tag):
      counters.reads += 1
      answer(begin(request, session), tag, session)
    case .unlisten(let id, let tag):
      if let listen = session.listens[id] { remove(listen) }
      if let tag { answer(.done, tag, session) }
    }
  }

  private func value(at path: Path, _ query: Query, _ session: Session) -> Outcome {
    switch value(at: path, query, as: session.caller) {
    case .success(let value):
      return exceeds(value, options.readBytes) ? .failed(EngineError(.tooBig)) : .value(value)
    case .failure(let error): return .failed(error)
    }
  }

  /// What a caller is given, whatever its size.
  func value(at path: Path, _ query: Query, as caller: Caller) -> Result<Node, EngineError> {
    if let error = refusal(path, query, as: caller) { return .failure(error) }
    if let index = missingIndex(query, at: path) {
      return .failure(EngineError(.noIndex(index: index, path: path)))
    }
    let location = committed.data[path]
    if query.isDefault { return .success(location) }
    let now = clock.nowMilliseconds()
    let index = indexes.index(for: query, at: path, in: committed.data, nowMilliseconds: now)
    if index != nil { scheduleSweep() }
    return .success(filtered(location, query: query, index: index))
  }

  func refusal(_ path: Path, _ query: Query, _ session: Session) -> EngineError? {
    refusal(path, query, as: session.caller)
  }

  func refusal(_ path: Path, _ query: Query, as caller: Caller) -> EngineError? {
    let now = clock.nowMilliseconds(), facts = query == .all ? nil : query.facts
    let decision = rules.read(
      at: path, caller: caller, root: committed.data, nowMilliseconds: now, query: facts)
    guard case .denied(let explanation) = decision else { return nil }
    return denial(explanation, reading: path, caller, rules, committed.data, now, facts)
  }

  /// What `.indexOn` would have to name for the query, when the rules do not.
  func missingIndex(_ query: Query, at path: Path) -> String? {
    guard let name = query.index.declaredName, !rules.hasIndex(name, at: path) else { return nil }
    return name
  }

  /// A value larger than a limit. Many ask for the same value in a row: it is measured once.
  func exceeds(_ value: Node, _ limitBytes: Int) -> Bool {
    if !value.isObject { return false }
    if !value.isIdentical(to: lastMeasured.value) { lastMeasured = (value, value.estimatedBytes) }
    return lastMeasured.bytes > limitBytes
  }
}

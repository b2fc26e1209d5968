package import JSONTree
import Rules

extension Database {
  func sequence(_ operation: DisconnectOperation, _ item: inout BatchItem, _ now: Int64) {
    guard let session = item.session, let key = session.key, session.isAttached else {
      item.outcome = .failed(EngineError(.invalid("This connection has no session.")))
      return
    }
    if let error = refusal(of: operation, item.caller, now) {
      item.outcome = .failed(error)
      return
    }
    var tree = presence[key] ?? DisconnectTree()
    let wasEmpty = tree.isEmpty
    guard let edits = tree.apply(operation, recordLimit: options.disconnectRecordsPerSession) else {
      item.outcome = .failed(EngineError(.overloaded))
      return
    }
    guard tree.bytes <= options.disconnectBytesPerSession else {
      item.outcome = .failed(EngineError(.tooBig))
      return
    }
    if tree.isEmpty {
      presence[key] = nil
      if !wasEmpty { setMeta([(MetaPath.session(key), .null)], &item) }
      return
    }
    presence[key] = tree
    var sets: [(path: Path, value: Node)] = []
    if wasEmpty { sets.append((MetaPath.caller(of: key), Presence.text(of: item.caller))) }
    sets += edits.removed.map { (MetaPath.record($0, of: key), .null) }
    sets += edits.added.map { (MetaPath.record($0.number, of: key), Presence.text(of: $0)) }
    setMeta(sets, &item)
  }

  /// What the rules, or sense, say against an operation now. They are asked again when it is carried out.
  private func refusal(of operation: DisconnectOperation, _ caller: Caller, _ now: Int64) -> EngineError? {
    let writes: [(path: Path, value: UnresolvedValue)]
    switch operation {
    case .put(let path, let value): writes = [(path, value)]
    case .merge(let base, let changes):
      if base.endsWithPriority || changes.contains(where: { $0.path == .root }) {
        return EngineError(.invalid("An update needs paths below its own."))
      }
      writes = changes.map { (base.appending($0.path), $0.value) }
    case .cancel: return nil
    }
    let before = head().data
    var after = before
    for (path, value) in writes {
      if path.count > Limits.standard.depth { return EngineError(.invalid("The path is too deep.")) }
      let resolved = resolve(value, at: path, now)
      if path.endsWithPriority, !resolved.canBePriority {
        return EngineError(.invalid("A priority is a number, a string or null."))
      }
      after.set(resolved, at: path)
    }
    let decision = headRules.write(
      at: writes.map(\.path), caller: caller, before: before, after: after, nowMilliseconds: now)
    guard case .denied(let explanation) = decision else { return nil }
    return denial(explanation, writing: writes.map(\.path), caller, before, after, now)
  }

  func sequenceIdentity(_ session: EndedSession, _ item: inout BatchItem) {
    guard presence[session.key] != nil else { return }
    setMeta([(MetaPath.caller(of: session.key), Presence.text(of: session.caller))], &item)
  }

  /// Turns what a session left into writes, each checked and told like any other; what is denied is dropped.
  func sequenceEnding(_ session: EndedSession, _ item: inout BatchItem, _ now: Int64) {
    guard let tree = presence[session.key] else { return }
    for record in tree.records {
      let entry = MergeEntry(record.path, resolve(record.value, at: record.path, now))
      if record.path.endsWithPriority, !entry.value.canBePriority { continue }
      _ = step(.set(entry.path, entry.value), [entry], session.caller, now, &item)
    }
    presence[session.key] = nil
    setMeta([(MetaPath.session(session.key), .null)], &item)
  }

  /// After a failure: the records are again those of the committed state.
  func restorePresence(_ batches: [Batch]) {
    var keys: Set<ChildKey> = []
    for item in batches.lazy.flatMap(\.items) {
      switch item.proposal {
      case .disconnect: if let key = item.session?.key { keys.insert(key) }
      case .ending(let session): keys.insert(session.key)
      case .write, .rules, .setting, .identity: break
      }
    }
    for key in keys {
      let kept = try? Presence.session(key, committed.meta[MetaPath.session(key)])
      presence[key] = kept.flatMap { $0.tree.isEmpty ? nil : $0.tree }
    }
  }
}

extension Database {
  /// What the committed state holds beside the users' data: rules and onDisconnect records.
  package var engineRecords: Node { committed.meta }
  /// The users' data as of the last commit, whatever the rules say.
  package var data: Node { committed.data }
}

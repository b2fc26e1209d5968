import JSONTree
import Rules

// Listens are checked again when their client becomes somebody else, when the rules change, and when
// something changes that the rules looked at to allow them.
extension Database {
  /// Ends those of a session's listens that the rules no longer allow.
  func recheck(_ session: Session) {
    let now = clock.nowMilliseconds()
    for listen in session.listens.values.sorted(by: { $0.id < $1.id }) { recheck(listen, now) }
  }

  /// Ends the listens that were allowed because of what a batch has changed. They are not told what the batch
  /// did.
  func recheck(after batch: Batch, from before: Node) {
    if watches.isEmpty { return }
    var found: [ObjectIdentifier: Listen] = [:]
    for step in batch.steps {
      switch step.change {
      case .set(let path, _): watches.collect(path, before, committed.data, into: &found)
      case .merge(let path, let entries):
        for entry in entries {
          watches.collect(path.appending(entry.path), before, committed.data, into: &found)
        }
      }
    }
    let now = clock.nowMilliseconds()
    for listen in found.values.sorted(by: { $0.id < $1.id }) { recheck(listen, now) }
  }

  private func recheck(_ listen: Listen, _ now: Int64) {
    guard case .denied(let explanation) = decide(listen, now) else { return }
    let session = listen.session
    remove(listen)
    let error = denial(
      explanation, reading: listen.node.path, session.caller, rules, committed.data, now,
      listen.asked?.query.facts)
    session.outbox.append(.revoked(listen.id, error), to: session.client)
  }

  /// Has a listen checked again when what it was allowed for changes.
  func watch(_ listen: Listen) {
    if rules.readsData, !listen.session.caller.isAdmin { _ = decide(listen, clock.nowMilliseconds()) }
  }

  /// Whether a listen is allowed; what the rules look at for that is watched from now on.
  private func decide(_ listen: Listen, _ now: Int64) -> Decision {
    let lookups = rules.readsData ? Lookups() : nil
    let decision = rules.read(
      at: listen.node.path, caller: listen.session.caller, root: committed.data, nowMilliseconds: now,
      query: listen.asked?.query.facts, noting: lookups)
    watches.watch(lookups?.paths ?? [], for: listen)
    return decision
  }
}

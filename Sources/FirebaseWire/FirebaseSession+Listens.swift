package import Engine
import JSONTree

extension FirebaseSession {
  /// Begins a listen. One that shows the same under the same tag makes way for it.
  mutating func listen(_ listening: Listening, number: Int64, into actions: inout SessionActions) {
    let path = listening.path
    let query = listening.query
    if let old = listens[Listen.Name(path: path, query: query, tag: listening.tag)] {
      listens.end(old.id)
      actions.commands.append(.unlisten(old.id, tag: nil))
    }
    let id = listens.nextID()
    let filter = listening.queryText.map { Listen.Filter(query: query, text: $0) }
    listens.add(
      Listen(
        id: id, path: path, filter: filter, tag: listening.tag, number: number, held: listening.held))
    let form = FirebaseDialect.form(tag: listening.tag, isFiltered: !query.isDefault, carrier: carrier)
    let request = ListenRequest(path: path, query: query, form: form, listen: id, since: listening.since)
    actions.commands.append(.listen(request, tag: RequestTag(.listen, Int64(id)).tag))
  }

  /// Ends a listen; one that is not there has ended already.
  mutating func unlisten(
    _ path: Path, _ query: Query, listenTag: UInt32?, number: Int64, into actions: inout SessionActions
  ) {
    guard let listen = listens[Listen.Name(path: path, query: query, tag: listenTag)] else {
      return actions.messages.reply(number)
    }
    listens.end(listen.id)
    actions.commands.append(.unlisten(listen.id, tag: RequestTag(.plain, number).tag))
  }

  /// The database tells what a listen shows now, or that it is over.
  package mutating func receive(_ event: ListenEvent, into actions: inout SessionActions) {
    switch event {
    case .initial(let id, let value):
      guard let listen = listens[id], listen.stage != .ended else { return }
      let held = listen.held
      if held != nil { listens.forgetHeld(id) }
      if let held, FirebaseSession.matches(held.hash, value) { return }
      if let ranges = held?.ranges, push(value, ranges, listen, into: &actions) { return }
      push(.set(listen.path, value), tag: listen.tag, into: &actions)
    case .change(let id, let change):
      guard let listen = listens[id], listen.stage != .ended else { return }
      push(change, tag: listen.tag, into: &actions)
    case .refreshed(let values):
      for (id, value) in values {
        guard let listen = listens[id], listen.stage != .ended else { continue }
        push(.set(listen.path, value), tag: listen.tag, into: &actions)
      }
    case .revoked(let id, let error):
      guard let listen = listens[id], listen.stage != .ended else { return }
      explain(error, into: &actions)
      actions.messages.push(revoked: listen.path, queryText: listen.filter?.text)
      listens.end(id)
    }
  }

  /// Sends only the stretches of a value that a client has not got; false if that is all of it.
  private func push(
    _ value: Node, _ ranges: CompoundHash, _ listen: Listen, into actions: inout SessionActions
  ) -> Bool {
    guard let merges = value.rangeMerges(for: ranges) else { return false }
    // The stretches are equal and the values are not: there is something that the ranges don't show.
    if merges.isEmpty { return false }
    actions.messages.push(merges, at: listen.path, tag: listen.tag)
    guard actions.messages.lastCount > MessageChunks.mostBytes else { return true }
    actions.messages.removeLast()
    return false
  }

  /// True if a client with this hash already holds the value. Nothing is looked at that need not be.
  private static func matches(_ hash: String, _ value: Node) -> Bool {
    hash.isEmpty || value.isNull ? hash.isEmpty && value.isNull : value.simpleHash == hash
  }

  private func push(_ change: Change, tag: UInt32?, into actions: inout SessionActions) {
    actions.messages.push(change, tag: tag)
    guard actions.messages.lastCount > MessageChunks.mostBytes else { return }
    actions.messages.removeLast()
    for piece in change.pieces(of: MessageChunks.mostBytes / 8) { actions.messages.push(piece, tag: tag) }
  }

  mutating func listenAnswered(_ outcome: Outcome, _ id: ListenID, into actions: inout SessionActions) {
    guard let listen = listens[id] else { return }
    if case .failed(let error) = outcome {
      listens.remove(id)
      return refuse(listen.number, error, into: &actions)
    }
    if listen.held != nil { listens.forgetHeld(id) }
    listens.stand(id)
    if case .listening(noIndex: true) = outcome {
      actions.messages.reply(listen.number) { $0.append(#"{"w":["no_index"]}"#) }
    } else {
      actions.messages.reply(listen.number) { $0.append("{}") }
    }
  }
}

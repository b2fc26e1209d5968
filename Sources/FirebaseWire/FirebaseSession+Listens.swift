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
    case .initial, .refreshed: telling(of: event)?.write(into: &actions.messages)
    case .change(let id, let change):
      guard let listen = listens[id], listen.stage != .ended else { return }
      actions.messages.push(whole: change, tag: listen.tag)
    case .revoked(let id, let error):
      guard let listen = listens[id], listen.stage != .ended else { return }
      explain(error, into: &actions)
      actions.messages.push(revoked: listen.path, queryText: listen.filter?.text)
      listens.end(id)
    case .dismissed(let reason): dismissed(reason, into: &actions)
    }
  }

  /// What an event shows of its listens, to be told instead of receiving the event; nil if it shows nothing.
  mutating func telling(of event: ListenEvent) -> Telling? {
    switch event {
    case .initial(let id, let value):
      guard let showing = showing(id, value) else { return nil }
      return Telling(content: .showings([showing]))
    case .refreshed(let values):
      return Telling(content: .showings(values.compactMap { showing($0.listen, $0.value) }))
    case .change, .revoked, .dismissed: return nil
    }
  }

  private mutating func showing(_ id: ListenID, _ value: Node) -> Telling.Showing? {
    guard let listen = listens[id], listen.stage != .ended else { return nil }
    let held = listen.held
    if held != nil { listens.forgetHeld(id) }
    return Telling.Showing(path: listen.path, tag: listen.tag, held: held, value: value)
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

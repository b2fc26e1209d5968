import JSONTree
import NIOCore
import Rules

extension Database {
  /// Starts a listen on the committed state: its initial event is on the way when this returns `listening`.
  func begin(_ request: ListenRequest, _ session: Session) -> Outcome {
    if session.listens[request.listen] != nil {
      return .failed(EngineError(.invalid("This listen exists already.")))
    }
    guard session.listens.count < options.listensPerClient else {
      return .failed(EngineError(.overloaded))
    }
    if let error = refusal(request.path, request.query, session) { return .failed(error) }
    let noIndex = missingIndex(request.query, at: request.path) != nil
    let node = listeners.node(at: request.path.withoutPriority)
    let shared = request.query.isDefault ? nil : sharedView(request.query.shared, node, isIndexed: !noIndex)
    let value = shared.map(currentValue) ?? committed.data[node.path]
    if exceeds(value, options.readBytes) {
      drop(shared, node)
      listeners.prune(node)
      return .failed(EngineError(.tooBig))
    }
    let listen = Listen(request, session: session, node: node, query: shared)
    session.listens[listen.id] = listen
    counters.listens += 1
    watch(listen)
    if let shared {
      shared.audience.add(listen)
    } else {
      addPlain(listen, session)
    }
    if let changes = changes(for: request) {
      for change in changes { session.outbox.append(.change(listen.id, change), to: session.client) }
    } else {
      session.outbox.append(.initial(listen.id, value), to: session.client)
    }
    return .listening(noIndex: noIndex)
  }

  /// What a client that knows its place up to a mark must be told: one change or none; nil if that is not
  /// known.
  private func changes(for request: ListenRequest) -> [Change]? {
    guard let mark = request.since, request.query.isDefault else { return nil }
    guard let paths = history.changes(since: mark, at: request.path), paths != [.root] else { return nil }
    let entries = paths.map { MergeEntry($0, committed.data[request.path.appending($0)]) }
    return entries.isEmpty ? [] : [.merge(request.path, entries)]
  }

  /// Answers with the present place in the log, as text: everything up to it has been told to the client's
  /// listens before the answer.
  package func mark(tag: UInt64, client: Client) {
    guard let session = session(of: client, tag: tag) else { return }
    answer(.value(Node(LogMark(position).text)), tag, session)
  }

  /// A default listen hears through an outer one of the same client if there is one, and covers inner ones.
  private func addPlain(_ listen: Listen, _ session: Session) {
    guard listen.isPlain else { return listen.node.audience.add(listen) }
    if session.hears(listen.node.path, form: listen.form) {
      listen.node.coveredListens += 1
      session.coveredListens += 1
      return
    }
    for inner in session.inner(of: listen.node.path, form: listen.form) {
      session.deactivate(inner)
      inner.node.coveredListens += 1
      session.coveredListens += 1
    }
    session.activate(listen)
  }

  /// Ends a listen; inner ones that it covered hear for themselves again.
  func remove(_ listen: Listen) {
    let session = listen.session
    watches.forget(listen)
    session.listens[listen.id] = nil
    counters.listens -= 1
    if let shared = listen.query {
      shared.audience.remove(listen)
      drop(shared, listen.node)
    } else if listen.group == nil {
      listen.node.coveredListens -= 1
      session.coveredListens -= 1
    } else if listen.isPlain {
      session.deactivate(listen)
      uncover(below: listen, session)
    } else {
      listen.node.audience.remove(listen)
    }
    listeners.prune(listen.node)
  }

  private func uncover(below outer: Listen, _ session: Session) {
    if session.coveredListens == 0 { return }
    let covered = session.listens.values.filter {
      $0.group == nil && $0.isPlain && $0.form == outer.form && outer.node.path.contains($0.node.path)
    }
    // The outermost first: each may cover the next.
    for listen in covered.sorted(by: { $0.node.path.count < $1.node.path.count }) {
      if session.hears(listen.node.path, form: listen.form) { continue }
      listen.node.coveredListens -= 1
      session.coveredListens -= 1
      session.activate(listen)
    }
  }

  /// Tells a client what its listens show now, because it has let changes go by.
  ///
  /// One event holds all of it, so that no change comes in between.
  package func refresh(_ client: Client) {
    guard let session = sessions[client.id], session.isAttached else { return }
    let values = session.listens.values.filter { $0.group != nil }.map { listen in
      (listen: listen.id, value: listen.query.map(currentValue) ?? committed.data[listen.node.path])
    }
    session.outbox.append(.refreshed(values), to: client)
  }

  // MARK: Views

  private func sharedView(_ query: Query, _ node: ListenerNode, isIndexed: Bool) -> SharedView {
    if let shared = node.views[query] { return shared }
    let view = View(path: node.path, query: query, isIndexed: isIndexed)
    let shared = SharedView(view, query: query, node: node)
    node.views[query] = shared
    _ = start(shared)
    return shared
  }

  /// Begins a view on the committed state, holding the index that it needs.
  private func start(_ shared: SharedView) -> Node {
    let location = committed.data[shared.node.path]
    var index: ChildIndex?
    if !shared.view.showsAll {
      index = indexes.hold(
        for: shared.query, at: shared.node.path, in: committed.data, nowMilliseconds: clock.nowMilliseconds())
    }
    return shared.view.start(location, index: index)
  }

  private func currentValue(_ shared: SharedView) -> Node {
    var view = shared.view
    let index = view.showsAll ? nil : indexes.index(for: shared.query, at: shared.node.path)
    return view.start(committed.data[shared.node.path], index: index)
  }

  /// Lets a view go when nobody follows it.
  private func drop(_ shared: SharedView?, _ node: ListenerNode) {
    guard let shared, shared.audience.isEmpty else { return }
    node.views[shared.query] = nil
    releaseIndex(of: shared)
  }

  private func releaseIndex(of shared: SharedView) {
    if shared.view.showsAll { return }
    let now = clock.nowMilliseconds()
    indexes.release(for: shared.query, at: shared.node.path, nowMilliseconds: now)
    scheduleSweep()
  }

  /// Drops indexes that nobody has used for a while, some time from now.
  func scheduleSweep() {
    if isSweepScheduled { return }
    isSweepScheduled = true
    let seconds = options.indexIdleSeconds
    eventLoop.scheduleTask(in: .seconds(seconds)) { [weak self] in
      self?.enter { database in
        database.isSweepScheduled = false
        let now = database.clock.nowMilliseconds()
        database.indexes.sweep(idleSinceMilliseconds: now - seconds * 1000)
        if database.indexes.count > 0 { database.scheduleSweep() }
      }
    }
  }

  // MARK: Rules

  /// After a change of rules: every listen is checked again, and views whose order is now indexed, or no
  /// longer, begin anew.
  func recheckAll() {
    for session in sessions.values where session.isAttached && !session.listens.isEmpty { recheck(session) }
    restartViews(listeners.root)
  }

  private func restartViews(_ node: ListenerNode) {
    for shared in node.views.values {
      let isIndexed = missingIndex(shared.query, at: node.path) == nil
      guard isIndexed != shared.view.isIndexed else { continue }
      releaseIndex(of: shared)
      shared.view = View(path: node.path, query: shared.query, isIndexed: isIndexed)
      var encodings = Encodings()
      tell(.set(node.path, start(shared)), shared.audience, &encodings)
    }
    for child in node.children.values { restartViews(child) }
  }
}

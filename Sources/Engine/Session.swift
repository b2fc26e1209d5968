import JSONTree
import Rules

/// A client as its database knows it.
final class Session {
  let client: Client
  /// The name its onDisconnect records are kept under; nil when it can have none.
  let key: ChildKey?
  let outbox: Outbox
  var caller: Caller
  var listens: [ListenID: Listen] = [:]
  /// The batch that holds its last proposal or read: later reads wait for that one.
  var waitsFor: Batch?
  /// Its proposals and reads that wait.
  var pending = 0
  /// False once it has been detached or ended: nothing more is sent to it.
  var isAttached = true

  init(client: Client, key: ChildKey?, outbox: Outbox, caller: Caller) {
    self.client = client
    self.key = key
    self.outbox = outbox
    self.caller = caller
  }

  /// A listen of this session that already delivers everything that a plain listen at `path` would hear.
  func outer(of path: Path, form: PushForm, except other: Listen? = nil) -> Listen? {
    if listens.isEmpty { return nil }
    for listen in listens.values
    where listen.group != nil && listen !== other && listen.isPlain && listen.form == form {
      if listen.node.path.contains(path) { return listen }
    }
    return nil
  }
}

/// One standing listen.
final class Listen {
  let id: ListenID
  unowned let session: Session
  let node: ListenerNode
  /// The view that it follows; nil for a default listen.
  let query: SharedView?
  /// The query as it was asked, for the rules; nil when there was none.
  let asked: AskedQuery?
  let form: PushForm
  let isLocal: Bool
  /// The group that pushes are handed to, and the place in it; nil while an outer listen of the client covers
  /// it.
  var group: ListenGroup?
  var position = 0

  init(_ request: ListenRequest, session: Session, node: ListenerNode, query: SharedView?) {
    id = request.listen
    self.session = session
    self.node = node
    self.query = query
    asked = request.query == .all ? nil : AskedQuery(request.query)
    form = request.form
    isLocal = request.sendsLocally
  }

  /// May be covered by, or cover, another listen of the same client.
  var isPlain: Bool { query == nil && form.variant == 0 && !isLocal }
}

/// A query on the heap, so that the many listens without one stay small.
final class AskedQuery: Sendable {
  let query: Query

  init(_ query: Query) {
    self.query = query
  }
}

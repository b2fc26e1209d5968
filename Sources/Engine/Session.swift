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
  /// Listens that an outer one covers.
  var coveredListens = 0
  private var plainListens: PlainListens?
  /// The batch that holds its last proposal or read: later reads wait for that one.
  var waitsFor: Batch?
  /// Its proposals and reads that wait.
  var pending = 0
  /// Its reads that wait for an index; nil while none does. Later ones queue up behind.
  var heldReads: [WaitingRead]?
  /// False once it has been detached or ended: nothing more is sent to it.
  var isAttached = true

  init(client: Client, key: ChildKey?, outbox: Outbox, caller: Caller) {
    self.client = client
    self.key = key
    self.outbox = outbox
    self.caller = caller
  }

  /// A listen of this session already delivers everything that a plain listen at `path` would hear.
  func hears(_ path: Path, form: PushForm) -> Bool {
    if let plainListens { return plainListens.contains(path, form) }
    return listens.values.contains {
      $0.isPlain && $0.group != nil && $0.form == form && $0.node.path.contains(path)
    }
  }

  /// The plain listens below `path` that hear for themselves.
  func inner(of path: Path, form: PushForm) -> [Listen] {
    if listens.count < 2 { return [] }
    if let plainListens, !plainListens.isDeeper(than: path.count) { return [] }
    return listens.values.filter {
      $0.isPlain && $0.group != nil && $0.form == form && $0.node.path.count > path.count
        && path.contains($0.node.path)
    }
  }

  /// A plain listen hears for itself from now on.
  func activate(_ listen: Listen) {
    listen.node.audience.add(listen)
    if let plainListens {
      plainListens.add(listen)
    } else if listens.count > Session.fewListens {
      let index = PlainListens()
      for other in listens.values where other.isPlain && other.group != nil { index.add(other) }
      plainListens = index
    }
  }

  /// A plain listen hears for itself no more.
  func deactivate(_ listen: Listen) {
    plainListens?.remove(listen)
    listen.node.audience.remove(listen)
  }

  /// Up to so many listens are simply looked through.
  private static let fewListens = 4
}

/// The plain listens of one session that hear for themselves, by place: made for sessions that have many.
final class PlainListens {
  private struct Place: Hashable {
    let path: Path
    let form: PushForm
  }

  private var places: Set<Place> = []
  /// How many there are at each depth.
  private var depths = [UInt32](repeating: 0, count: Limits.standard.depth + 1)

  func add(_ listen: Listen) {
    places.insert(Place(path: listen.node.path, form: listen.form))
    depths[min(listen.node.path.count, depths.count - 1)] += 1
  }

  func remove(_ listen: Listen) {
    places.remove(Place(path: listen.node.path, form: listen.form))
    depths[min(listen.node.path.count, depths.count - 1)] -= 1
  }

  /// There is one at the path or above.
  func contains(_ path: Path, _ form: PushForm) -> Bool {
    for depth in 0...min(path.count, depths.count - 1) where depths[depth] > 0 {
      if places.contains(Place(path: path.prefix(depth), form: form)) { return true }
    }
    return false
  }

  func isDeeper(than depth: Int) -> Bool {
    depth + 1 < depths.count && depths[(depth + 1)...].contains { $0 > 0 }
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
  /// The places that the rules looked at to allow it.
  var watched: [WatchNode] = []

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

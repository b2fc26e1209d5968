import JSONTree

/// Who listens where: a tree of paths that holds only places with listeners at or below them.
///
/// A write walks down its own path and no further than there are listeners, whatever else is listened to.
final class ListenerTree {
  let root = ListenerNode(path: .root, parent: nil)

  /// The place for a path, made if need be.
  func node(at path: Path) -> ListenerNode {
    var node = root
    for (depth, key) in path.keys.enumerated() {
      if let next = node.children[key] {
        node = next
      } else {
        let next = ListenerNode(path: path.prefix(depth + 1), parent: node)
        node.children[key] = next
        node = next
      }
    }
    return node
  }

  /// The place for a path, if there is one.
  func existingNode(at path: Path) -> ListenerNode? {
    var node = root
    for key in path.keys {
      guard let next = node.children[key] else { return nil }
      node = next
    }
    return node
  }

  /// Removes a place, and those above it, as far as nothing needs them.
  func prune(_ node: ListenerNode) {
    var node = node
    while node.isUnused, let parent = node.parent, let key = node.path.last {
      parent.children[key] = nil
      node = parent
    }
  }
}

/// One place that is listened to, or on the way to one.
final class ListenerNode {
  let path: Path
  /// Alive as long as this place is filed under it.
  unowned let parent: ListenerNode?
  var children: [ChildKey: ListenerNode] = [:]
  /// The default listens here.
  var audience = Audience()
  /// Default listens here that an outer listen of their client covers.
  var coveredListens = 0
  /// The filtered queries here, each with its own listeners.
  var views: [Query: SharedView] = [:]

  init(path: Path, parent: ListenerNode?) {
    self.path = path
    self.parent = parent
  }

  /// A change at or below this place concerns somebody here.
  var isConcerned: Bool { !audience.isEmpty || !views.isEmpty }
  var isUnused: Bool { children.isEmpty && !isConcerned && coveredListens == 0 }
}

/// One view of a place and everybody who follows it.
final class SharedView {
  let query: Query
  unowned let node: ListenerNode
  var view: View
  var audience = Audience()

  init(_ view: View, query: Query, node: ListenerNode) {
    self.view = view
    self.query = query
    self.node = node
  }
}

/// The listens that see the same changes, grouped by how and where they are told.
struct Audience {
  /// Groups of one form stand together.
  private(set) var groups: [ListenGroup] = []

  var isEmpty: Bool { groups.isEmpty }

  mutating func add(_ listen: Listen) {
    let session = listen.session
    let fits = groups.first {
      $0.form == listen.form && $0.isLocal == listen.isLocal && $0.outbox === session.outbox
    }
    if let fits { return fits.add(listen) }
    let group = ListenGroup(form: listen.form, isLocal: listen.isLocal, session: session)
    group.add(listen)
    let place = groups.lastIndex { $0.form == group.form }
    groups.insert(group, at: place.map { $0 + 1 } ?? groups.count)
  }

  mutating func remove(_ listen: Listen) {
    guard let group = listen.group else { return }
    group.remove(listen)
    if group.listens.isEmpty { groups.removeAll { $0 === group } }
  }
}

/// Listens that get the same bytes on the same event loop.
final class ListenGroup {
  let form: PushForm
  let isLocal: Bool
  let outbox: Outbox
  let dialect: any Dialect
  private(set) var listens: [Listen] = []
  /// The clients of `listens`, place by place: an array that a delivery can hold on to without copying it.
  private(set) var clients: [Client] = []

  init(form: PushForm, isLocal: Bool, session: Session) {
    self.form = form
    self.isLocal = isLocal
    outbox = session.outbox
    dialect = session.client.dialect
  }

  func add(_ listen: Listen) {
    outbox.settle()
    listen.group = self
    listen.position = listens.count
    listens.append(listen)
    clients.append(listen.session.client)
  }

  /// Swaps the last one into the freed place.
  func remove(_ listen: Listen) {
    outbox.settle()
    let place = listen.position
    let last = listens.count - 1
    if place != last {
      listens[place] = listens[last]
      clients[place] = clients[last]
      listens[place].position = place
    }
    listens.removeLast()
    clients.removeLast()
    listen.group = nil
  }
}

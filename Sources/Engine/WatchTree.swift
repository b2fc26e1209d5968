import JSONTree

/// Which listens the rules have allowed because of what is where in the tree: when something changes there,
/// they are to be checked again.
///
/// A write walks down its own path, and below it only where listens depend on something.
final class WatchTree {
  let root = WatchNode(key: nil, parent: nil)

  /// Has a listen checked when something changes at these places, and no longer for what it was before.
  func watch(_ paths: Set<Path>, for listen: Listen) {
    let former = listen.watched
    listen.watched = paths.map { path in
      let node = node(at: path)
      node.listens[ObjectIdentifier(listen)] = listen
      return node
    }
    for node in former where !listen.watched.contains(where: { $0 === node }) { forget(listen, at: node) }
  }

  func forget(_ listen: Listen) {
    for node in listen.watched { forget(listen, at: node) }
    listen.watched = []
  }

  private func forget(_ listen: Listen, at node: WatchNode) {
    node.listens[ObjectIdentifier(listen)] = nil
    var node = node
    while node.listens.isEmpty, node.children.isEmpty, let parent = node.parent, let key = node.key {
      parent.children[key] = nil
      node = parent
    }
  }

  private func node(at path: Path) -> WatchNode {
    var node = root
    for key in path.keys {
      if let next = node.children[key] {
        node = next
      } else {
        let next = WatchNode(key: key, parent: node)
        node.children[key] = next
        node = next
      }
    }
    return node
  }

  /// Whether nothing depends on anything.
  var isEmpty: Bool { root.children.isEmpty && root.listens.isEmpty }

  /// Adds the listens that depend on something which differs between two trees at, above or below a path.
  ///
  /// Rules can tell that there are children, not which: those that they ask for are places of their own. So a
  /// message in a room says nothing new to a rule that asks whether the room is there.
  func collect(_ path: Path, _ before: Node, _ after: Node, into found: inout [ObjectIdentifier: Listen]) {
    var (node, before, after) = (root, before, after)
    for key in path.keys {
      if before.isIdentical(to: after) { return }
      add(node, before, after, to: &found)
      guard let next = node.children[key] else { return }
      (node, before, after) = (next, before[key], after[key])
    }
    below(node, before, after, into: &found)
  }

  private func add(
    _ node: WatchNode, _ before: Node, _ after: Node, to found: inout [ObjectIdentifier: Listen]
  ) {
    if node.listens.isEmpty { return }
    if before.isObject, after.isObject, before.priority == after.priority { return }
    found.merge(node.listens) { $1 }
  }

  private func below(
    _ node: WatchNode, _ before: Node, _ after: Node, into found: inout [ObjectIdentifier: Listen]
  ) {
    if before.isIdentical(to: after) { return }
    add(node, before, after, to: &found)
    for (key, child) in node.children { below(child, before[key], after[key], into: &found) }
  }
}

/// One place that listens depend on, or on the way to one.
final class WatchNode {
  let key: ChildKey?
  /// Alive as long as this place is filed under it.
  unowned let parent: WatchNode?
  var children: [ChildKey: WatchNode] = [:]
  var listens: [ObjectIdentifier: Listen] = [:]

  init(key: ChildKey?, parent: WatchNode?) {
    self.key = key
    self.parent = parent
  }
}

import JSONTree

extension ListenerTree {
  /// What is wrong with the tree, or with the views of it, over this data; nil if nothing. For tests: walks
  /// everything.
  func violation(in data: Node) -> String? { violation(root, data) }

  private func violation(_ node: ListenerNode, _ data: Node) -> String? {
    if node !== root, node.isUnused { return "an unused place was not removed: \(node.path)" }
    if let found = violation(node.audience, node, nil) { return found }
    for (query, view) in node.views {
      if view.query != query || view.node !== node { return "a view is filed wrongly at \(node.path)" }
      if view.audience.isEmpty { return "a view without listens was kept at \(node.path)" }
      if let found = violation(view.audience, node, view) { return found }
      if let fault = view.view.fault(in: data) { return "the view \(query) of \(node.path) \(fault)" }
    }
    for (key, child) in node.children {
      if child.path != node.path.appending(key) || child.parent !== node {
        return "a place is filed wrongly: \(child.path) under \(node.path)"
      }
      if let found = violation(child, data[key]) { return found }
    }
    return nil
  }

  private func violation(_ audience: Audience, _ node: ListenerNode, _ view: SharedView?) -> String? {
    for group in audience.groups {
      if group.listens.isEmpty { return "an empty group was kept at \(node.path)" }
      if group.listens.count != group.clients.count { return "a group's lists differ in length" }
      for (place, listen) in group.listens.enumerated() {
        if listen.group !== group || listen.position != place { return "a listen does not know its place" }
        if listen.node !== node || listen.query !== view { return "a listen is in another's group" }
        if group.clients[place] !== listen.session.client { return "a group tells another client" }
        if listen.session.listens[listen.id] !== listen { return "a listen outlived its session" }
      }
    }
    return nil
  }
}

extension Database {
  /// What is wrong with who listens where, nil if nothing. For tests: walks everything.
  package var listenerFault: String? {
    if counters.listens == 0, !listeners.root.isUnused { return "places are left without listens" }
    let listens = sessions.values.reduce(0) { $0 + $1.listens.count }
    if listens != counters.listens { return "\(listens) listens are counted as \(counters.listens)" }
    return listeners.violation(in: committed.data)
  }
}

import JSONTree

extension Evaluator {
  /// The node at a place.
  func node(_ place: Place) throws(EvaluationFault) -> Node {
    switch place {
    case .root: return before[0]
    case .data(let up): return try ancestor(before, up)
    case .newData(let up): return try ancestor(after, up)
    case .child(let parent, let step): return try node(step, in: node(parent))
    case .choice(let condition, let yes, let no): return try flag(condition) ? node(yes) : node(no)
    case .parent(let child):
      let place = try way(child)
      guard let keys = place.keys else { return .null }
      guard !keys.isEmpty else { throw .aboveRoot }
      return Steps.descend(place.root, keys.dropLast())
    }
  }

  /// What lies one step below a node; null when the step can't be a key.
  func node(_ step: Step, in parent: Node) throws(EvaluationFault) -> Node {
    switch step {
    case .constant(let keys):
      guard let keys else { return .null }
      return Steps.descend(parent, keys[...])
    case .wildcard(let depth): return parent[keys[depth]]
    case .computed(let code):
      let text = try string(code)
      if let key = Steps.key(of: text) { return parent[key] }
      guard let keys = Steps.keys(of: text) else { return .null }
      return Steps.descend(parent, keys[...])
    }
  }

  private func ancestor(_ nodes: [Node], _ up: Int) throws(EvaluationFault) -> Node {
    guard up < nodes.count else { throw .aboveRoot }
    return nodes[nodes.count - 1 - up]
  }

  /// The tree and the keys that lead to a place; no keys when some step can't be one.
  private func way(_ place: Place) throws(EvaluationFault) -> (root: Node, keys: [ChildKey]?) {
    switch place {
    case .root: return (before[0], [])
    case .data(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return (before[0], Array(keys.dropLast(up)))
    case .newData(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return (after[0], Array(keys.dropLast(up)))
    case .choice(let condition, let yes, let no): return try flag(condition) ? way(yes) : way(no)
    case .parent(let child):
      let below = try way(child)
      guard let keys = below.keys else { return below }
      guard !keys.isEmpty else { throw .aboveRoot }
      return (below.root, keys.dropLast())
    case .child(let parent, let step):
      let above = try way(parent)
      guard let keys = above.keys, let more = try self.keys(of: step) else { return (above.root, nil) }
      return (above.root, keys + more)
    }
  }

  private func keys(of step: Step) throws(EvaluationFault) -> [ChildKey]? {
    switch step {
    case .constant(let keys): return keys
    case .wildcard(let depth): return [keys[depth]]
    case .computed(let code): return Steps.keys(of: try string(code))
    }
  }
}

/// Turning texts into ways through the tree.
enum Steps {
  /// The keys in a slash path; nil when some part can't be a key. `.` and `..` are not resolved: they can't
  /// be keys.
  static func keys(of text: Node) -> [ChildKey]? {
    let path = text.withStringUTF8 { try? Path(utf8: $0) } ?? nil
    return path.map { Array($0.keys) }
  }

  /// The text as a single key; nil when it has slashes or can't be one.
  static func key(of text: Node) -> ChildKey? {
    text.withStringUTF8 { try? ChildKey(utf8: $0) } ?? nil
  }

  static func descend(_ node: Node, _ keys: ArraySlice<ChildKey>) -> Node {
    var node = node
    for key in keys {
      if node.isNull { return .null }
      node = node[key]
    }
    return node
  }
}

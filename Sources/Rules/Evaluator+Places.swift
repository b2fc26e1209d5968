import JSONTree

extension Evaluator {
  /// The node at a place.
  mutating func node(_ place: Place) throws(EvaluationFault) -> Node {
    var node = try base(place.base)
    for index in place.steps.indices { node = try self.node(place.steps[index], in: node) }
    return node
  }

  private mutating func base(_ base: Place.Base) throws(EvaluationFault) -> Node {
    switch base {
    case .root: return before.root
    case .data(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return before.node(at: keys.count - up, keys)
    case .newData(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return after.node(at: keys.count - up, keys)
    case .choice(let condition, let yes, let no): return try flag(condition) ? node(yes) : node(no)
    case .parent(let child):
      let place = try way(child)
      guard let keys = place.keys else { return .null }
      guard !keys.isEmpty else { throw .aboveRoot }
      return Steps.descend(place.root, keys.dropLast())
    }
  }

  /// What lies a step below a node; null when the step can't be a key.
  mutating func node(_ step: Step, in parent: Node) throws(EvaluationFault) -> Node {
    switch step {
    case .key(let key): return parent[key]
    case .wildcard(let depth): return parent[keys[depth]]
    case .nowhere: return .null
    case .computed(let code):
      let text = try string(code)
      if let key = Steps.key(of: text) { return parent[key] }
      guard let keys = Steps.keys(of: text) else { return .null }
      return Steps.descend(parent, keys[...])
    }
  }

  /// The tree and the keys that lead to a place; no keys when some step can't be one.
  private mutating func way(_ place: Place) throws(EvaluationFault) -> (root: Node, keys: [ChildKey]?) {
    var way = try way(to: place.base)
    for step in place.steps {
      guard let more = try keys(of: step), let above = way.keys else {
        way.keys = nil
        continue
      }
      way.keys = above + more
    }
    return way
  }

  private mutating func way(to base: Place.Base) throws(EvaluationFault) -> (root: Node, keys: [ChildKey]?) {
    switch base {
    case .root: return (before.root, [])
    case .data(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return (before.root, keys.prefix(keys.count - up))
    case .newData(let up):
      guard up <= keys.count else { throw .aboveRoot }
      return (after.root, keys.prefix(keys.count - up))
    case .choice(let condition, let yes, let no): return try flag(condition) ? way(yes) : way(no)
    case .parent(let child):
      let below = try way(child)
      guard let keys = below.keys else { return below }
      guard !keys.isEmpty else { throw .aboveRoot }
      return (below.root, keys.dropLast())
    }
  }

  private mutating func keys(of step: Step) throws(EvaluationFault) -> [ChildKey]? {
    switch step {
    case .key(let key): return [key]
    case .nowhere: return nil
    case .wildcard(let depth): return [keys[depth]]
    case .computed(let code): return Steps.keys(of: try string(code))
    }
  }
}

/// The keys from the root down to where a walk stands: first those of the path that was asked for, which are
/// shared with it, then those below it.
struct WalkKeys {
  let path: ArraySlice<ChildKey>
  private var below: [ChildKey] = []
  private(set) var count = 0

  init(_ path: Path) {
    self.path = path.keys
  }

  subscript(depth: Int) -> ChildKey {
    depth < path.count ? path[path.startIndex + depth] : below[depth - path.count]
  }

  /// The first keys, in an array of their own.
  func prefix(_ count: Int) -> [ChildKey] {
    (0..<count).map { self[$0] }
  }

  /// Goes on along the path.
  mutating func advance() {
    count += 1
  }

  /// Goes below the path.
  mutating func descend(_ key: ChildKey) {
    below.append(key)
    count += 1
  }

  /// Back from below the path.
  mutating func ascend() {
    below.removeLast()
    count -= 1
  }

  /// Back to the root.
  mutating func restart() {
    below.removeAll(keepingCapacity: true)
    count = 0
  }
}

/// The nodes on the way of a walk, looked up when they are first asked for. The last one is remembered: most
/// rules ask for the place where they stand, again and again, and seldom for one above it.
struct Trail {
  let root: Node
  private var last: Node
  private var depth = 0

  init(_ root: Node) {
    self.root = root
    last = root
  }

  /// The node at a level of the way, 0 for the root.
  mutating func node(at depth: Int, _ keys: WalkKeys) -> Node {
    if depth == self.depth { return last }
    if depth == 0 { return root }
    var node = depth > self.depth ? last : root
    for level in (depth > self.depth ? self.depth : 0)..<depth { node = node[keys[level]] }
    // What lies above is seldom asked for twice; what lies below was left for good.
    if depth > self.depth {
      last = node
      self.depth = depth
    }
    return node
  }

  /// Stands at a node that is known already.
  mutating func stand(at node: Node, depth: Int) {
    last = node
    self.depth = depth
  }

  /// Forgets what is deeper than a level.
  mutating func cut(to depth: Int) {
    if self.depth > depth { stand(at: root, depth: 0) }
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

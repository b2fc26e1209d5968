import JSONTree

extension Evaluator {
  /// The node at a place. Rules often ask several things of one place in a row: it is looked up once.
  mutating func node(_ id: Program.PlaceID, of program: Program) throws(EvaluationFault) -> Node {
    if id.index == lastPlace { return lastNode }
    let place = program.places[Int(id.index)]
    let node = try node(place.way, below: base(place.base, of: program), of: program)
    if let lookups, let keys = try way(id, of: program).keys { lookups.note(keys) }
    lastPlace = id.index
    lastNode = node
    return node
  }

  /// The node that a way leads to.
  mutating func node(
    _ way: Program.Way, below parent: Node, of program: Program
  ) throws(EvaluationFault) -> Node {
    var node = parent
    for index in way.range { node = try self.node(program.steps[index], in: node, of: program) }
    return node
  }

  private mutating func base(
    _ base: Program.FlatPlace.Base, of program: Program
  ) throws(EvaluationFault) -> Node {
    switch base {
    case .root: return before.root
    case .data(let up): return before.node(at: try depth(above: up), keys)
    case .newData(let up): return after.node(at: try depth(above: up), keys)
    case .choice(let condition, let yes, let no):
      return try flag(condition, of: program) ? node(yes, of: program) : node(no, of: program)
    case .parent(let child):
      let place = try way(child, of: program)
      guard let keys = place.keys else { return .null }
      guard !keys.isEmpty else { throw .aboveRoot }
      return Steps.descend(place.root, keys.dropLast())
    }
  }

  /// The level that lies so many above where the walk stands.
  private func depth(above up: Int32) throws(EvaluationFault) -> Int {
    guard up <= keys.count else { throw .aboveRoot }
    return keys.count - Int(up)
  }

  /// What lies a step below a node; null when the step can't be a key.
  private mutating func node(
    _ step: Program.FlatStep, in parent: Node, of program: Program
  ) throws(EvaluationFault) -> Node {
    switch step {
    case .key(let key): return parent[program.keys[Int(key)]]
    case .wildcard(let depth): return parent[keys[Int(depth)]]
    case .nowhere: return .null
    case .computed(let part):
      let text = try string(part, of: program)
      if let key = Steps.key(of: text) { return parent[key] }
      guard let keys = Steps.keys(of: text) else { return .null }
      return Steps.descend(parent, keys[...])
    }
  }

  /// The tree and the keys that lead to a place; no keys when some step can't be one.
  private mutating func way(
    _ id: Program.PlaceID, of program: Program
  ) throws(EvaluationFault) -> (root: Node, keys: [ChildKey]?) {
    let place = program.places[Int(id.index)]
    var way = try way(to: place.base, of: program)
    for index in place.way.range {
      guard let more = try keys(of: program.steps[index], of: program), let above = way.keys else {
        way.keys = nil
        continue
      }
      way.keys = above + more
    }
    return way
  }

  private mutating func way(
    to base: Program.FlatPlace.Base, of program: Program
  ) throws(EvaluationFault) -> (root: Node, keys: [ChildKey]?) {
    switch base {
    case .root: return (before.root, [])
    case .data(let up): return (before.root, keys.prefix(try depth(above: up)))
    case .newData(let up): return (after.root, keys.prefix(try depth(above: up)))
    case .choice(let condition, let yes, let no):
      return try flag(condition, of: program) ? way(yes, of: program) : way(no, of: program)
    case .parent(let child):
      let below = try way(child, of: program)
      guard let keys = below.keys else { return below }
      guard !keys.isEmpty else { throw .aboveRoot }
      return (below.root, keys.dropLast())
    }
  }

  /// Writes down that what a way below a place leads to is looked at.
  mutating func note(
    _ way: Program.Way, below id: Program.PlaceID, of program: Program
  ) throws(EvaluationFault) {
    guard let lookups, var keys = try self.way(id, of: program).keys else { return }
    for index in way.range {
      guard let more = try self.keys(of: program.steps[index], of: program) else { return }
      keys += more
    }
    lookups.note(keys)
  }

  private mutating func keys(
    of step: Program.FlatStep, of program: Program
  ) throws(EvaluationFault) -> [ChildKey]? {
    switch step {
    case .key(let key): return [program.keys[Int(key)]]
    case .nowhere: return nil
    case .wildcard(let depth): return [keys[Int(depth)]]
    case .computed(let part): return Steps.keys(of: try string(part, of: program))
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
  /// At `depth`, unless that is 0: the root is not held twice.
  private var last = Node.null
  private var depth = 0

  init(_ root: Node) {
    self.root = root
  }

  /// The node at a level of the way, 0 for the root.
  mutating func node(at depth: Int, _ keys: WalkKeys) -> Node {
    if depth == 0 { return root }
    if depth == self.depth { return last }
    var node = self.depth > 0 && depth > self.depth ? last : root
    for level in (depth > self.depth ? self.depth : 0)..<depth {
      if node.isNull { break }
      node = node[keys[level]]
    }
    // What lies above is seldom asked for twice; what lies below was left for good.
    if depth > self.depth {
      last = node
      self.depth = depth
    }
    return node
  }

  /// Stands at a node that is known already.
  mutating func stand(at node: Node, depth: Int) {
    last = depth == 0 ? .null : node
    self.depth = depth
  }

  /// Forgets what is deeper than a level.
  mutating func cut(to depth: Int) {
    if self.depth > depth { stand(at: .null, depth: 0) }
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

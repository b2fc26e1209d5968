package import JSONTree

extension RuleSet {
  /// May `caller` read everything at `path`? True when some `.read` from the root down to `path` is true.
  package func read(
    at path: Path, caller: Caller, root: Node, nowMilliseconds: Int64, query: QueryFacts?
  ) -> Decision {
    if caller.isAdmin { return .allowed }
    var walk = RuleWalk(
      self, caller: caller, before: root, after: root, nowMilliseconds: nowMilliseconds, query: query)
    if walk.grants(\.read, along: path) { return .allowed }
    return .denied(explanation(".read", \.read, path))
  }

  /// May `caller` make the one write that sets all of `paths` and turns `before` into `after`? Every path
  /// must pass: some `.write` on the way to it is true, and so is every `.validate` on the way and below that
  /// meets data.
  ///
  /// - Parameter paths: what is set; a path may end in `.priority`.
  package func write(
    at paths: [Path], caller: Caller, before: Node, after: Node, nowMilliseconds: Int64
  ) -> Decision {
    if caller.isAdmin { return .allowed }
    for path in paths {
      var walk = RuleWalk(
        self, caller: caller, before: before, after: after, nowMilliseconds: nowMilliseconds, query: nil)
      guard walk.grants(\.write, along: path) else { return .denied(explanation(".write", \.write, path)) }
      if let refusing = walk.firstInvalid(along: path) {
        let reason = "the .validate at line \(refusing.line) is false: \(refusing.text)"
        return .denied(Explanation(rule: ".validate", path: Path(walk.evaluator.keys).text, reason: reason))
      }
    }
    return .allowed
  }

  private func explanation(_ name: String, _ kind: KeyPath<RuleNode, Rule?>, _ path: Path) -> Explanation {
    var node: RuleNode? = tree
    var rules = [tree[keyPath: kind]].compactMap(\.self)
    for key in path.keys {
      node = node?.child(key)
      if let rule = node?[keyPath: kind] { rules.append(rule) }
    }
    let list = rules.map { "line \($0.line): \($0.text)" }.joined(separator: "; ")
    let reason =
      rules.isEmpty ? "no \(name) rule applies to this path" : "no \(name) rule on the way is true (\(list))"
    return Explanation(rule: name, path: path.text, reason: reason)
  }
}

/// One operation's way through the rules and, in step, through the tree before and after it.
struct RuleWalk {
  let tree: RuleNode
  private(set) var evaluator: Evaluator

  init(
    _ rules: RuleSet, caller: Caller, before: Node, after: Node, nowMilliseconds: Int64, query: QueryFacts?
  ) {
    tree = rules.tree
    evaluator = Evaluator(
      auth: caller.auth, nowMilliseconds: Double(nowMilliseconds), query: query, before: [before],
      after: [after],
      keys: [])
  }

  /// Is some rule of this kind true from the root down to `path`?
  mutating func grants(_ kind: KeyPath<RuleNode, Rule?>, along path: Path) -> Bool {
    var node = tree
    if holds(node[keyPath: kind]) { return true }
    for key in path.keys {
      guard let next = node.child(key) else { return false }
      node = next
      descend(key)
      if holds(node[keyPath: kind]) { return true }
    }
    return false
  }

  /// The first `.validate` that refuses the written data: on the way to `path`, then below it. Leaves the
  /// evaluator where it stands.
  mutating func firstInvalid(along path: Path) -> Rule? {
    restart()
    var node = tree
    if let rule = refusal(node) { return rule }
    for key in path.keys {
      guard let next = node.child(key) else { return nil }
      node = next
      descend(key)
      if let rule = refusal(node) { return rule }
    }
    return node.validatesBelow ? firstInvalid(below: node) : nil
  }

  private mutating func firstInvalid(below node: RuleNode) -> Rule? {
    var found: Rule?
    let value = evaluator.after[evaluator.after.count - 1]
    if node.wildcard?.node.validate != nil || node.wildcard?.node.validatesBelow == true {
      value.forEachChild { key, _ in
        if let next = node.child(key) { found = firstInvalid(at: next, key) }
        return found == nil
      }
    } else {
      for (key, next) in node.children where found == nil { found = firstInvalid(at: next, key) }
    }
    return found
  }

  private mutating func firstInvalid(at node: RuleNode, _ key: ChildKey) -> Rule? {
    descend(key)
    let found = refusal(node) ?? (node.validatesBelow ? firstInvalid(below: node) : nil)
    if found == nil { ascend() }
    return found
  }

  private func refusal(_ node: RuleNode) -> Rule? {
    guard let rule = node.validate, let value = evaluator.after.last, !value.isNull, !holds(rule) else {
      return nil
    }
    return rule
  }

  func holds(_ rule: Rule?) -> Bool {
    guard let rule else { return false }
    return rule.constant ?? evaluator.holds(rule.code)
  }

  /// Back to the root.
  mutating func restart() {
    evaluator.keys.removeAll(keepingCapacity: true)
    evaluator.before.removeLast(evaluator.before.count - 1)
    evaluator.after.removeLast(evaluator.after.count - 1)
  }

  mutating func descend(_ key: ChildKey) {
    evaluator.before.append(evaluator.before[evaluator.before.count - 1][key])
    evaluator.after.append(evaluator.after[evaluator.after.count - 1][key])
    evaluator.keys.append(key)
  }

  mutating func ascend() {
    evaluator.before.removeLast()
    evaluator.after.removeLast()
    evaluator.keys.removeLast()
  }
}

package import JSONTree

extension RuleSet {
  /// Whether some `.read` looks into the tree, so that a read which was allowed may not be so later.
  package var readsData: Bool { tree.readsData }

  /// May `caller` read everything at `path`? True when some `.read` from the root down to `path` is true.
  ///
  /// - Parameter lookups: told which places were looked at.
  package func read(
    at path: Path, caller: Caller, root: Node, nowMilliseconds: Int64, query: QueryFacts?,
    noting lookups: Lookups? = nil
  ) -> Decision {
    if caller.isAdmin { return .allowed }
    var walk = RuleWalk(
      self, path, caller: caller, before: root, after: root, nowMilliseconds: nowMilliseconds, query: query)
    if let lookups { walk.note(in: lookups) }
    if walk.grants(.read) { return .allowed }
    return .denied(explanation(.read, path))
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
        self, path, caller: caller, before: before, after: after, nowMilliseconds: nowMilliseconds, query: nil
      )
      guard walk.grants(.write) else { return .denied(explanation(.write, path)) }
      if let refusing = walk.firstInvalid() {
        let reason = "the .validate at line \(refusing.line) is false: \(refusing.text)"
        return .denied(Explanation(rule: ".validate", path: walk.place.text, reason: reason))
      }
    }
    return .allowed
  }

  /// True if `caller` may write at `path` whatever is there and whatever is written: some `.write` on the way
  /// is true without a look at the tree, and no `.validate` stands on the way or below. False says nothing.
  package func surelyAllows(writing path: Path, _ caller: Caller, _ nowMilliseconds: Int64) -> Bool {
    if caller.isAdmin { return true }
    var walk = RuleWalk(
      self, path, caller: caller, before: .null, after: .null, nowMilliseconds: nowMilliseconds, query: nil)
    return walk.surelyGrantsWrite()
  }

  private func explanation(_ kind: TypeCheck.Kind, _ path: Path) -> Explanation {
    var node: RuleNode? = tree
    var rules = [tree.rule(kind)].compactMap(\.self)
    for key in path.keys {
      node = node?.child(key)
      if let rule = node?.rule(kind) { rules.append(rule) }
    }
    let name = kind.rawValue
    let list = rules.map { "line \($0.line): \($0.text)" }.joined(separator: "; ")
    let reason =
      rules.isEmpty ? "no \(name) rule applies to this path" : "no \(name) rule on the way is true (\(list))"
    return Explanation(rule: name, path: path.text, reason: reason)
  }
}

/// One operation's way through the rules and, in step, through the tree before and after it.
struct RuleWalk {
  let tree: RuleNode
  private var evaluator: Evaluator

  init(
    _ rules: RuleSet, _ path: Path, caller: Caller, before: Node, after: Node, nowMilliseconds: Int64,
    query: QueryFacts?
  ) {
    tree = rules.tree
    evaluator = Evaluator(
      auth: caller.auth, nowMilliseconds: Double(nowMilliseconds), query: query, before: before,
      after: after, keys: WalkKeys(path))
  }

  /// Is some rule of this kind true from the root down to the path?
  mutating func grants(_ kind: TypeCheck.Kind) -> Bool {
    var node = tree
    if holds(node.rule(kind)) { return true }
    for key in evaluator.keys.path {
      guard let next = node.child(key) else { return false }
      node = next
      evaluator.keys.advance()
      if holds(node.rule(kind)) { return true }
    }
    return false
  }

  /// Is some `.write` from the root down to the path true that does not look at the tree, and is there no
  /// `.validate` to ask?
  mutating func surelyGrantsWrite() -> Bool {
    var node = tree
    var isGranted = isTrueUnseen(node.write)
    if node.validate != nil { return false }
    for key in evaluator.keys.path {
      guard !isGranted || node.validatesBelow else { return true }
      guard let next = node.child(key) else { return isGranted }
      node = next
      evaluator.keys.advance()
      if node.validate != nil { return false }
      isGranted = isGranted || isTrueUnseen(node.write)
    }
    return isGranted && !node.validatesBelow
  }

  private mutating func isTrueUnseen(_ rule: Rule?) -> Bool {
    guard let rule, rule.program.places.isEmpty else { return false }
    return holds(rule)
  }

  /// The first `.validate` that refuses the written data: on the way to the path, then below it. Leaves the
  /// walk where that rule stands.
  mutating func firstInvalid() -> Rule? {
    var node = tree
    guard node.validate != nil || node.validatesBelow else { return nil }
    restart()
    if let rule = refusal(node) { return rule }
    for key in evaluator.keys.path {
      guard node.validatesBelow, let next = node.child(key) else { return nil }
      node = next
      evaluator.keys.advance()
      if let rule = refusal(node) { return rule }
    }
    return node.validatesBelow ? firstInvalid(below: node, written) : nil
  }

  private mutating func firstInvalid(below node: RuleNode, _ value: Node) -> Rule? {
    var found: Rule?
    if let wildcard = node.wildcard?.node, wildcard.validate != nil || wildcard.validatesBelow {
      value.forEachChild { key, child in
        if let next = node.child(key) { found = firstInvalid(at: next, key, child, in: value) }
        return found == nil
      }
    } else {
      for (key, next) in node.children where found == nil {
        let child = value[key]
        if !child.isNull { found = firstInvalid(at: next, key, child, in: value) }
      }
    }
    return found
  }

  private mutating func firstInvalid(
    at node: RuleNode, _ key: ChildKey, _ value: Node, in parent: Node
  ) -> Rule? {
    guard node.validate != nil || node.validatesBelow else { return nil }
    descend(key, value)
    let found = refusal(node) ?? (node.validatesBelow ? firstInvalid(below: node, value) : nil)
    if found == nil { ascend(to: parent) }
    return found
  }

  private mutating func refusal(_ node: RuleNode) -> Rule? {
    guard let rule = node.validate, !written.isNull, !holds(rule) else { return nil }
    return rule
  }

  mutating func holds(_ rule: Rule?) -> Bool {
    guard let rule else { return false }
    return rule.constant ?? evaluator.holds(rule.program)
  }

  // MARK: Where the walk stands

  /// The place where the walk stands.
  var place: Path { Path(evaluator.keys.prefix(evaluator.keys.count)) }

  /// What will be where the walk stands.
  var written: Node {
    mutating get { evaluator.after.node(at: evaluator.keys.count, evaluator.keys) }
  }

  /// What evaluates a rule here, for those who want to know more than its outcome.
  var standing: Evaluator { evaluator }

  /// Has what is looked at written down from now on.
  mutating func note(in lookups: Lookups) {
    evaluator.lookups = lookups
  }

  /// Back to the root.
  mutating func restart() {
    evaluator.keys.restart()
    evaluator.before.cut(to: 0)
    evaluator.after.cut(to: 0)
  }

  /// Goes on along the path.
  mutating func advance() {
    evaluator.keys.advance()
  }

  /// Goes below the path, to a child of what is written here.
  mutating func descend(_ key: ChildKey, _ value: Node) {
    evaluator.keys.descend(key)
    evaluator.after.stand(at: value, depth: evaluator.keys.count)
  }

  /// Back from there, to what is written here.
  mutating func ascend(to parent: Node) {
    evaluator.keys.ascend()
    evaluator.before.cut(to: evaluator.keys.count)
    evaluator.after.stand(at: parent, depth: evaluator.keys.count)
  }
}

package import JSONTree

/// The security rules of one database, compiled. Immutable; a new upload makes a new set.
///
/// This version understands the whole file format, `.indexOn` and the constants `true` and `false`; a text with any
/// other expression is refused at upload, so that nobody believes to be guarded by a rule that is not evaluated.
package struct RuleSet: Sendable {
  /// Longest rules text that is taken, in bytes (the documented production limit is 256 KB).
  package static let textLimitBytes = 4 * 1024 * 1024

  /// The rules as they were uploaded, comments included.
  package let text: String
  /// The same as strict JSON: no comments, no trailing commas, keys in the order of the text.
  package let strictText: String
  private let tree: RuleNode

  /// Compiles a rules text.
  ///
  /// - Throws: every fault of the text, each with its line and column.
  package init(text: String) throws(RulesErrors) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.textLimitBytes else {
      let message = "Rules must be at most \(Self.textLimitBytes) bytes long."
      throw RulesErrors([RulesError(line: 1, column: 1, message: message)])
    }
    let file: FileValue
    do {
      var reader = RulesFile(bytes)
      file = try reader.read()
    } catch {
      throw RulesErrors([error])
    }
    var builder = RuleTreeBuilder(bytes)
    tree = builder.build(file)
    guard builder.errors.isEmpty else { throw RulesErrors(builder.errors) }
    self.text = text
    strictText = StrictText.of(file)
  }

  private init(read: Bool, write: Bool) {
    text = """
      {
        "rules": {
          ".read": \(read),
          ".write": \(write)
        }
      }

      """
    strictText = #"{"rules":{".read":\#(read),".write":\#(write)}}"#
    tree = RuleNode(
      read: Rule(verdict: read, line: 3), write: Rule(verdict: write, line: 4), validate: nil, indexes: [],
      children: [:], wildcard: nil)
  }

  /// Everybody may read and write everything: the default in dev mode.
  package static let open = RuleSet(read: true, write: true)
  /// Nobody but admins may read or write: the default in production.
  package static let closed = RuleSet(read: false, write: false)

  // MARK: Decisions

  /// May `caller` read everything at `path`? True when some `.read` from the root down to `path` is true.
  package func read(
    at path: Path, caller: Caller, root: Node, nowMilliseconds: Int64, query: QueryFacts?
  ) -> Decision {
    if caller.isAdmin || grants(\.read, along: path) { return .allowed }
    return .denied(explanation(".read", \.read, path))
  }

  /// May `caller` make the one write that sets all of `paths` and turns `before` into `after`? Every path must pass.
  ///
  /// - Parameter paths: what is set; a path may end in `.priority`.
  package func write(
    at paths: [Path], caller: Caller, before: Node, after: Node, nowMilliseconds: Int64
  ) -> Decision {
    if caller.isAdmin { return .allowed }
    for path in paths {
      guard grants(\.write, along: path) else { return .denied(explanation(".write", \.write, path)) }
      if let refusing = firstInvalid(path, after: after) {
        return .denied(
          Explanation(
            rule: ".validate", path: refusing.path.text,
            reason: "the .validate at line \(refusing.line) is false"))
      }
    }
    return .allowed
  }

  // MARK: Indexes

  /// Is `index` (a child path such as `addr/zip`, or `.value`) declared by `.indexOn` for the children of `path`?
  package func hasIndex(_ index: String, at path: Path) -> Bool {
    declaredIndexes(at: path).contains(index)
  }

  /// What `.indexOn` declares at exactly this location; ancestors' declarations do not count.
  package func declaredIndexes(at path: Path) -> [String] {
    var node = tree
    for key in path.keys {
      guard let next = node.child(key) else { return [] }
      node = next
    }
    return node.indexes
  }

  // MARK: Walking

  private func grants(_ kind: KeyPath<RuleNode, Rule?>, along path: Path) -> Bool {
    var node: RuleNode? = tree
    if tree[keyPath: kind]?.verdict == true { return true }
    for key in path.keys {
      node = node?.child(key)
      guard let node else { return false }
      if node[keyPath: kind]?.verdict == true { return true }
    }
    return false
  }

  /// The first `.validate` on the way to `path`, or below it where the new value has data, that is false.
  private func firstInvalid(_ path: Path, after: Node) -> (path: Path, line: Int)? {
    var node = tree
    var value = after
    var place = Path.root
    if let line = refusal(node, value) { return (place, line) }
    for key in path.keys {
      guard let next = node.child(key) else { return nil }
      node = next
      value = value[key]
      place = place.appending(key)
      if let line = refusal(node, value) { return (place, line) }
    }
    return firstInvalid(below: node, value, place)
  }

  private func firstInvalid(below node: RuleNode, _ value: Node, _ place: Path) -> (path: Path, line: Int)? {
    guard !node.children.isEmpty || node.wildcard != nil else { return nil }
    var found: (path: Path, line: Int)?
    value.forEachChild { key, child in
      guard let next = node.child(key) else { return true }
      let inner = place.appending(key)
      if let line = refusal(next, child) {
        found = (inner, line)
      } else {
        found = firstInvalid(below: next, child, inner)
      }
      return found == nil
    }
    return found
  }

  private func refusal(_ node: RuleNode, _ value: Node) -> Int? {
    guard let rule = node.validate, !rule.verdict, !value.isNull else { return nil }
    return rule.line
  }

  private func explanation(_ rule: String, _ kind: KeyPath<RuleNode, Rule?>, _ path: Path) -> Explanation {
    var node: RuleNode? = tree
    var lines = [tree[keyPath: kind]?.line].compactMap(\.self)
    for key in path.keys {
      node = node?.child(key)
      if let line = node?[keyPath: kind]?.line { lines.append(line) }
    }
    let reason =
      lines.isEmpty
      ? "no \(rule) rule applies to this path"
      : "no \(rule) rule on the way is true (looked at line \(lines.map(String.init).joined(separator: ", ")))"
    return Explanation(rule: rule, path: path.text, reason: reason)
  }
}

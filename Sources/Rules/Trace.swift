package import JSONTree

/// How one rule came to its outcome, for people: `dhole rules explain`, the server's debug log, admins.
package struct RuleTrace: Sendable, Equatable {
  /// `.read`, `.write` or `.validate`.
  package let rule: String
  /// The data path at which the rule stands.
  package let path: String
  /// The line of the rule in the rules text, 1-based.
  package let line: Int
  /// The expression as written.
  package let expression: String
  package let outcome: Bool
  /// The parts of the expression that were evaluated, outermost first, with the value of each.
  package let parts: [Part]

  package struct Part: Sendable, Equatable {
    /// The part as written, and where it stands in the expression, in bytes.
    package let text: String
    package let range: Range<Int>
    /// A JSON text, `{…}` for an object, or `error: …` when there is no value.
    package let value: String
    /// It can only be true, false or an error: not so the value of a location or a claim that happens to be
    /// a boolean.
    package let isBoolean: Bool
    /// Nesting below the whole expression.
    package let depth: Int
  }
}

/// What decided one operation.
package struct DecisionTrace: Sendable {
  package let isAllowed: Bool
  /// Every rule that was asked, in order.
  package let rules: [RuleTrace]

  /// Most parts of one rule, and most characters of one value, that a sentence about a denial has.
  private static let partLimit = 16
  private static let valueLimit = 120

  /// The values that made the refusing rules false, in one sentence; empty when no rule applied.
  package var refusal: String {
    let kind = rules.last?.rule
    let refusing = rules.filter { !$0.outcome && $0.rule == kind }
    return refusing.suffix(4).map(Self.sentence).joined(separator: "; ")
  }

  /// Which rules let it through, to follow a verb; empty for an operator, whom no rule is asked about.
  var grant: String {
    let granting = rules.filter { $0.outcome && $0.rule != ".validate" }
    if granting.isEmpty { return "" }
    return " by "
      + granting.suffix(4).map { "\($0.rule) \($0.path) at line \($0.line)" }.joined(separator: ", ")
  }

  private static func sentence(_ rule: RuleTrace) -> String {
    var values: [String] = []
    // The whole is false, or it would not be told here; what it failed of is.
    for part in rule.parts.prefix(partLimit) where part.depth > 0 || part.value != "false" {
      let told = part.depth == 0 ? part.value : "\(part.text) = \(part.value)"
      let cut = told.count > valueLimit ? told.prefix(valueLimit) + "…" : told[...]
      if !values.contains(String(cut)) { values.append(String(cut)) }
    }
    let head = "line \(rule.line) at /\(rule.path)"
    return values.isEmpty ? "\(head) is false" : "\(head): \(values.joined(separator: ", "))"
  }
}

extension RuleSet {
  /// Decides a read as `read` does, and tells how. Slow: meant for people.
  package func trace(
    readAt path: Path, caller: Caller, root: Node, nowMilliseconds: Int64, query: QueryFacts?
  ) -> DecisionTrace {
    var tracer = Tracer(
      walk: RuleWalk(
        self, path, caller: caller, before: root, after: root, nowMilliseconds: nowMilliseconds, query: query)
    )
    let isAllowed = tracer.grants(.read)
    return DecisionTrace(isAllowed: caller.isAdmin || isAllowed, rules: tracer.rules)
  }

  /// Decides a write as `write` does, and tells how.
  package func trace(
    writeAt paths: [Path], caller: Caller, before: Node, after: Node, nowMilliseconds: Int64
  ) -> DecisionTrace {
    var rules: [RuleTrace] = []
    for path in paths {
      var tracer = Tracer(
        walk: RuleWalk(
          self, path, caller: caller, before: before, after: after, nowMilliseconds: nowMilliseconds,
          query: nil))
      let isAllowed = tracer.grants(.write) && tracer.validates()
      rules += tracer.rules
      if !isAllowed { return DecisionTrace(isAllowed: caller.isAdmin, rules: rules) }
    }
    return DecisionTrace(isAllowed: true, rules: rules)
  }
}

/// Walks as `RuleWalk` does and writes down each rule on the way.
private struct Tracer {
  var walk: RuleWalk
  var rules: [RuleTrace] = []
  private var scopes: [String: Int] = [:]

  init(walk: RuleWalk) {
    self.walk = walk
  }

  mutating func grants(_ kind: TypeCheck.Kind) -> Bool {
    var node = walk.tree
    scopes = [:]
    if note(kind, node.rule(kind)) { return true }
    for (depth, key) in walk.standing.keys.path.enumerated() {
      guard let next = enter(node, key, depth) else { return false }
      walk.advance()
      node = next
      if note(kind, node.rule(kind)) { return true }
    }
    return false
  }

  mutating func validates() -> Bool {
    walk.restart()
    scopes = [:]
    var node = walk.tree
    if !passes(node) { return false }
    for (depth, key) in walk.standing.keys.path.enumerated() {
      guard let next = enter(node, key, depth) else { return true }
      walk.advance()
      node = next
      if !passes(node) { return false }
    }
    return validates(below: node, walk.written, walk.standing.keys.count)
  }

  private mutating func validates(below node: RuleNode, _ value: Node, _ depth: Int) -> Bool {
    guard node.validatesBelow else { return true }
    var children: [(key: ChildKey, value: Node)] = []
    value.forEachChild { key, child in
      if node.child(key) != nil { children.append((key, child)) }
      return true
    }
    for (key, child) in children {
      let outer = scopes
      guard let next = enter(node, key, depth) else { continue }
      walk.descend(key, child)
      guard passes(next), validates(below: next, child, depth + 1) else { return false }
      walk.ascend(to: value)
      scopes = outer
    }
    return true
  }

  private mutating func passes(_ node: RuleNode) -> Bool {
    guard let rule = node.validate, !walk.written.isNull else { return true }
    return note(.validate, rule)
  }

  private mutating func enter(_ node: RuleNode, _ key: ChildKey, _ depth: Int) -> RuleNode? {
    guard let next = node.child(key) else { return nil }
    if node.children[key] == nil, let wildcard = node.wildcard { scopes[wildcard.name] = depth }
    return next
  }

  private mutating func note(_ kind: TypeCheck.Kind, _ rule: Rule?) -> Bool {
    guard let rule else { return false }
    let outcome = walk.holds(rule)
    var parts: [RuleTrace.Part] = []
    if rule.constant == nil, let whole = try? Parser.parse(rule.text) {
      var explainer = Explainer(
        kind: kind, dialect: rule.dialect, wildcards: scopes, text: Array(rule.text.utf8),
        evaluator: walk.standing)
      explainer.explain(whole, depth: 0)
      parts = explainer.parts
    }
    rules.append(
      RuleTrace(
        rule: kind.rawValue, path: walk.place.text, line: rule.line, expression: rule.text,
        outcome: outcome,
        parts: parts))
    return outcome
  }
}

/// Evaluates an expression part by part, as far as evaluation goes.
private struct Explainer {
  let kind: TypeCheck.Kind
  let dialect: RuleDialect
  let wildcards: [String: Int]
  let text: [UInt8]
  var evaluator: Evaluator
  var parts: [RuleTrace.Part] = []

  mutating func explain(_ expression: Expression, depth: Int) {
    let shown = value(of: expression)
    if let shown {
      let range = expression.range.clamped(to: 0..<text.count)
      let written = String(decoding: text[range], as: UTF8.self)
      parts.append(
        RuleTrace.Part(
          text: written, range: range, value: shown.text, isBoolean: shown.isBoolean, depth: depth))
    }
    let inner = shown == nil ? depth : depth + 1
    switch expression.form {
    case .number, .string, .bool, .null, .pattern, .name, .wildcard: return
    case .array(let elements): for element in elements { explain(element, depth: inner) }
    case .member(let target, _): explain(target, depth: inner)
    case .index(let target, let index):
      explain(target, depth: inner)
      explain(index, depth: inner)
    case .call(let target, let arguments):
      if case .member(let receiver, _) = target.form { explain(receiver, depth: inner) }
      for argument in arguments { explain(argument, depth: inner) }
    case .unary(_, let operand): explain(operand, depth: inner)
    case .binary(let operation, let left, let right):
      explain(left, depth: inner)
      let first = value(of: left)?.text
      if operation == .and, first != "true" { return }
      if operation == .or, first != "false" { return }
      explain(right, depth: inner)
    case .choice(let condition, let yes, let no):
      explain(condition, depth: inner)
      let test = value(of: condition)?.text
      if test == "true" { explain(yes, depth: inner) }
      if test == "false" { explain(no, depth: inner) }
    }
  }

  /// The value as text, and whether its type is boolean; nil for what has no value of its own, such as a
  /// literal or a snapshot.
  private mutating func value(of expression: Expression) -> (text: String, isBoolean: Bool)? {
    switch expression.form {
    case .number, .string, .bool, .null, .pattern, .array: return nil
    default: break
    }
    var check = TypeCheck(kind: kind, dialect: dialect, wildcards: wildcards)
    let checked = check.check(expression)
    guard let type = checked.type, type != .snapshot, type != .method, type != .query else { return nil }
    let program = Program(checked.code)
    do {
      return (Self.text(try evaluator.value(of: program)), type == .boolean)
    } catch {
      return ("error: \(Self.text(error))", type == .boolean)
    }
  }

  private static func text(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): Text.node(value).string ?? ""
    case .string(let node): node.text()
    case .object: "{…}"
    case .claims(let node): node.text()
    }
  }

  private static func text(_ fault: EvaluationFault) -> String {
    switch fault {
    case .notText: "a string was needed"
    case .notNumber: "a number was needed"
    case .notComparable: "two numbers or two strings were needed"
    case .aboveRoot: "the root has no parent"
    case .tooLong: "the text would be too long"
    case .meaningless: "there is no such value"
    }
  }
}

import JSONTree

/// Declared cases for a rule set: operations, who makes them, and what must come of each.
///
/// The file is JSON with comments:
///
///     { "now": 1700000000000, "data": {…},
///       "auth": { "mia": {"uid": "mia"}, "nobody": null },
///       "cases": [
///         { "name": "…", "why": "…", "as": "mia", "read": "rooms/a", "expect": "allow" },
///         { "as": {"uid": "leo"}, "set": "rooms/a/x", "value": 1, "expect": "deny",
///           "by": ".validate rooms/a/x" },
///         { "as": "mia", "update": "", "value": {"a/b": 1, "c": null}, "expect": "allow" },
///         { "as": "admin", "remove": "rooms", "expect": "allow" } ] }
///
/// `as` is a name under `auth`, an auth object, null, or `"admin"`. A case may have `now` and `data` of its
/// own, and a read a `query` (the fields of the rules variable). `by` demands which rule, at which path,
/// refuses.
package struct RuleCases: Sendable {
  package struct Case: Sendable {
    /// What the case shows; the operation itself when it has no name.
    package let name: String
    package let why: String?
    /// 1-based, in the file.
    package let line: Int
    package let expectsAllowed: Bool
    /// `.validate rooms/a/x`: the rule that must refuse; nil for any.
    package let refusedBy: String?
    let caller: Caller
    let nowMilliseconds: Int64
    let data: Node
    let operation: Operation
  }

  enum Operation: Sendable {
    case read(Path, QueryFacts?)
    case write([(path: Path, value: UnresolvedValue)])
  }

  /// How one case went.
  package struct Outcome: Sendable {
    package let entry: Case
    package let trace: DecisionTrace
    /// Nil when the case holds; else what was otherwise.
    package let failure: String?
  }

  package let cases: [Case]

  /// Reads a file of cases.
  package init(text: String) throws(RulesError) {
    let bytes = Array(text.utf8)
    var file = RulesFile(bytes)
    var reader = CaseReader(places: SourcePlaces(bytes))
    cases = try reader.cases(try file.read())
  }

  /// Takes a file of cases that was read elsewhere, from YAML for one.
  package init(document: FileValue, places: SourcePlaces) throws(RulesError) {
    var reader = CaseReader(places: places)
    cases = try reader.cases(document)
  }

  /// Decides each case with a rule set.
  package func run(_ rules: RuleSet) -> [Outcome] {
    cases.map { entry in
      let trace = Self.trace(entry, rules)
      return Outcome(entry: entry, trace: trace, failure: Self.failure(entry, trace))
    }
  }

  private static func trace(_ entry: Case, _ rules: RuleSet) -> DecisionTrace {
    switch entry.operation {
    case .read(let path, let query):
      return rules.trace(
        readAt: path, caller: entry.caller, root: entry.data, nowMilliseconds: entry.nowMilliseconds,
        query: query)
    case .write(let changes):
      var after = entry.data
      for change in changes {
        let value = change.value.resolved(nowMilliseconds: entry.nowMilliseconds) { below in
          entry.data[change.path.appending(below)]
        }
        after.set(value, at: change.path)
      }
      return rules.trace(
        writeAt: changes.map(\.path), caller: entry.caller, before: entry.data, after: after,
        nowMilliseconds: entry.nowMilliseconds)
    }
  }

  private static func failure(_ entry: Case, _ trace: DecisionTrace) -> String? {
    guard trace.isAllowed == entry.expectsAllowed else {
      return trace.isAllowed
        ? "expected to be denied, was allowed\(trace.grant)"
        : "expected to be allowed, was denied: \(trace.rules.isEmpty ? "no rule applies" : trace.refusal)"
    }
    guard let wanted = entry.refusedBy, !trace.isAllowed else { return nil }
    guard let last = trace.rules.last else { return "expected to be refused by \(wanted); no rule applies" }
    let actual = "\(last.rule) \(last.path)"
    return actual == wanted
      ? nil : "expected to be refused by \(wanted), was refused by \(actual) at line \(last.line)"
  }
}

/// Turns a parsed file into cases.
private struct CaseReader {
  let places: SourcePlaces
  private var callers: [String: Caller] = ["admin": .admin]
  private var data = Node.null
  private var now: Int64 = 1_700_000_000_000

  init(places: SourcePlaces) {
    self.places = places
  }

  mutating func cases(_ file: FileValue) throws(RulesError) -> [RuleCases.Case] {
    let members = try self.members(file)
    for member in members {
      switch member.key.text {
      case "now": now = try integer(member.value)
      case "data": data = try node(member.value)
      case "auth":
        for named in try self.members(member.value) {
          callers[named.key.text] = Caller(auth: try claims(named.value))
        }
      case "cases", "$schema": continue
      default: throw places.error(at: member.key.offset, "Unknown member '\(member.key.text)'.")
      }
    }
    guard let list = members.first(where: { $0.key.text == "cases" })?.value,
      case .array(let entries) = list.content
    else { throw places.error(at: file.offset, "Expected 'cases', an array of cases.") }
    var cases: [RuleCases.Case] = []
    for entry in entries { cases.append(try self.entry(entry)) }
    return cases
  }

  private static let known: Set<String> = [
    "name", "why", "as", "now", "data", "read", "query", "set", "update", "remove", "value", "expect", "by",
  ]

  private func entry(_ value: FileValue) throws(RulesError) -> RuleCases.Case {
    var fields: [String: FileValue] = [:]
    for member in try members(value) {
      guard Self.known.contains(member.key.text) else {
        throw places.error(at: member.key.offset, "Unknown member '\(member.key.text)'.")
      }
      fields[member.key.text] = member.value
    }
    let verbs = ["read", "set", "update", "remove"].filter { fields[$0] != nil }
    guard verbs.count == 1, let target = fields[verbs[0]] else {
      throw places.error(at: value.offset, "A case has one of 'read', 'set', 'update' and 'remove'.")
    }
    let expected: String
    switch fields["expect"]?.content {
    case .string(let text) where ["allow", "deny"].contains(text.text): expected = text.text
    default:
      throw places.error(
        at: fields["expect"]?.offset ?? value.offset, "Expected 'expect': \"allow\" or \"deny\".")
    }
    let path = try string(target)
    var refusedBy: String?
    if let by = fields["by"] { refusedBy = try string(by) }
    var name = "\(verbs[0]) /\(path)"
    if let given = fields["name"] { name = try string(given) }
    var why: String?
    if let given = fields["why"] { why = try string(given) }
    return RuleCases.Case(
      name: name, why: why, line: places.line(at: value.offset), expectsAllowed: expected == "allow",
      refusedBy: refusedBy, caller: try caller(fields["as"]),
      nowMilliseconds: try fields["now"].map(integer) ?? now,
      data: try fields["data"].map(node) ?? data, operation: try operation(verbs[0], path, target, fields))
  }

  private func operation(
    _ verb: String, _ text: String, _ target: FileValue, _ fields: [String: FileValue]
  ) throws(RulesError) -> RuleCases.Operation {
    let path: Path
    do {
      path = try Path(text, allowsPriority: true)
    } catch {
      throw places.error(at: target.offset, "'\(text)' is not a path.")
    }
    switch verb {
    case "read": return .read(path, try query(fields["query"]))
    case "remove": return .write([(path, UnresolvedValue(.null))])
    case "set": return .write([(path, try unresolved(fields["value"], target))])
    default:
      guard let value = fields["value"] else { throw places.error(at: target.offset, "Expected 'value'.") }
      var changes: [(path: Path, value: UnresolvedValue)] = []
      for member in try members(value) {
        guard let below = try? Path(member.key.text, allowsPriority: true) else {
          throw places.error(at: member.key.offset, "'\(member.key.text)' is not a path.")
        }
        changes.append((path.appending(below), try unresolved(member.value, target)))
      }
      return .write(changes)
    }
  }

  private func caller(_ value: FileValue?) throws(RulesError) -> Caller {
    guard let value else { return .anonymous }
    if case .string(let name) = value.content {
      guard let caller = callers[name.text] else {
        throw places.error(at: value.offset, "Nobody is called '\(name.text)' under 'auth'.")
      }
      return caller
    }
    return Caller(auth: try claims(value))
  }

  private func query(_ value: FileValue?) throws(RulesError) -> QueryFacts? {
    guard let value else { return nil }
    var facts = QueryFacts()
    for member in try members(value) {
      let field = member.value
      switch QueryField(rawValue: member.key.text) {
      case .orderByKey: facts.orderByKey = try node(field) == Node(true)
      case .orderByValue: facts.orderByValue = try node(field) == Node(true)
      case .orderByPriority: facts.orderByPriority = try node(field) == Node(true)
      case .orderByChild: facts.orderByChild = try string(field)
      case .startAt: facts.startAt = try node(field)
      case .endAt: facts.endAt = try node(field)
      case .equalTo: facts.equalTo = try node(field)
      case .limitToFirst: facts.limitToFirst = Int(try integer(field))
      case .limitToLast: facts.limitToLast = Int(try integer(field))
      case nil: throw places.error(at: member.key.offset, "A query has no '\(member.key.text)'.")
      }
    }
    return facts
  }

  // MARK: Values

  private func members(_ value: FileValue) throws(RulesError) -> [FileValue.Member] {
    guard case .object(let members) = value.content else {
      throw places.error(at: value.offset, "Expected '{'.")
    }
    return members
  }

  private func string(_ value: FileValue) throws(RulesError) -> String {
    guard case .string(let text) = value.content else {
      throw places.error(at: value.offset, "Expected '\"'.")
    }
    return text.text
  }

  private func integer(_ value: FileValue) throws(RulesError) -> Int64 {
    guard case .number(let digits) = value.content, let number = Int64(digits) else {
      throw places.error(at: value.offset, "Expected a whole number.")
    }
    return number
  }

  private func node(_ value: FileValue) throws(RulesError) -> Node {
    try unresolved(value, value).node
  }

  /// An auth object: its keys may hold what keys of the tree may not, such as `google.com`.
  private func claims(_ value: FileValue) throws(RulesError) -> Node {
    let text = Array(StrictText.of(value).utf8)
    let parsed = text.withUnsafeBytes { bytes -> Result<Node, JSONSyntaxError> in
      var reader = JSONReader(bytes)
      return Result { () throws(JSONSyntaxError) in try reader.readFreeValue() }
    }
    guard case .success(let node) = parsed else {
      throw places.error(at: value.offset, "This can't be an auth object.")
    }
    return node
  }

  /// A value of the tree, in export form.
  private func unresolved(_ value: FileValue?, _ target: FileValue) throws(RulesError) -> UnresolvedValue {
    guard let value else { throw places.error(at: target.offset, "Expected 'value'.") }
    let text = Array(StrictText.of(value).utf8)
    let parsed = text.withUnsafeBytes { bytes -> Result<UnresolvedValue, JSONSyntaxError> in
      var reader = JSONReader(bytes)
      return Result { () throws(JSONSyntaxError) in try reader.readValue() }
    }
    switch parsed {
    case .success(let value): return value
    case .failure(let fault):
      throw places.error(at: value.offset, "This can't be a value of the tree: \(fault.reason).")
    }
  }
}

import JSONTree

/// What a run of cases made of each expression: which parts were ever true, ever false, or never asked.
package struct RuleCoverage: Sendable {
  package struct Tally: Sendable, Equatable {
    package var trueCount = 0
    package var falseCount = 0
    package var errorCount = 0

    /// `both`, `always true`, `always false`, `only errors` or `never asked`.
    package var verdict: String {
      switch (trueCount > 0, falseCount > 0) {
      case (true, true): "both"
      case (true, false): "always true"
      case (false, true): "always false"
      case (false, false): errorCount > 0 ? "only errors" : "never asked"
      }
    }

    mutating func add(_ value: String) {
      switch value {
      case "true": trueCount += 1
      case "false": falseCount += 1
      case _ where value.hasPrefix("error"): errorCount += 1
      default: break
      }
    }
  }

  /// One rule of the text.
  package struct Entry: Sendable {
    /// `.read`, `.write` or `.validate`.
    package let rule: String
    /// Where it stands in the rules, wildcards by name.
    package let location: String
    package let line: Int
    package let expression: String
    package var whole = Tally()
    /// The parts whose type is boolean, the whole and literals aside, by their range in the expression.
    package var parts: [Range<Int>: Tally] = [:]
  }

  /// In the order of the text.
  package private(set) var entries: [Entry] = []
  private var places: [Key: Int] = [:]

  private struct Key: Hashable {
    let rule: String
    let line: Int
    let expression: String
  }

  /// The coverage of a rule set by the traces of cases.
  package init(of rules: RuleSet, by traces: [DecisionTrace]) {
    collect(rules.tree, "", wildcards: [:], depth: 0)
    entries.sort { ($0.line, $0.rule) < ($1.line, $1.rule) }
    for (index, entry) in entries.enumerated() {
      places[Key(rule: entry.rule, line: entry.line, expression: entry.expression)] = index
    }
    for trace in traces { for rule in trace.rules { add(rule) } }
  }

  /// How many of the expressions were both true and false, of all that are not constants.
  package var covered: (both: Int, of: Int) {
    let asked = entries.filter { $0.expression != "true" && $0.expression != "false" }
    return (asked.count { $0.whole.verdict == "both" }, asked.count)
  }

  private mutating func collect(
    _ node: RuleNode, _ location: String, wildcards: [String: Int], depth: Int
  ) {
    for kind in [TypeCheck.Kind.read, .write, .validate] {
      guard let rule = node.rule(kind) else { continue }
      var entry = Entry(
        rule: kind.rawValue, location: location.isEmpty ? "/" : location, line: rule.line,
        expression: rule.text)
      if rule.constant == nil, let whole = try? Parser.parse(rule.text) {
        let check = TypeCheck(kind: kind, dialect: rule.dialect, wildcards: wildcards)
        for part in whole.parts { Self.collect(part, check, into: &entry.parts) }
      }
      entries.append(entry)
    }
    for (key, child) in node.children {
      collect(child, "\(location)/\(key.text)", wildcards: wildcards, depth: depth + 1)
    }
    if let wildcard = node.wildcard {
      let inner = wildcards.merging([wildcard.name: depth]) { _, new in new }
      collect(wildcard.node, "\(location)/\(wildcard.name)", wildcards: inner, depth: depth + 1)
    }
  }

  /// Nothing is known yet of every boolean part.
  private static func collect(
    _ expression: Expression, _ check: TypeCheck, into parts: inout [Range<Int>: Tally]
  ) {
    var own = check
    if !expression.isLiteral, own.check(expression).type == .boolean { parts[expression.range] = Tally() }
    for part in expression.parts { collect(part, check, into: &parts) }
  }

  private mutating func add(_ trace: RuleTrace) {
    guard let index = places[Key(rule: trace.rule, line: trace.line, expression: trace.expression)] else {
      return
    }
    let isError = trace.parts.first?.value.hasPrefix("error") ?? false
    entries[index].whole.add(isError ? "error" : trace.outcome ? "true" : "false")
    for part in trace.parts.dropFirst() where part.isBoolean {
      entries[index].parts[part.range, default: Tally()].add(part.value)
    }
  }
}

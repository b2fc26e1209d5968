/// A tree of rules as a value, its text, and its decisions as the specification words them.
struct NaiveRules {
  var rules: [String: NaiveExpression] = [:]
  var children: [String: NaiveRules] = [:]
  var wildcard: (name: String, rules: [NaiveRules])?

  var json: String {
    var members = rules.sorted { $0.key < $1.key }.map {
      "\"\($0.key)\":\(NaiveTree.quoted($0.value.written))"
    }
    members += children.sorted { $0.key < $1.key }.map { "\(NaiveTree.quoted($0.key)):\($0.value.json)" }
    if let wildcard { members.append("\"\(wildcard.name)\":\(wildcard.rules[0].json)") }
    return "{\(members.joined(separator: ","))}"
  }

  /// The rules at a place and what its wildcards matched; nil where no rules are.
  private func find(_ keys: [String], _ matched: [String: String] = [:]) -> (NaiveRules, [String: String])? {
    guard let first = keys.first else { return (self, matched) }
    let rest = Array(keys.dropFirst())
    if let child = children[first] { return child.find(rest, matched) }
    guard let wildcard else { return nil }
    return wildcard.rules[0].find(rest, matched.merging([wildcard.name: first]) { _, new in new })
  }

  private func holds(_ name: String, at keys: [String], _ evaluator: NaiveEvaluator) throws -> Bool? {
    guard let (here, matched) = find(keys), let rule = here.rules[name] else { return nil }
    var evaluator = evaluator
    evaluator.keys = keys
    evaluator.wildcards = matched
    return try evaluator.holds(rule)
  }

  private static func prefixes(_ keys: [String]) -> [[String]] {
    (0...keys.count).map { Array(keys.prefix($0)) }
  }

  /// Some rule of the name is true from the root to the place.
  func grants(_ name: String, at keys: [String], _ evaluator: NaiveEvaluator) throws -> Bool {
    try Self.prefixes(keys).contains { try holds(name, at: $0, evaluator) == true }
  }

  /// Every path may be written, and every `.validate` that meets data on the way to it or below it is true.
  func allows(writing paths: [[String]], _ evaluator: NaiveEvaluator) throws -> Bool {
    try paths.allSatisfy { keys in
      guard try grants(".write", at: keys, evaluator) else { return false }
      let places = Self.prefixes(keys) + Self.below(keys, evaluator.after[keys])
      return try places.allSatisfy { place in
        guard evaluator.after[place].exists else { return true }
        return try holds(".validate", at: place, evaluator) ?? true
      }
    }
  }

  private static func below(_ keys: [String], _ tree: NaiveTree) -> [[String]] {
    tree.children.flatMap { key, child in [keys + [key]] + below(keys + [key], child) }
  }
}

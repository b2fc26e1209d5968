import JSONTree

/// Something in a rule set that is legal and probably not meant.
package struct RuleLint: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// Everybody may read or write everything.
    case openRoot = "open-root"
    /// An ancestor grants already, always.
    case unreachable
    /// A constant false below a rule that may be true: rules only ever add.
    case revokesNothing = "revokes-nothing"
    /// Nobody can write there, so nothing is ever validated.
    case validateWithoutWrite = "validate-without-write"
    /// True for everybody who is signed out while the value is missing.
    case nullEqualsNull = "null-equals-null"
    /// No rule lets anybody query there.
    case unusableIndex = "unusable-index"
  }

  package let kind: Kind
  package let line: Int
  /// Where in the rules, wildcards by name.
  package let location: String
  /// One sentence: what is wrong, and what to do.
  package let message: String
}

extension RuleSet {
  /// What is legal here and probably not meant, by line.
  package var lints: [RuleLint] {
    var linter = Linter()
    linter.visit(tree, Linter.Above(), "")
    return linter.lints.sorted { $0.line < $1.line }
  }
}

private struct Linter {
  var lints: [RuleLint] = []

  /// What holds for a location because of those above it.
  struct Above {
    var granted: [String: Int] = [:]
    var mayGrant: [String: Int] = [:]
    var wildcards: [String: Int] = [:]
    var depth = 0
  }

  mutating func visit(_ node: RuleNode, _ above: Above, _ location: String) {
    var above = above
    let place = location.isEmpty ? "/" : location
    for (name, rule) in [(".read", node.read), (".write", node.write)] {
      guard let rule else { continue }
      reach(name, rule, above, place)
      if rule.constant == true {
        above.granted[name] = above.granted[name] ?? rule.line
        if location.isEmpty {
          let verb = name == ".read" ? "read" : "write"
          add(
            .openRoot, rule, place, "Everybody may \(verb) everything. Grant at the locations that need it.")
        }
      }
      if rule.constant != false { above.mayGrant[name] = above.mayGrant[name] ?? rule.line }
    }
    if let validate = node.validate, above.mayGrant[".write"] == nil, !Self.grantsBelow(node, \.write) {
      add(
        .validateWithoutWrite, validate, place,
        "Nothing here can be written, so it is never asked. Add a .write.")
    }
    if let line = node.indexLine, above.mayGrant[".read"] == nil {
      let message = "No .read on the way lets anybody query here, so the index serves admins alone."
      lints.append(RuleLint(kind: .unusableIndex, line: line, location: place, message: message))
    }
    for (name, rule) in [(".read", node.read), (".write", node.write), (".validate", node.validate)] {
      if let rule { compareNulls(name, rule, above, place) }
    }
    above.depth += 1
    for (key, child) in node.children { visit(child, above, "\(location)/\(key.text)") }
    if let wildcard = node.wildcard {
      above.wildcards[wildcard.name] = above.depth - 1
      visit(wildcard.node, above, "\(location)/\(wildcard.name)")
    }
  }

  private mutating func reach(_ name: String, _ rule: Rule, _ above: Above, _ place: String) {
    if let line = above.granted[name] {
      add(
        .unreachable, rule, place,
        "Line \(line) grants already: this \(name) is never needed. Remove one of them.")
    } else if rule.constant == false, let line = above.mayGrant[name] {
      add(
        .revokesNothing, rule, place,
        "It takes nothing away from what line \(line) grants: rules only ever add.")
    }
  }

  private static func grantsBelow(_ node: RuleNode, _ kind: KeyPath<RuleNode, Rule?>) -> Bool {
    let below = Array(node.children.values) + [node.wildcard?.node].compactMap(\.self)
    return below.contains { child in
      child[keyPath: kind].map { $0.constant != false } ?? false || grantsBelow(child, kind)
    }
  }

  // MARK: Comparisons

  /// Finds `auth.uid == something.val()` in a rule that nowhere demands that somebody is signed in.
  private mutating func compareNulls(_ name: String, _ rule: Rule, _ above: Above, _ place: String) {
    guard name != ".validate", rule.constant == nil, let kind = TypeCheck.Kind(rawValue: name),
      let expression = try? Parser.parse(rule.text), !Self.demandsAuth(expression)
    else { return }
    var check = TypeCheck(kind: kind, dialect: rule.dialect, wildcards: above.wildcards)
    for (left, right) in Self.equalities(expression) {
      let types = [check.check(left).type, check.check(right).type]
      guard types.contains(.auth), types.contains(.value) else { continue }
      let message =
        "True for anybody who is signed out while the value is missing (null == null). Add auth != null && …"
      return add(.nullEqualsNull, rule, place, message)
    }
  }

  /// True if `auth` or something under it is compared with null, or with a text that is never null.
  private static func demandsAuth(_ expression: Expression) -> Bool {
    switch expression.form {
    case .binary(.unequal, let left, let right):
      return isAuth(left) && isNull(right) || isNull(left) && isAuth(right)
    case .binary(.and, let left, let right): return demandsAuth(left) || demandsAuth(right)
    case .binary(.or, let left, let right): return demandsAuth(left) && demandsAuth(right)
    default: return false
    }
  }

  private static func isAuth(_ expression: Expression) -> Bool {
    switch expression.form {
    case .name("auth"): true
    case .member(let target, _): isAuth(target)
    default: false
    }
  }

  private static func isNull(_ expression: Expression) -> Bool {
    if case .null = expression.form { return true }
    return false
  }

  private static func equalities(_ expression: Expression) -> [(Expression, Expression)] {
    switch expression.form {
    case .binary(.equal, let left, let right): [(left, right)]
    case .binary(.and, let left, let right), .binary(.or, let left, let right):
      equalities(left) + equalities(right)
    default: []
    }
  }

  private mutating func add(_ kind: RuleLint.Kind, _ rule: Rule, _ place: String, _ message: String) {
    lints.append(RuleLint(kind: kind, line: rule.line, location: place, message: message))
  }
}

import JSONTree

/// One location of a rules file: its own rules, and the locations below it.
final class RuleNode: Sendable {
  let read: Rule?
  let write: Rule?
  let validate: Rule?
  /// What `.indexOn` names: child paths and `.value`.
  let indexes: [String]
  /// Where `.indexOn` stands; nil without one.
  let indexLine: Int?
  let children: [ChildKey: RuleNode]
  /// The same, if they are so few that looking through them is faster than hashing.
  private let few: [(key: ChildKey, node: RuleNode)]
  private static let fewLimit = 8
  /// The `$name` child, which serves every key without a child of its own.
  let wildcard: (name: String, node: RuleNode)?
  /// Some location below has a `.validate`.
  let validatesBelow: Bool
  /// A `.read` here or below looks into the tree.
  let readsData: Bool

  init(
    read: Rule?, write: Rule?, validate: Rule?, indexes: [String], indexLine: Int?,
    children: [ChildKey: RuleNode],
    wildcard: (name: String, node: RuleNode)?
  ) {
    self.read = read
    self.write = write
    self.validate = validate
    self.indexes = indexes
    self.indexLine = indexLine
    self.children = children
    few = children.count <= Self.fewLimit ? children.map { ($0.key, $0.value) } : []
    self.wildcard = wildcard
    let below = Array(children.values) + [wildcard?.node].compactMap(\.self)
    validatesBelow = below.contains { $0.validate != nil || $0.validatesBelow }
    readsData = read?.program.places.isEmpty == false || below.contains(where: \.readsData)
  }

  static let empty = RuleNode(
    read: nil, write: nil, validate: nil, indexes: [], indexLine: nil, children: [:], wildcard: nil)

  /// The location that governs `key`: the literal child if there is one, else the wildcard.
  func child(_ key: ChildKey) -> RuleNode? {
    if children.count > Self.fewLimit { return children[key] ?? wildcard?.node }
    for index in few.indices where few[index].key == key { return few[index].node }
    return wildcard?.node
  }

  /// The rule of a kind that stands here.
  func rule(_ kind: TypeCheck.Kind) -> Rule? {
    switch kind {
    case .read: read
    case .write: write
    case .validate: validate
    }
  }
}

/// A rule: its expression, and where it stands in the rules text.
final class Rule: Sendable {
  let program: Program
  /// The expression as written, escapes resolved.
  let text: String
  let line: Int
  let dialect: RuleDialect
  /// The rule's outcome if it needs no evaluation.
  let constant: Bool?

  init(code: Code, text: String, line: Int, dialect: RuleDialect = .firebase) {
    program = Program(code)
    self.text = text
    self.line = line
    self.dialect = dialect
    if case .constant(.bool(let value)) = code { constant = value } else { constant = nil }
  }
}

/// Builds the tree from a parsed file and collects every fault on the way.
struct RuleTreeBuilder {
  private let places: SourcePlaces
  private(set) var dialect: RuleDialect
  private(set) var errors: [RulesError] = []

  init(_ bytes: [UInt8], assuming dialect: RuleDialect) {
    places = SourcePlaces(bytes)
    self.dialect = dialect
  }

  mutating func build(_ file: FileValue) -> RuleNode {
    guard case .object(let members) = file.content,
      let rules = members.first(where: { $0.key.text == "rules" })
    else {
      errors.append(RulesError(line: 1, column: 2, message: "Expected 'rules' property."))
      return .empty
    }
    if let member = members.first(where: { $0.key.text == "dialect" }) { readDialect(member.value) }
    return node(rules.value, depth: 0, wildcards: [:])
  }

  private mutating func readDialect(_ value: FileValue) {
    guard case .string(let name) = value.content, let known = RuleDialect(rawValue: name.text) else {
      let names = RuleDialect.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or ")
      return report("Unknown dialect. Expected \(names).", at: value.offset)
    }
    dialect = known
  }

  private mutating func node(_ value: FileValue, depth: Int, wildcards: [String: Int]) -> RuleNode {
    guard case .object(let members) = value.content else {
      report("Expected '{'.", at: value.offset)
      return .empty
    }
    var rules: [String: Rule] = [:]
    var indexes: [String] = []
    var indexLine: Int?
    var children: [ChildKey: RuleNode] = [:]
    var wildcard: (name: String, node: RuleNode)?
    for member in members {
      let name = member.key.text
      switch name {
      case ".read", ".write", ".validate": rules[name] = rule(name, member.value, wildcards)
      case ".indexOn":
        indexes = indexNames(member.value)
        indexLine = places.line(at: member.key.offset)
      case _ where name.hasPrefix("$"):
        if let first = wildcard {
          report("Cannot have multiple default rules ('\(first.name)' and '\(name)').", at: member.key.offset)
        } else if wildcards[name] != nil {
          report("'\(name)' already names an enclosing location.", at: member.key.offset)
        }
        let inner = wildcards.merging([name: depth]) { _, new in new }
        wildcard = (name, node(member.value, depth: depth + 1, wildcards: inner))
      default: child(member, depth: depth, wildcards: wildcards, into: &children)
      }
    }
    return RuleNode(
      read: rules[".read"], write: rules[".write"], validate: rules[".validate"], indexes: indexes,
      indexLine: indexLine,
      children: children, wildcard: wildcard)
  }

  private mutating func child(
    _ member: FileValue.Member, depth: Int, wildcards: [String: Int],
    into children: inout [ChildKey: RuleNode]
  ) {
    guard case .object = member.value.content else { return report("Expected '{'.", at: member.value.offset) }
    guard let key = try? ChildKey(member.key.text) else {
      return report(##"String can't contain ".", "#", "$", "/", "[", or "]""##, at: member.key.offset)
    }
    children[key] = node(member.value, depth: depth + 1, wildcards: wildcards)
  }

  private mutating func rule(_ name: String, _ value: FileValue, _ wildcards: [String: Int]) -> Rule? {
    let line = places.line(at: value.offset)
    switch value.content {
    case .bool(let verdict): return Rule(code: .constant(.bool(verdict)), text: "\(verdict)", line: line)
    case .string(let string):
      guard let code = compile(name, string, wildcards) else { return nil }
      return Rule(code: code, text: string.text, line: line, dialect: dialect)
    default:
      report("Invalid rule expression.  Expected 'true', 'false', or an expression string.", at: value.offset)
    }
    return nil
  }

  private mutating func compile(_ name: String, _ string: FileString, _ wildcards: [String: Int]) -> Code? {
    guard let kind = TypeCheck.Kind(rawValue: name) else { return nil }
    var faults: [ExpressionFault]
    do {
      let expression = try Parser.parse(string.text)
      var check = TypeCheck(kind: kind, dialect: dialect, wildcards: wildcards)
      if let code = check.rule(expression) { return code }
      faults = check.faults
    } catch {
      faults = [error]
    }
    for fault in faults {
      report(fault.message, at: places.offset(inString: string.offset, decoded: fault.offset))
    }
    return nil
  }

  private mutating func indexNames(_ value: FileValue) -> [String] {
    let message = "Invalid indexOn expression. Must be either a string or an array of strings"
    switch value.content {
    case .string(let one): return [one.text]
    case .array(let many):
      return many.compactMap { element in
        if case .string(let name) = element.content { return name.text }
        report(message, at: element.offset)
        return nil
      }
    default:
      report(message, at: value.offset)
      return []
    }
  }

  private mutating func report(_ message: String, at offset: Int) {
    errors.append(places.error(at: offset, message))
  }
}

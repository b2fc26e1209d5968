import JSONTree

/// Checks the types of an expression and turns it into code.
///
/// Faults are collected, left operand first; a faulty part has no type, and no further fault is reported for
/// what contains it.
struct TypeCheck {
  enum Kind: String { case read = ".read", write = ".write", validate = ".validate" }

  /// An expression's code, and its type unless it is faulty.
  struct Checked {
    var code: Code
    var type: StaticType?
    /// For a snapshot, instead of `code`.
    var place = Place.root

    init(_ code: Code, _ type: StaticType) {
      self.code = code
      self.type = type
    }

    init(_ place: Place) {
      self.init(.failure, .snapshot)
      self.place = place
    }

    static let faulty: Checked = {
      var checked = Checked(.failure, .null)
      checked.type = nil
      return checked
    }()
  }

  let kind: Kind
  let dialect: RuleDialect
  /// The wildcards in scope and the depth of the path at which each matches.
  let wildcards: [String: Int]
  private(set) var faults: [ExpressionFault] = []

  init(kind: Kind, dialect: RuleDialect, wildcards: [String: Int]) {
    self.kind = kind
    self.dialect = dialect
    self.wildcards = wildcards
  }

  /// The code of a whole rule; nil when it is faulty, with the faults in `faults`.
  mutating func rule(_ expression: Expression) -> Code? {
    let checked = check(expression)
    if let type = checked.type, type != .boolean {
      report("Expression must evaluate to a boolean.", expression)
    }
    return faults.isEmpty ? checked.code : nil
  }

  mutating func check(_ expression: Expression) -> Checked {
    switch expression.form {
    case .number(let value): return Checked(.constant(.number(value)), .number)
    case .string(let text, _): return Checked(.constant(.string(Node(text))), .string)
    case .bool(let value): return Checked(.constant(.bool(value)), .boolean)
    case .null: return Checked(.constant(.null), .null)
    case .pattern: return Checked(.failure, .regex)
    case .array:
      return fault("Unexpected array literal.", expression)
    case .name(let name): return variable(name, expression)
    case .wildcard(let name):
      guard let depth = wildcards[name] else { return fault("Unknown variable '\(name)'.", expression) }
      return Checked(.wildcard(depth: depth), .string)
    case .member(let target, let name): return member(target, name, expression)
    case .index(let target, let index): return self.index(target, index, expression)
    case .call(let target, let arguments): return call(target, arguments, expression)
    case .unary(let operation, let operand): return unary(operation, operand, expression)
    case .binary(let operation, let left, let right): return binary(operation, left, right)
    case .choice(let condition, let yes, let no): return choice(condition, yes, no)
    }
  }

  // MARK: Faults

  mutating func fault(_ message: String, _ expression: Expression) -> Checked {
    report(message, expression)
    return .faulty
  }

  mutating func report(_ message: String, _ expression: Expression) {
    faults.append(ExpressionFault(message, at: expression.offset))
  }

  // MARK: Names

  private mutating func variable(_ name: String, _ expression: Expression) -> Checked {
    switch name {
    case "auth": return Checked(.auth, .auth)
    case "now": return Checked(.now, .number)
    case "root": return Checked(Place.root)
    case "data": return Checked(Place(.data(up: 0)))
    case "newData":
      if kind == .read { return fault("newData is invalid in .read expressions.", expression) }
      return Checked(Place(.newData(up: 0)))
    case "query": return Checked(.failure, .query)
    default: return fault("Unknown variable '\(name)'.", expression)
    }
  }

  private mutating func member(_ target: Expression, _ name: String, _ expression: Expression) -> Checked {
    let receiver = check(target)
    guard let type = receiver.type else { return .faulty }
    switch type {
    case .snapshot:
      guard SnapshotMethod(rawValue: name) != nil else { return noSuchMethod(name, expression) }
      return Checked(.failure, .method)
    case .string, .value, .auth:
      if name == "length" { return Checked(.length(receiver.code), .number) }
      if StringMethod(name, dialect) != nil { return Checked(.failure, .method) }
      guard type == .auth else { return noSuchMethod(name, expression) }
      return Checked(.property(receiver.code, ChildKey(unchecked: name)), .auth)
    case .query:
      guard let field = QueryField(rawValue: name) else { return noSuchMethod(name, expression) }
      return Checked(.query(field), Self.type(of: field))
    default: return fault("Invalid property access: target is not an object.", expression)
    }
  }

  private static func type(of field: QueryField) -> StaticType {
    switch field {
    case .orderByKey, .orderByValue, .orderByPriority: .boolean
    case .orderByChild: .ordering
    default: .queryValue
    }
  }

  private mutating func noSuchMethod(_ name: String, _ expression: Expression) -> Checked {
    fault("No such method/property '\(name)'.", expression)
  }

  private mutating func index(_ target: Expression, _ index: Expression, _ expression: Expression) -> Checked
  {
    if case .string(let name, _) = index.form { return member(target, name, expression) }
    let receiver = check(target)
    let key = check(index)
    guard let type = receiver.type, let keyType = key.type else { return .faulty }
    guard type == .auth, keyType.isText || keyType == .mixed else {
      return fault("Invalid property access.", expression)
    }
    return Checked(.computedProperty(receiver.code, key.code), .auth)
  }
}

/// The methods of snapshots.
enum SnapshotMethod: String {
  case val, child, parent, hasChild, hasChildren, exists, getPriority, isString, isNumber, isBoolean
}

/// The methods of strings, and of values that may be strings.
enum StringMethod: String {
  case contains, beginsWith, endsWith, replace, toLowerCase, toUpperCase, matches

  /// The method that a dialect calls so.
  init?(_ name: String, _ dialect: RuleDialect) {
    self.init(rawValue: dialect == .wilddog && name == "startsWith" ? "beginsWith" : name)
  }
}

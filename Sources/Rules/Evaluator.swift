import JSONTree

/// Why an expression has no value: it makes its whole rule false.
enum EvaluationFault: Error, Equatable {
  case notText
  case notNumber
  case notComparable
  case aboveRoot
  case tooLong
  case meaningless
}

/// Evaluates programs at one location: the way to it from the root, before and after the write, and who asks.
///
/// Evaluating changes nothing but what has been looked up so far.
struct Evaluator {
  let auth: Node
  let nowMilliseconds: Double
  let query: QueryFacts?
  var before: Trail
  var after: Trail
  var keys: WalkKeys
  /// The place of the program that was looked up last, and what is there.
  var lastPlace: Int32 = -1
  var lastNode = Node.null
  /// Where what is looked at is written down, if anybody wants to know.
  var lookups: Lookups?

  init(
    auth: Node, nowMilliseconds: Double, query: QueryFacts?, before: Node, after: Node, keys: WalkKeys
  ) {
    self.auth = auth
    self.nowMilliseconds = nowMilliseconds
    self.query = query
    self.before = Trail(before)
    self.after = Trail(after)
    self.keys = keys
  }

  /// True if the expression is true; a fault makes it false.
  mutating func holds(_ program: Program) -> Bool {
    begin()
    return (try? flag(program.whole, of: program)) ?? false
  }

  /// The value of a whole program.
  mutating func value(of program: Program) throws(EvaluationFault) -> Value {
    begin()
    return try value(program.whole, of: program)
  }

  /// Places of another program, or of another standing, are other places.
  private mutating func begin() { lastPlace = -1 }

  // MARK: Logic

  mutating func flag(_ part: Program.Part, of program: Program) throws(EvaluationFault) -> Bool {
    switch program.operations[Int(part.index)] {
    case .and(let left, let right):
      guard try flag(left, of: program) else { return false }
      return try flag(right, of: program)
    case .or(let left, let right):
      if try flag(left, of: program) { return true }
      return try flag(right, of: program)
    case .not(let operand): return try !flag(operand, of: program)
    case .exists(let place): return try !node(place, of: program).isNull
    case .isNull(let operand): return try isNull(operand, of: program)
    case .isNotNull(let operand): return try !isNull(operand, of: program)
    case .equal(let left, let right):
      return try Self.areEqual(value(left, of: program), value(right, of: program))
    case .unequal(let left, let right):
      return try !Self.areEqual(value(left, of: program), value(right, of: program))
    case .compare(let comparison, let left, let right):
      if let left = try sureNumber(left, of: program), let right = try sureNumber(right, of: program) {
        return Self.compare(comparison, left, right)
      }
      return try Self.compare(comparison, value(left, of: program), value(right, of: program))
    case .hasChildren(let place): return try node(place, of: program).isObject
    case .hasAllChildren(let place, let first, let count):
      let parent = try node(place, of: program)
      var hasAll = true
      // A name that has no value makes the rule false, whether or not an earlier child is missing.
      for index in Int(first)..<Int(first + count) {
        if lookups != nil { try note(program.ways[index], below: place, of: program) }
        if try node(program.ways[index], below: parent, of: program).isNull { hasAll = false }
      }
      return hasAll
    case .isKind(let place, let kind): return Self.isKind(try node(place, of: program), kind)
    case .test(let test, let subject, let piece):
      return try Self.test(test, string(subject, of: program), string(piece, of: program))
    case .matches(let subject, let pattern):
      return try Self.matches(string(subject, of: program), program.patterns[Int(pattern)])
    default:
      guard case .bool(let value) = try value(part, of: program) else { throw .meaningless }
      return value
    }
  }

  private mutating func isNull(_ part: Program.Part, of program: Program) throws(EvaluationFault) -> Bool {
    switch program.operations[Int(part.index)] {
    case .auth: return auth.isNull
    case .claim(let key): return auth[program.keys[Int(key)]].isNull
    case .value(let place): return try node(place, of: program).isNull
    default:
      if case .null = try value(part, of: program) { return true }
      return false
    }
  }

  private static func compare(_ comparison: Comparison, _ left: Double, _ right: Double) -> Bool {
    switch comparison {
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
  }

  /// The value of what is nothing but a number; nil for what may be something else, which is not evaluated.
  private mutating func sureNumber(
    _ part: Program.Part, of program: Program
  ) throws(EvaluationFault) -> Double? {
    switch program.operations[Int(part.index)] {
    case .number(let value): return value
    case .now: return nowMilliseconds
    case .length(let subject): return Double(Text.utf16Length(try string(subject, of: program)))
    default: return nil
    }
  }

  private static func isKind(_ node: Node, _ kind: LeafKind) -> Bool {
    switch kind {
    case .string: node.isString
    case .number: node.double != nil
    case .bool: node.bool != nil
    }
  }

  private static func areEqual(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.string(let left), .string(let right)): left == right
    default: false
    }
  }

  private static func compare(_ comparison: Comparison, _ left: Value, _ right: Value) throws(EvaluationFault)
    -> Bool
  {
    switch (left, right) {
    case (.number(let left), .number(let right)): return compare(comparison, left, right)
    case (.string(let left), .string(let right)):
      let order = Node.indexOrder(left, right)
      switch comparison {
      case .less: return order == .less
      case .lessOrEqual: return order != .greater
      case .greater: return order == .greater
      case .greaterOrEqual: return order != .less
      }
    default: throw .notComparable
    }
  }

  // MARK: Values

  mutating func value(_ part: Program.Part, of program: Program) throws(EvaluationFault) -> Value {
    switch program.operations[Int(part.index)] {
    case .constant(let index): return program.constants[Int(index)]
    case .number(let value): return .number(value)
    case .auth: return Self.claims(auth)
    case .now: return .number(nowMilliseconds)
    case .wildcard(let depth): return .string(Node(key: keys[Int(depth)]))
    case .query(let field): return self.value(of: field)
    case .claim(let key): return Self.claims(auth[program.keys[Int(key)]])
    case .property(let object, let key): return try property(object, program.keys[Int(key)], of: program)
    case .computedProperty(let object, let key):
      let name = try string(key, of: program)
      return try property(object, ChildKey(unchecked: name.string ?? ""), of: program)
    case .value(let place): return Value(try node(place, of: program))
    case .priority(let place): return Value(try node(place, of: program).priority)
    case .negative(let operand): return .number(-(try number(operand, of: program)))
    case .choice(let condition, let yes, let no):
      return try flag(condition, of: program) ? value(yes, of: program) : value(no, of: program)
    case .sum(let left, let right): return try Self.sum(value(left, of: program), value(right, of: program))
    case .arithmetic(let operation, let left, let right):
      return .number(
        try Self.arithmetic(operation, number(left, of: program), number(right, of: program)))
    case .length(let subject): return .number(Double(Text.utf16Length(try string(subject, of: program))))
    case .replace(let subject, let old, let new):
      return .string(
        try Text.replacing(
          string(old, of: program), with: string(new, of: program), in: string(subject, of: program)))
    case .changeCase(let subject, let isUpper):
      let text = try string(subject, of: program).string ?? ""
      return .string(Node(isUpper ? text.uppercased() : text.lowercased()))
    case .failure: throw .meaningless
    default: return .bool(try flag(part, of: program))
    }
  }

  private static func claims(_ node: Node) -> Value {
    node.isObject ? .claims(node) : Value(node)
  }

  private mutating func property(
    _ object: Program.Part, _ key: ChildKey, of program: Program
  ) throws(EvaluationFault) -> Value {
    guard case .claims(let node) = try value(object, of: program) else { return .null }
    return Self.claims(node[key])
  }

  mutating func string(_ part: Program.Part, of program: Program) throws(EvaluationFault) -> Node {
    switch program.operations[Int(part.index)] {
    case .value(let place): return try Self.text(node(place, of: program))
    case .claim(let key): return try Self.text(auth[program.keys[Int(key)]])
    default:
      guard case .string(let text) = try value(part, of: program) else { throw .notText }
      return text
    }
  }

  private static func text(_ node: Node) throws(EvaluationFault) -> Node {
    guard node.isString else { throw .notText }
    return node
  }

  private mutating func number(_ part: Program.Part, of program: Program) throws(EvaluationFault) -> Double {
    guard case .number(let value) = try value(part, of: program) else { throw .notNumber }
    return value
  }

  private static func sum(_ left: Value, _ right: Value) throws(EvaluationFault) -> Value {
    switch (left, right) {
    case (.number(let left), .number(let right)): return .number(left + right)
    case (.string(let left), .string(let right)): return .string(try Text.joined(left, right))
    case (.string(let left), .number(let right)): return .string(try Text.joined(left, Text.node(right)))
    case (.number(let left), .string(let right)): return .string(try Text.joined(Text.node(left), right))
    default: throw .notComparable
    }
  }

  private static func arithmetic(_ operation: Arithmetic, _ left: Double, _ right: Double) -> Double {
    switch operation {
    case .minus: left - right
    case .times: left * right
    case .divided: right == 0 ? .nan : left / right
    case .modulo: right == 0 ? .nan : left.truncatingRemainder(dividingBy: right)
    }
  }

  private static func test(_ test: StringTest, _ subject: Node, _ part: Node) -> Bool {
    subject.withStringUTF8 { subject in
      part.withStringUTF8 { part in
        switch test {
        case .contains: Text.find(part, in: subject, from: 0) != nil
        case .beginsWith: subject.starts(with: part)
        case .endsWith:
          subject.count >= part.count && subject[(subject.count - part.count)...].elementsEqual(part)
        }
      } ?? false
    } ?? false
  }

  private static func matches(_ subject: Node, _ pattern: Pattern) -> Bool {
    subject.withStringUTF8 { pattern.matches($0) } ?? false
  }

  private func value(of field: QueryField) -> Value {
    func optional(_ node: Node?) -> Value { node.map(Value.init) ?? .null }
    switch field {
    case .orderByKey: return .bool(query?.orderByKey ?? false)
    case .orderByValue: return .bool(query?.orderByValue ?? false)
    case .orderByPriority: return .bool(query?.orderByPriority ?? false)
    case .orderByChild: return query?.orderByChild.map { .string(Node($0)) } ?? .null
    case .startAt: return optional(query?.startAt)
    case .endAt: return optional(query?.endAt)
    case .equalTo: return optional(query?.equalTo)
    case .limitToFirst: return query?.limitToFirst.map { .number(Double($0)) } ?? .null
    case .limitToLast: return query?.limitToLast.map { .number(Double($0)) } ?? .null
    }
  }
}

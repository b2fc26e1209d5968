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

/// Evaluates code at one location: the way to it from the root, before and after the write, and who asks.
///
/// Evaluating changes nothing but what has been looked up so far.
struct Evaluator {
  let auth: Node
  let nowMilliseconds: Double
  let query: QueryFacts?
  var before: Trail
  var after: Trail
  var keys: WalkKeys

  /// True if the expression is true; a fault makes it false.
  mutating func holds(_ code: Code) -> Bool {
    (try? flag(code)) ?? false
  }

  // MARK: Logic

  mutating func flag(_ code: Code) throws(EvaluationFault) -> Bool {
    switch code {
    case .and(let left, let right):
      guard try flag(left) else { return false }
      return try flag(right)
    case .or(let left, let right):
      if try flag(left) { return true }
      return try flag(right)
    case .not(let operand): return try !flag(operand)
    case .exists(let place): return try !node(place).isNull
    case .equal(let left, let right): return try Self.areEqual(value(left), value(right))
    case .unequal(let left, let right): return try !Self.areEqual(value(left), value(right))
    case .compare(let comparison, let left, let right):
      return try Self.compare(comparison, value(left), value(right))
    case .hasChildren(let place): return try node(place).isObject
    case .hasAllChildren(let place, let ways):
      let parent = try node(place)
      var hasAll = true
      // A name that has no value makes the rule false, whether or not an earlier child is missing.
      for way in ways {
        var node = parent
        for step in way { node = try self.node(step, in: node) }
        if node.isNull { hasAll = false }
      }
      return hasAll
    case .isKind(let place, let kind): return Self.isKind(try node(place), kind)
    case .test(let test, let subject, let part): return try Self.test(test, string(subject), string(part))
    case .matches(let subject, let pattern): return try Self.matches(string(subject), pattern)
    default:
      guard case .bool(let value) = try value(code) else { throw .meaningless }
      return value
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
    case (.number(let left), .number(let right)):
      switch comparison {
      case .less: return left < right
      case .lessOrEqual: return left <= right
      case .greater: return left > right
      case .greaterOrEqual: return left >= right
      }
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

  mutating func value(_ code: Code) throws(EvaluationFault) -> Value {
    switch code {
    case .constant(let value): return value
    case .auth: return Self.claims(auth)
    case .now: return .number(nowMilliseconds)
    case .wildcard(let depth): return .string(Node(key: keys[depth]))
    case .query(let field): return self.value(of: field)
    case .property(let object, let key): return try property(object, key)
    case .computedProperty(let object, let key):
      let name = try string(key)
      return try property(object, ChildKey(unchecked: name.string ?? ""))
    case .value(let place): return Value(try node(place))
    case .priority(let place): return Value(try node(place).priority)
    case .negative(let operand): return .number(-(try number(operand)))
    case .choice(let condition, let yes, let no): return try flag(condition) ? value(yes) : value(no)
    case .sum(let left, let right): return try Self.sum(value(left), value(right))
    case .arithmetic(let operation, let left, let right):
      return .number(try Self.arithmetic(operation, number(left), number(right)))
    case .length(let subject): return .number(Double(Text.utf16Length(try string(subject))))
    case .replace(let subject, let old, let new):
      return .string(try Text.replacing(string(old), with: string(new), in: string(subject)))
    case .changeCase(let subject, let isUpper):
      let text = try string(subject).string ?? ""
      return .string(Node(isUpper ? text.uppercased() : text.lowercased()))
    case .failure: throw .meaningless
    default: return .bool(try flag(code))
    }
  }

  private static func claims(_ node: Node) -> Value {
    node.isObject ? .claims(node) : Value(node)
  }

  private mutating func property(_ object: Code, _ key: ChildKey) throws(EvaluationFault) -> Value {
    guard case .claims(let node) = try value(object) else { return .null }
    return Self.claims(node[key])
  }

  mutating func string(_ code: Code) throws(EvaluationFault) -> Node {
    guard case .string(let text) = try value(code) else { throw .notText }
    return text
  }

  private mutating func number(_ code: Code) throws(EvaluationFault) -> Double {
    guard case .number(let value) = try value(code) else { throw .notNumber }
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

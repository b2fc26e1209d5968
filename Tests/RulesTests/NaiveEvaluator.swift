import JSONTree
import Rules

/// What every expression comes to, said as the specification says it: slowly, from the root, one rule of the
/// language after another. It shares no code with the evaluator it judges.
struct NaiveEvaluator {
  /// The expression has no value, so its rule is false.
  struct Wrong: Error {}

  /// The number's text is JavaScript's business; the case is not judged.
  struct Unjudged: Error {}

  enum Thing {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    /// What `val()` of a location with children is.
    case object
    /// Anything under `auth` with members.
    case claims(NaiveTree)
    /// No keys when the way there has a part that no key can be.
    case snapshot(NaiveTree, [String]?)
  }

  var auth: NaiveTree
  var now: Double
  var before: NaiveTree
  var after: NaiveTree
  var query: QueryFacts?
  /// Where the rule stands, and what the wildcards on the way matched.
  var keys: [String] = []
  var wildcards: [String: String] = [:]

  /// A rule without a value is false.
  func holds(_ rule: NaiveExpression) throws -> Bool {
    do {
      return try flag(rule)
    } catch is Wrong {
      return false
    }
  }

  private func flag(_ expression: NaiveExpression) throws -> Bool {
    guard case .bool(let value) = try thing(expression) else { throw Wrong() }
    return value
  }

  private func text(_ expression: NaiveExpression) throws -> String {
    guard case .text(let text) = try thing(expression) else { throw Wrong() }
    return text
  }

  func thing(_ expression: NaiveExpression) throws -> Thing {
    switch expression {
    case .number(let value): return .number(value)
    case .text(let text): return .text(text)
    case .bool(let value): return .bool(value)
    case .null: return .null
    case .pattern, .quotedPattern, .array: throw Wrong()
    case .name(let name): return try variable(name)
    case .member(.name("query"), let field): return queryField(field)
    case .member(let target, "length"):
      guard case .text(let text) = try thing(target) else { throw Wrong() }
      return .number(Double(text.utf16.count))
    case .member(let target, let name): return property(try thing(target), name)
    case .index(let target, let name): return property(try thing(target), try text(name))
    case .call(let target, let method, let arguments): return try call(thing(target), method, arguments)
    case .unary("!", let operand): return .bool(try !flag(operand))
    case .unary(_, let operand):
      guard case .number(let value) = try thing(operand) else { throw Wrong() }
      return .number(-value)
    case .binary("&&", let left, let right): return .bool(try flag(left) ? flag(right) : false)
    case .binary("||", let left, let right): return .bool(try flag(left) ? true : flag(right))
    case .binary(let operation, let left, let right):
      return try operate(operation, thing(left), thing(right))
    case .choice(let condition, let yes, let no): return try flag(condition) ? thing(yes) : thing(no)
    }
  }

  private func variable(_ name: String) throws -> Thing {
    switch name {
    case "auth": return Self.claims(auth)
    case "now": return .number(now)
    case "root": return .snapshot(before, [])
    case "data": return .snapshot(before, keys)
    case "newData": return .snapshot(after, keys)
    default:
      guard let key = wildcards[name] else { throw Wrong() }
      return .text(key)
    }
  }

  private static func claims(_ tree: NaiveTree) -> Thing {
    tree.children.isEmpty ? leaf(tree.leaf) : .claims(tree)
  }

  private static func leaf(_ leaf: NaiveTree.Leaf) -> Thing {
    switch leaf {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let value): .number(value)
    case .text(let text): .text(text)
    }
  }

  private func property(_ thing: Thing, _ name: String) -> Thing {
    guard case .claims(let tree) = thing else { return .null }
    return Self.claims(tree[[name]])
  }

  private func queryField(_ name: String) -> Thing {
    func scalar(_ value: String?) -> Thing { value.map(Thing.text) ?? .null }
    func limit(_ value: Int?) -> Thing { value.map { .number(Double($0)) } ?? .null }
    switch name {
    case "orderByKey": return .bool(query?.orderByKey ?? false)
    case "orderByValue": return .bool(query?.orderByValue ?? false)
    case "orderByPriority": return .bool(query?.orderByPriority ?? false)
    case "orderByChild": return scalar(query?.orderByChild)
    case "limitToFirst": return limit(query?.limitToFirst)
    case "limitToLast": return limit(query?.limitToLast)
    case "startAt": return scalar(query?.startAt?.string)
    case "endAt": return scalar(query?.endAt?.string)
    default: return scalar(query?.equalTo?.string)
    }
  }

  // MARK: Operators

  private func operate(_ operation: String, _ left: Thing, _ right: Thing) throws -> Thing {
    switch operation {
    case "==", "===": return .bool(areSame(left, right))
    case "!=", "!==": return .bool(!areSame(left, right))
    case "+": return try sum(left, right)
    case "<", "<=", ">", ">=": return .bool(try compare(operation, left, right))
    default:
      guard case .number(let left) = left, case .number(let right) = right else { throw Wrong() }
      switch operation {
      case "-": return .number(left - right)
      case "*": return .number(left * right)
      case "/": return .number(right == 0 ? .nan : left / right)
      default: return .number(right == 0 ? .nan : left.truncatingRemainder(dividingBy: right))
      }
    }
  }

  private func areSame(_ left: Thing, _ right: Thing) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.text(let left), .text(let right)): Array(left.utf16) == Array(right.utf16)
    default: false
    }
  }

  private func sum(_ left: Thing, _ right: Thing) throws -> Thing {
    switch (left, right) {
    case (.number(let left), .number(let right)): .number(left + right)
    case (.text(let left), .text(let right)): .text(left + right)
    case (.text(let left), .number(let right)): .text(try left + Self.text(right))
    case (.number(let left), .text(let right)): .text(try Self.text(left) + right)
    default: throw Wrong()
    }
  }

  private func compare(_ operation: String, _ left: Thing, _ right: Thing) throws -> Bool {
    let isLess: Bool, isEqual: Bool
    switch (left, right) {
    case (.number(let left), .number(let right)):
      if left.isNaN || right.isNaN { return false }
      (isLess, isEqual) = (left < right, left == right)
    case (.text(let left), .text(let right)):
      (isLess, isEqual) = (
        left.utf16.lexicographicallyPrecedes(right.utf16), Array(left.utf16) == Array(right.utf16)
      )
    default: throw Wrong()
    }
    switch operation {
    case "<": return isLess
    case "<=": return isLess || isEqual
    case ">": return !isLess && !isEqual
    default: return !isLess
    }
  }

  private static func text(_ number: Double) throws -> String {
    if number.isNaN { return "NaN" }
    if number == number.rounded(), abs(number) < 1e15 { return "\(Int(number))" }
    guard abs(number) > 1e-5, abs(number) < 1e15 else { throw Unjudged() }
    return "\(number)"
  }

  // MARK: Methods

  private func call(_ receiver: Thing, _ method: String, _ arguments: [NaiveExpression]) throws -> Thing {
    if case .snapshot(let tree, let keys) = receiver { return try call(tree, keys, method, arguments) }
    guard case .text(let subject) = receiver else { throw Wrong() }
    if method == "matches" {
      switch arguments[0] {
      case .pattern(let pattern), .quotedPattern(let pattern): return .bool(pattern.matches(subject))
      default: throw Wrong()
      }
    }
    let units = Array(subject.utf16)
    let parts = try arguments.map { Array(try text($0).utf16) }
    switch method {
    case "contains": return .bool(Self.places(of: parts[0], in: units).isEmpty == false)
    case "length": return .number(Double(units.count))
    case "beginsWith", "startsWith": return .bool(Array(units.prefix(parts[0].count)) == parts[0])
    case "endsWith": return .bool(Array(units.suffix(parts[0].count)) == parts[0])
    case "toLowerCase": return .text(subject.lowercased())
    case "toUpperCase": return .text(subject.uppercased())
    default:
      if parts[0].isEmpty { return .text(subject) }
      var out: [UInt16] = [], at = 0
      for place in Self.places(of: parts[0], in: units) where place >= at {
        out += units[at..<place] + parts[1]
        at = place + parts[0].count
      }
      return .text(String(decoding: out + units[at...], as: UTF16.self))
    }
  }

  private static func places(of part: [UInt16], in units: [UInt16]) -> [Int] {
    (0...units.count).filter { units[$0...].starts(with: part) }
  }

  private func call(
    _ tree: NaiveTree, _ keys: [String]?, _ method: String, _ arguments: [NaiveExpression]
  ) throws -> Thing {
    let here = keys.map { tree[$0] } ?? .null
    switch method {
    case "val": return here.children.isEmpty ? Self.leaf(here.leaf) : .object
    case "getPriority": return Self.leaf(here.priority)
    case "exists": return .bool(here.exists)
    case "isString": if case .text = here.leaf { return .bool(true) } else { return .bool(false) }
    case "isNumber": if case .number = here.leaf { return .bool(true) } else { return .bool(false) }
    case "isBoolean": if case .bool = here.leaf { return .bool(true) } else { return .bool(false) }
    case "parent":
      guard let keys else { return .snapshot(tree, nil) }
      guard !keys.isEmpty else { throw Wrong() }
      return .snapshot(tree, keys.dropLast())
    case "child": return .snapshot(tree, Self.way(keys, try text(arguments[0])))
    case "hasChild":
      let way = Self.way(keys, try text(arguments[0]))
      return .bool(way.map { tree[$0].exists } ?? false)
    default:
      guard let names = arguments.first else { return .bool(!here.children.isEmpty) }
      guard case .array(let elements) = names else { throw Wrong() }
      let ways = try elements.map { Self.way(keys, try text($0)) }
      return .bool(ways.allSatisfy { $0.map { tree[$0].exists } ?? false })
    }
  }

  private static func way(_ keys: [String]?, _ path: String) -> [String]? {
    let parts = path.split(separator: "/").map(String.init)
    let isLegal = parts.allSatisfy { part in
      part.unicodeScalars.allSatisfy { !".#$[]\u{7F}".unicodeScalars.contains($0) && $0.value >= 32 }
    }
    guard let keys, isLegal else { return nil }
    return keys + parts
  }
}

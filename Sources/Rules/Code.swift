import JSONTree

/// A checked expression in the form that is evaluated: names are bound, constant paths are parsed, method
/// calls are operations of their own.
indirect enum Code: Sendable {
  case constant(Value)
  case auth
  case now
  /// The key that a `$wildcard` matched, by its depth in the path.
  case wildcard(depth: Int)
  case query(QueryField)
  /// A property of something under `auth`; claims may have names that the tree's keys may not.
  case property(Code, ChildKey)
  case computedProperty(Code, Code)

  case value(Place)
  case priority(Place)
  case exists(Place)
  case isKind(Place, LeafKind)
  case hasChildren(Place)
  case hasAllChildren(Place, [[Step]])

  case not(Code)
  case negative(Code)
  case and(Code, Code)
  case or(Code, Code)
  case choice(Code, Code, Code)
  case equal(Code, Code)
  case unequal(Code, Code)
  case compare(Comparison, Code, Code)
  case sum(Code, Code)
  case arithmetic(Arithmetic, Code, Code)

  case length(Code)
  case test(StringTest, Code, Code)
  case replace(Code, Code, Code)
  case changeCase(Code, isUpper: Bool)
  case matches(Code, Pattern)
  /// Always fails when evaluated: it type-checks, but has no meaning.
  case failure
}

enum LeafKind: Sendable { case string, number, bool }
enum Comparison: Sendable { case less, lessOrEqual, greater, greaterOrEqual }
enum Arithmetic: Sendable { case minus, times, divided, modulo }
enum StringTest: Sendable { case contains, beginsWith, endsWith }

enum QueryField: String, Sendable {
  case orderByKey, orderByValue, orderByPriority, orderByChild, startAt, endAt, equalTo, limitToFirst,
    limitToLast
}

/// A snapshot in an expression: a place in the tree before or after the write, as the way to it.
struct Place: Sendable {
  indirect enum Base: Sendable {
    case root
    /// The rule's own location before the write, so many levels up.
    case data(up: Int)
    /// The same after the write.
    case newData(up: Int)
    /// The parent of a place that is known only at run time.
    case parent(Place)
    case choice(Code, Place, Place)
  }

  let base: Base
  /// From the base down, one a level.
  let steps: [Step]

  init(_ base: Base, _ steps: [Step] = []) {
    self.base = base
    self.steps = steps
  }

  static let root = Place(.root)

  func child(_ way: [Step]) -> Place { Place(base, steps + way) }
}

/// The way from a snapshot to a child, or to a descendant if it is computed.
enum Step: Sendable {
  case key(ChildKey)
  /// What no key can be, so nothing is there.
  case nowhere
  case wildcard(depth: Int)
  /// A text with slashes.
  case computed(Code)
}

/// What evaluation works with.
enum Value: Sendable {
  case null
  case bool(Bool)
  /// May be not-a-number, after a division by zero.
  case number(Double)
  /// A node that is a string.
  case string(Node)
  /// An object: equal to nothing, not even to itself, and not null.
  case object
  /// Anything under `auth` that is an object, so that its properties can be read.
  case claims(Node)

  init(_ node: Node) {
    if node.isString {
      self = .string(node)
    } else if let number = node.double {
      self = .number(number)
    } else if node.isNull {
      self = .null
    } else if let bool = node.bool {
      self = .bool(bool)
    } else {
      self = .object
    }
  }
}

import JSONTree

/// An expression as it is evaluated: its operations in one array, each naming its parts by their places.
///
/// Operations, places and steps are plain words, so that going from one to the next touches no reference
/// count; what is not stands in tables of its own.
final class Program: Sendable {
  /// A place in `operations`.
  struct Part: Sendable { let index: Int32 }

  /// A place in `places`.
  struct PlaceID: Sendable { let index: Int32 }

  enum Operation: Sendable {
    case constant(Int32)
    case number(Double)
    case auth
    case now
    case wildcard(depth: Int32)
    case query(QueryField)
    /// A property of `auth` itself, by its key's place in `keys`.
    case claim(Int32)
    case property(Part, Int32)
    case computedProperty(Part, Part)

    case value(PlaceID)
    case priority(PlaceID)
    case exists(PlaceID)
    case isKind(PlaceID, LeafKind)
    case hasChildren(PlaceID)
    /// The ways that begin at a place in `ways`, so many.
    case hasAllChildren(PlaceID, Int32, count: Int32)

    case not(Part)
    case negative(Part)
    case and(Part, Part)
    case or(Part, Part)
    case choice(Part, Part, Part)
    case isNull(Part)
    case isNotNull(Part)
    case equal(Part, Part)
    case unequal(Part, Part)
    case compare(Comparison, Part, Part)
    case sum(Part, Part)
    case arithmetic(Arithmetic, Part, Part)

    case length(Part)
    case test(StringTest, Part, Part)
    case replace(Part, Part, Part)
    case changeCase(Part, isUpper: Bool)
    case matches(Part, Int32)
    case failure
  }

  /// As `Place`, with its steps in `steps`.
  struct FlatPlace: Sendable {
    enum Base: Sendable {
      case root
      case data(up: Int32)
      case newData(up: Int32)
      case parent(PlaceID)
      case choice(Part, PlaceID, PlaceID)
    }

    let base: Base
    let way: Way
  }

  /// Some of `steps` in a row.
  struct Way: Sendable {
    let first: Int32
    let count: Int32
    var range: Range<Int> { Int(first)..<Int(first + count) }
  }

  enum FlatStep: Sendable {
    case key(Int32)
    case nowhere
    case wildcard(depth: Int32)
    case computed(Part)
  }

  let operations: ContiguousArray<Operation>
  let places: ContiguousArray<FlatPlace>
  let steps: ContiguousArray<FlatStep>
  let ways: ContiguousArray<Way>
  let keys: ContiguousArray<ChildKey>
  let constants: ContiguousArray<Value>
  let patterns: ContiguousArray<Pattern>
  /// The whole expression.
  let whole: Part

  init(_ code: Code) {
    var writer = ProgramWriter()
    whole = writer.part(code)
    operations = writer.operations
    places = writer.places
    steps = writer.steps
    ways = writer.ways
    keys = writer.keys
    constants = writer.constants
    patterns = writer.patterns
  }
}

/// Lays an expression's code out flat, parts before what they are parts of.
private struct ProgramWriter {
  typealias Part = Program.Part
  typealias PlaceID = Program.PlaceID

  var operations: ContiguousArray<Program.Operation> = []
  var places: ContiguousArray<Program.FlatPlace> = []
  var steps: ContiguousArray<Program.FlatStep> = []
  var ways: ContiguousArray<Program.Way> = []
  var keys: ContiguousArray<ChildKey> = []
  var constants: ContiguousArray<Value> = []
  var patterns: ContiguousArray<Pattern> = []

  mutating func part(_ code: Code) -> Part {
    let operation = operation(code)
    operations.append(operation)
    return Part(index: Int32(operations.count - 1))
  }

  private mutating func operation(_ code: Code) -> Program.Operation {
    switch code {
    case .constant(.number(let value)): return .number(value)
    case .constant(let value): return .constant(Self.add(value, to: &constants))
    case .auth: return .auth
    case .now: return .now
    case .wildcard(let depth): return .wildcard(depth: Int32(depth))
    case .query(let field): return .query(field)
    case .property(.auth, let key): return .claim(Self.add(key, to: &keys))
    case .property(let object, let key): return .property(part(object), Self.add(key, to: &keys))
    case .computedProperty(let object, let key): return .computedProperty(part(object), part(key))
    case .value(let place): return .value(id(place))
    case .priority(let place): return .priority(id(place))
    case .exists(let place): return .exists(id(place))
    case .isKind(let place, let kind): return .isKind(id(place), kind)
    case .hasChildren(let place): return .hasChildren(id(place))
    case .hasAllChildren(let place, let children): return hasAllChildren(place, children)
    case .not(let operand): return .not(part(operand))
    case .negative(let operand): return .negative(part(operand))
    case .and(let left, let right): return .and(part(left), part(right))
    case .or(let left, let right): return .or(part(left), part(right))
    case .choice(let condition, let yes, let no): return .choice(part(condition), part(yes), part(no))
    case .equal(let operand, .constant(.null)), .equal(.constant(.null), let operand):
      return .isNull(part(operand))
    case .unequal(let operand, .constant(.null)), .unequal(.constant(.null), let operand):
      return .isNotNull(part(operand))
    case .equal(let left, let right): return .equal(part(left), part(right))
    case .unequal(let left, let right): return .unequal(part(left), part(right))
    case .compare(let comparison, let left, let right): return .compare(comparison, part(left), part(right))
    case .sum(let left, let right): return .sum(part(left), part(right))
    case .arithmetic(let operation, let left, let right):
      return .arithmetic(operation, part(left), part(right))
    case .length(let subject): return .length(part(subject))
    case .test(let test, let subject, let piece): return .test(test, part(subject), part(piece))
    case .replace(let subject, let old, let new): return .replace(part(subject), part(old), part(new))
    case .changeCase(let subject, let isUpper): return .changeCase(part(subject), isUpper: isUpper)
    case .matches(let subject, let pattern):
      return .matches(part(subject), Self.add(pattern, to: &patterns))
    case .failure: return .failure
    }
  }

  private mutating func hasAllChildren(_ place: Place, _ children: [[Step]]) -> Program.Operation {
    let id = id(place)
    let all = children.map { way($0) }
    let first = Int32(ways.count)
    ways.append(contentsOf: all)
    return .hasAllChildren(id, first, count: Int32(all.count))
  }

  private mutating func id(_ place: Place) -> PlaceID {
    let base: Program.FlatPlace.Base
    switch place.base {
    case .root: base = .root
    case .data(let up): base = .data(up: Int32(up))
    case .newData(let up): base = .newData(up: Int32(up))
    case .parent(let child): base = .parent(id(child))
    case .choice(let condition, let yes, let no): base = .choice(part(condition), id(yes), id(no))
    }
    let known = places.indices.first { isKnown(places[$0], base, place.steps) }
    if let known { return PlaceID(index: Int32(known)) }
    let way = way(place.steps)
    places.append(Program.FlatPlace(base: base, way: way))
    return PlaceID(index: Int32(places.count - 1))
  }

  /// True for the same place, as far as that can be seen: equal places have one id, so that what is found at
  /// one is there for the next that asks.
  private func isKnown(_ flat: Program.FlatPlace, _ base: Program.FlatPlace.Base, _ way: [Step]) -> Bool {
    switch (flat.base, base) {
    case (.root, .root): break
    case (.data(let up), .data(let other)), (.newData(let up), .newData(let other)):
      guard up == other else { return false }
    default: return false
    }
    guard flat.way.count == way.count else { return false }
    return zip(steps[flat.way.range], way).allSatisfy { known, step in
      switch (known, step) {
      case (.key(let known), .key(let key)): keys[Int(known)] == key
      case (.wildcard(let known), .wildcard(let depth)): Int(known) == depth
      case (.nowhere, .nowhere): true
      default: false
      }
    }
  }

  /// The steps of one way stand together; those of expressions inside it come before.
  private mutating func way(_ way: [Step]) -> Program.Way {
    let flat = way.map { step -> Program.FlatStep in
      switch step {
      case .key(let key): .key(Self.add(key, to: &keys))
      case .nowhere: .nowhere
      case .wildcard(let depth): .wildcard(depth: Int32(depth))
      case .computed(let code): .computed(part(code))
      }
    }
    let first = Int32(steps.count)
    steps.append(contentsOf: flat)
    return Program.Way(first: first, count: Int32(flat.count))
  }

  private static func add<Element>(_ element: Element, to table: inout ContiguousArray<Element>) -> Int32 {
    table.append(element)
    return Int32(table.count - 1)
  }
}

import Engine
import TestSupport
import JSONTree

extension SeededNumbers {
  mutating func chance(_ outOf: Int) -> Bool { Int.random(in: 0..<outOf, using: &self) == 0 }
  mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int.random(in: 0..<values.count, using: &self)]
  }
}

/// Trees, queries and writes that meet often, in few keys and few values.
struct ViewGenerator {
  var random: SeededNumbers
  /// The keys of the location's children.
  var keys = Self.oddKeys

  /// Keys of every kind that the order tells apart.
  static let oddKeys = [
    "1", "2", "10", "007", "7", "-5", "2147483647", "2147483648", "a", "aa", "b", "rank", "zip", "é",
    "\u{FFFD}",
    "😀", "-Nabc", "a key that is too long to be stored inline", "a key that is too long to be stored inlinf",
  ].map { ChildKey(unchecked: $0) }
  static let strings = [
    "", "a", "b", "ab", "abcdefgh", "abcdefghi", "é", "\u{FFFD}", "😀", "a string too long for a node",
  ]

  mutating func leaf() -> Node {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: Node(random.chance(2))
    case 1: Node(random.pick(Self.strings))
    case 2: Node(number: random.pick([0.5, -0.5, 1.5, 1e300]))
    case 3: Node(random.pick([Int64.max, Int64.min, 1 << 53, 1 << 53 + 1]))
    default: Node(Int64.random(in: -2...4, using: &random))
    }
  }

  mutating func priority() -> Node {
    random.chance(2) ? .null : random.pick([Node(1), Node(2), Node("a"), Node("b"), Node(number: 1.5)])
  }

  mutating func value(depth: Int) -> Node {
    if depth == 0 || random.chance(3) { return leaf().withPriority(priority()) }
    let count = Int.random(in: 0...4, using: &random)
    var children: [(ChildKey, Node)] = []
    for _ in 0..<count { children.append((key(), value(depth: depth - 1))) }
    return Node(children: children).withPriority(priority())
  }

  mutating func key() -> ChildKey { random.pick(keys) }

  /// An object of many children, most of which have what queries sort by.
  mutating func location(count: Int) -> Node {
    var children: [(ChildKey, Node)] = []
    for _ in 0..<count { children.append((key(), child())) }
    return Node(children: children)
  }

  mutating func child() -> Node {
    if random.chance(3) { return value(depth: 1) }
    let rank = random.chance(4) ? Node(children: [(ChildKey(unchecked: "zip"), leaf())]) : leaf()
    return Node(children: [(ChildKey(unchecked: "rank"), rank), (ChildKey(unchecked: "a"), leaf())])
      .withPriority(priority())
  }

  mutating func query() throws -> Query {
    let index = random.pick([
      Query.Index.key, .value, .priority, .priority, .child([ChildKey(unchecked: "rank")]),
      .child([ChildKey(unchecked: "rank"), ChildKey(unchecked: "zip")]),
    ])
    let limit = random.chance(3) ? nil : Int.random(in: 1...6, using: &random)
    let start = random.chance(2) ? nil : bound(index)
    let end = random.chance(2) ? nil : bound(index)
    return try Query(
      index: index,
      start: start.map { Bound(start: $0, key: boundKey(), inclusive: random.chance(2)) },
      end: end.map { Bound(end: $0, key: boundKey(), inclusive: random.chance(2)) },
      limit: limit, fromEnd: random.pick([nil, true, false]))
  }

  private mutating func bound(_ index: Query.Index) -> Node {
    switch index {
    case .key: Node(random.pick([key().text, "[MIN_NAME]", "[MAX_KEY]", "5", "m"]))
    case .priority: priority()
    case .value, .child: random.chance(5) ? .null : leaf()
    }
  }

  private mutating func boundKey() -> QueryKey? {
    random.pick([nil, .min, .max, .key(key()), .key(key())])
  }

  /// One write: the places it sets and their values, and for a merge the path of the merge.
  mutating func write(near location: Path, in tree: Node) -> (base: Path?, entries: [MergeEntry]) {
    switch Int.random(in: 0..<20, using: &random) {
    case 0:
      let above = location.prefix(Int.random(in: 0...location.count, using: &random))
      let value =
        random.chance(6)
        ? Node.null
        : location.dropFirst(above.count).keys.reversed()
          .reduce(self.location(count: Int.random(in: 0...20, using: &random))) { Node(children: [($1, $0)]) }
      return (nil, [MergeEntry(above, value)])
    case 1: return (nil, [MergeEntry(location.priority, priority())])
    case 2...8: return merge(near: location)
    default:
      let entry = entry(below: location)
      return (nil, [MergeEntry(location.appending(entry.path), entry.value)])
    }
  }

  private mutating func merge(near location: Path) -> (base: Path?, entries: [MergeEntry]) {
    var base = location.prefix(Int.random(in: 0...location.count, using: &random))
    if random.chance(3) { base = location.appending(key()) }
    var entries: [MergeEntry] = []
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let inner = entry(below: .root)
      let path = base.contains(location) ? location.appending(inner.path) : base.appending(inner.path)
      if entries.contains(where: { $0.path.contains(path) || path.contains($0.path) }) { continue }
      entries.append(MergeEntry(path, inner.value))
    }
    return (base, entries)
  }

  private mutating func entry(below path: Path) -> MergeEntry {
    let child = path.appending(key())
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return MergeEntry(child, .null)
    case 1: return MergeEntry(child.priority, priority())
    case 2:
      return MergeEntry(
        child.appending([ChildKey(unchecked: "rank"), ChildKey(unchecked: "zip")]), leafOrNull())
    case 3, 4: return MergeEntry(child.appending(ChildKey(unchecked: "rank")), leafOrNull())
    case 5: return MergeEntry(child.appending(key()), leafOrNull())
    default: return MergeEntry(child, self.child())
    }
  }

  private mutating func leafOrNull() -> Node { random.chance(4) ? .null : leaf() }
}

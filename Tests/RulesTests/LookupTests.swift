import JSONTree
import Rules
import Testing

/// Decisions that come out otherwise on another tree must have looked at something that is otherwise there:
/// rules, data, claims and queries are made up.
struct LookupTests {
  private func node(_ tree: NaiveTree) throws -> Node { try Node.parse(tree.json) }

  /// What rules can tell of a place: a leaf, nothing, or that there are children; and its priority.
  private func differs(_ path: Path, _ a: Node, _ b: Node) -> Bool {
    let (a, b) = (a[path], b[path])
    if a.isObject, b.isObject { return a.priority != b.priority }
    return a != b
  }

  @Test func `no decision changes while the places that it looked at look the same`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = RuleGenerator(seed: seed)
    var (changed, count) = (0, 0)
    for round in 0..<4000 {
      let naive = generator.rules(depth: 2)
      guard let rules = try? RuleSet(text: #"{"dialect":"wilddog","rules":\#(naive.json)}"#) else { continue }
      let claims = Array(generator.claims().json.utf8)
      let auth = try claims.withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        return try reader.readFreeValue()
      }
      let caller = Caller(auth: auth)
      let (keys, query) = (generator.path(), generator.query())
      let path = Path(keys.map { ChildKey(unchecked: $0) })
      let tree = generator.tree(depth: 3)
      let other = tree.replacing(
        generator.path(), with: generator.random.once(in: 3) ? .null : generator.tree(depth: 2))
      let (before, after) = (try node(tree), try node(other))
      let lookups = Lookups()
      let first = rules.read(
        at: path, caller: caller, root: before, nowMilliseconds: 1000, query: query, noting: lookups)
      let second = rules.read(at: path, caller: caller, root: after, nowMilliseconds: 1000, query: query)
      let unnoted = rules.read(at: path, caller: caller, root: before, nowMilliseconds: 1000, query: query)
      #expect(first.isAllowed == unnoted.isAllowed, "seed \(seed), round \(round)")
      count += 1
      guard first.isAllowed != second.isAllowed else { continue }
      changed += 1
      let isSeen = lookups.paths.contains { differs($0, before, after) }
      #expect(
        isSeen && rules.readsData, "seed \(seed), round \(round): \(naive.json)\n\(tree.json)\n\(other.json)")
    }
    // What never changes would prove nothing.
    #expect(changed > 20, "seed \(seed): \(changed) of \(count)")
  }
}

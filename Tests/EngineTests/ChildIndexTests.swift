import Engine
import TestSupport
import JSONTree
import Testing

@Suite struct ChildIndexTests {
  @Test(arguments: UInt64(1)...2)
  func `an index follows its location through every kind of change`(seed: UInt64) throws {
    var generator = ViewGenerator(random: SeededNumbers(seed: seed))
    generator.keys = (0..<3_000).map { ChildKey(unchecked: $0 % 2 == 0 ? "\($0)" : "-N\($0)") }
    var location = Node.null
    var indexes = [Query.Index.priority, .value, .child([ChildKey(unchecked: "rank")])]
      .map { ChildIndex(building: .null, order: $0) }
    for round in 0..<8 {
      let change = { (before: Node, key: ChildKey, node: Node) in
        location.set(node, at: [key])
        for i in indexes.indices { indexes[i].update(key, from: before[key], to: node, in: location) }
      }
      // Rounds that fill, rounds that empty, and one that leaves nothing.
      for _ in 0..<700 { change(location, generator.key(), round % 3 == 2 ? .null : generator.child()) }
      if round == 5 { for key in generator.keys { change(location, key, .null) } }
      for index in indexes {
        #expect(index.fault(in: location) == nil, "seed \(seed), round \(round)")
        checkWalks(index, location, &generator)
      }
    }
  }

  /// Both walks from a few places must give what sorting the children gives.
  private func checkWalks(_ index: ChildIndex, _ location: Node, _ generator: inout ViewGenerator) {
    let sorted = sortedEntries(location, index.order)
    for _ in 0..<8 {
      var cut =
        sorted.isEmpty || generator.random.chance(3) ? nil : Cut(before: generator.random.pick(sorted))
      if let place = cut {
        let key = generator.random.pick([place.key, .min, .max, .key(generator.key())])
        cut = Cut(value: place.value, key: key, isAfter: generator.random.chance(2))
      }
      let place = cut
      let above = sorted.prefix { place?.isAbove($0) ?? false }
      var up: [IndexEntry] = []
      index.walkUp(from: cut, in: location) {
        up.append($0); return up.count < 40
      }
      #expect(up == Array(sorted.dropFirst(above.count).prefix(40)))
      var down: [IndexEntry] = []
      index.walkDown(from: cut, in: location) {
        down.append($0); return down.count < 40
      }
      #expect(down == Array((place == nil ? sorted[...] : above).reversed().prefix(40)))
    }
  }

  private func sortedEntries(_ location: Node, _ order: Query.Index) -> [IndexEntry] {
    var entries: [IndexEntry] = []
    location.forEachChild { key, child in
      if let entry = order.entry(key, child) { entries.append(entry) }
      return true
    }
    return entries.sorted { IndexEntry.order($0, $1) == .less }
  }

  @Test func `few children with a value are listed alone, many with all others`() {
    let keys = (0..<1_000).map { ChildKey(unchecked: "k\($0)") }
    var location = Node(children: keys.map { ($0, Node(true)) })
    var index = ChildIndex(building: location, order: .priority)
    for (i, key) in keys.enumerated() {
      let before = location
      location.set(Node(Int64(i)), at: Path([key]).priority)
      index.update(key, from: before[key], to: location[key], in: location)
      if [0, 255, 256, 257, 999].contains(i) {
        #expect(index.fault(in: location) == nil)
        var all: [ChildKey] = []
        index.walkDown(from: nil, in: location) {
          all.append($0.key); return true
        }
        #expect(all.count == 1_000)
        #expect(all.first == key)
      }
    }
  }

  @Test(arguments: UInt64(1)...3)
  func `a location written whole is indexed again or mended`(seed: UInt64) {
    var generator = ViewGenerator(random: SeededNumbers(seed: seed))
    generator.keys = (0..<2_000).map { ChildKey(unchecked: "k\($0)") }
    var location = generator.location(count: 2_000)
    var index = ChildIndex(building: location, order: .child([ChildKey(unchecked: "rank")]))
    for count in [3_000, 3_000, 10, 0, 500] {
      let next = generator.location(count: count)
      index.replace(location, by: next)
      #expect(index.fault(in: next) == nil)
      location = next
      var mended = location
      for _ in 0..<20 { mended.set(generator.child(), at: [generator.key()]) }
      index.replace(location, by: mended)
      #expect(index.fault(in: mended) == nil)
      location = mended
    }
  }

  @Test(arguments: UInt64(1)...4)
  func `an index built at once is in order whatever the values share`(seed: UInt64) {
    var random = SeededNumbers(seed: seed)
    let tails = [
      "", "\u{0}", "\u{0}\u{0}", "a", "b", "é", "\u{E000}", "\u{FFFD}", "😀", "ab", "abcdefgh", "abcdefghi",
    ]
    let heads = ["", "a", "a common start of more than eight bytes ", String(repeating: "x", count: 3_000)]
    let numbers: [Int64] = [
      9_223_372_036_854_775_807, 9_223_372_036_854_775_806, -9_223_372_036_854_775_807, 9_007_199_254_740_992,
      9_007_199_254_740_993, 9_007_199_254_740_994, 0, -1, 7,
    ]
    for head in heads {
      var children: [(ChildKey, Node)] = []
      for i in 0..<1_200 {
        let tail = random.pick(tails) + random.pick(tails) + random.pick(tails)
        let double = Double.random(in: -1e18...1e18, using: &random)
        let number = random.chance(2) ? Node(number: double) : Node(random.pick(numbers))
        let other = random.pick([Node(true), Node(false), Node(head)])
        children.append(
          (ChildKey(unchecked: "k\(i)"), random.pick([Node(head + tail), number, number, other])))
      }
      let location = Node(children: children)
      #expect(ChildIndex(building: location, order: .value).fault(in: location) == nil, "seed \(seed)")
    }
  }

  @Test func `equal values without number stand by key`() {
    let long = String(repeating: "x", count: 100)
    let values: [Node] = [Node("open"), Node(long), Node(Int64.max), Node(number: 0.5), Node(true)]
    for value in values {
      let location = Node(children: (0..<2_000).map { (ChildKey(unchecked: "k\($0)"), value) })
      #expect(ChildIndex(building: location, order: .value).fault(in: location) == nil)
    }
  }

  @Test func `rising and falling values fill an index as well as any`() {
    for sign in [Int64(1), -1] {
      var location = Node.null
      var index = ChildIndex(building: location, order: .value)
      for i in 0..<Int64(3_000) {
        let key = ChildKey(unchecked: "k\(i)")
        location.set(Node(sign * i), at: [key])
        index.update(key, from: .null, to: Node(sign * i), in: location)
      }
      #expect(index.fault(in: location) == nil)
      #expect(index.chunkCount <= 3_000 / 256 + 2)
    }
  }
}

import Engine
import TestSupport
import JSONTree
import Testing

@Suite struct ChildIndexesTests {
  private let rank = Path([ChildKey(unchecked: "rank")])

  private func query(_ index: Query.Index) throws -> Query { try Query(index: index, limit: 2) }

  @Test func `one index serves all queries of a location and order`() throws {
    var indexes = ChildIndexes()
    let tree = try Node.parse(#"{"a":{"x":{"rank":1},"y":{"rank":2}}}"#)
    let other = try Query(index: .child(rank), start: Bound(start: Node(1)))
    #expect(
      indexes.hold(for: try query(.child(rank)), at: try Path("a"), in: tree, nowMilliseconds: 0) != nil)
    #expect(indexes.index(for: other, at: try Path("a"), in: tree, nowMilliseconds: 0) != nil)
    #expect(indexes.count == 1)
    #expect(indexes.index(for: try query(.value), at: try Path("a")) == nil)
    #expect(indexes.index(for: try query(.value), at: try Path("a"), in: tree, nowMilliseconds: 0) != nil)
    #expect(indexes.count == 2)
  }

  @Test func `orders by key and queries for everything have no index`() throws {
    var indexes = ChildIndexes()
    let tree = try Node.parse(#"{"a":1}"#)
    #expect(indexes.hold(for: try query(.key), at: .root, in: tree, nowMilliseconds: 0) == nil)
    #expect(indexes.hold(for: .all, at: .root, in: tree, nowMilliseconds: 0) == nil)
    #expect(indexes.hold(for: try Query(index: .value), at: .root, in: tree, nowMilliseconds: 0) == nil)
    indexes.release(for: .all, at: .root, nowMilliseconds: 0)
    #expect(indexes.count == 0)
  }

  @Test func `an index goes when nobody has held or used it for a while`() throws {
    var indexes = ChildIndexes()
    let tree = try Node.parse(#"{"a":{"x":1},"b":{"c":{"x":1}}}"#)
    let value = try query(.value)
    _ = indexes.hold(for: value, at: try Path("a"), in: tree, nowMilliseconds: 10)
    _ = indexes.index(for: value, at: try Path("b/c"), in: tree, nowMilliseconds: 20)
    indexes.sweep(idleSinceMilliseconds: 19)
    #expect(indexes.count == 2)
    indexes.sweep(idleSinceMilliseconds: 20)
    #expect(indexes.count == 1)
    #expect(indexes.index(for: value, at: try Path("b/c")) == nil)
    indexes.release(for: value, at: try Path("a"), nowMilliseconds: 50)
    indexes.sweep(idleSinceMilliseconds: 40)
    #expect(indexes.count == 1)
    indexes.sweep(idleSinceMilliseconds: 50)
    #expect(indexes.count == 0)
    #expect(indexes.index(for: value, at: try Path("a")) == nil)
  }

  @Test func `an index that was built elsewhere catches up with the tree`() throws {
    var indexes = ChildIndexes()
    let value = try query(.value)
    let path = try Path("a")
    let old = try Node.parse(#"{"x":1,"y":2}"#)
    let tree = try Node.parse(#"{"a":{"y":3,"z":"new"}}"#)
    #expect(indexes.lacksIndex(for: value, at: path))
    let built = ChildIndex(building: old, order: .value)
    for _ in 0..<2 { indexes.install(built, builtFrom: old, at: path, in: tree, nowMilliseconds: 5) }
    #expect(indexes.count == 1)
    #expect(!indexes.lacksIndex(for: value, at: path))
    #expect(!indexes.lacksIndex(for: try query(.key), at: path))
    #expect(indexes.index(for: value, at: path)?.fault(in: tree[path]) == nil)
    indexes.sweep(idleSinceMilliseconds: 5)
    #expect(indexes.count == 0)
  }

  @Test(arguments: UInt64(1)...6)
  func `indexes of nested places follow every write`(seed: UInt64) throws {
    var generator = ViewGenerator(random: SeededNumbers(seed: seed))
    generator.keys = ["a", "b", "rank", "1"].map { ChildKey(unchecked: $0) }
    let places = try ["", "a", "a/b", "a/rank", "b", "1/a"].map { try Path($0) }
    let queries = try [Query.Index.value, .priority, .child(rank)].map(query)
    var tree = generator.value(depth: 4)
    var indexes = ChildIndexes()
    for place in places {
      for query in queries { _ = indexes.hold(for: query, at: place, in: tree, nowMilliseconds: 0) }
    }
    for step in 0..<300 {
      let entries = generator.write(near: generator.random.pick(places), in: tree).entries
      let before = tree
      for entry in entries { tree.set(entry.value, at: entry.path) }
      indexes.update(before: before, after: tree, touched: entries.map(\.path))
      for place in places {
        for query in queries {
          let fault = indexes.index(for: query, at: place)?.fault(in: tree[place])
          #expect(fault == nil, "seed \(seed), step \(step), \(place) by \(query.index): \(entries)")
        }
      }
    }
  }
}

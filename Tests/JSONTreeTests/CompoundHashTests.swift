import TestSupport
import Testing

@testable import JSONTree

@Suite struct CompoundHashTests {
  private func node(_ text: String) throws -> Node { try Node.parse(text) }

  private func hash(_ value: Node, _ split: RangeClient.Split) -> CompoundHash? {
    let ranges = RangeClient.ranges(of: value, splitting: split)
    return CompoundHash(posts: ranges.posts, hashes: ranges.hashes)
  }

  struct Example: Sendable {
    let value: String
    var splitsAlways = false
    let texts: [String]
    let posts: [String]
    let hashes: [String]
  }

  static let examples = [
    Example(
      value: #"{"foo":"bar"}"#, texts: [#"("foo":(string:"bar"))"#], posts: ["foo"],
      hashes: ["LmKmJmXugtGlEGoulMbz86myDNw="]),
    Example(
      value: #"{"dock":{"n":1,"s":"x"},"pier":true}"#, splitsAlways: true,
      texts: [
        #"("dock":("n":(number:3ff0000000000000)))"#, #"("dock":("s":(string:"x")))"#,
        #"("pier":(boolean:true))"#,
      ],
      posts: ["dock/n", "dock/s", "pier"],
      hashes: [
        "lceg4ZlA8WW4+3rEoPQ/KFcZpuo=", "S7ywMo+djUNXDW/JZlWTZioPN1g=", "NTPPKPpUdK5Z6XtFU8yAbN8wuKk=",
      ]
    ),
    Example(
      value: #"{"a":1,"b":{"c":true,"d":"q\"u\\o"},".priority":5}"#,
      texts: [
        #"(".priority":(number:4014000000000000),"a":(number:3ff0000000000000),"#
          + #""b":("c":(boolean:true),"d":(string:"q\"u\\o")))"#
      ],
      posts: ["b/d"], hashes: ["u2e5F6Tuhlevf4vO6mOR2AqF/lg="]),
    Example(
      value: #"{"10":"x","9":"y","a":{".value":1,".priority":"p"}}"#,
      texts: [
        #"("9":(string:"y"),"10":(string:"x"),"a":(priority:string:"p":number:3ff0000000000000))"#
      ],
      posts: ["a"], hashes: ["7YEl6IKDGb9ks08bWUaQlLsS5IM="]),
  ]

  @Test(arguments: examples) func `the examples of the protocol come out`(example: Example) throws {
    let value = try node(example.value)
    let ranges = RangeClient.ranges(of: value, splitting: { _, _ in example.splitsAlways })
    #expect(ranges.texts == example.texts)
    #expect(ranges.posts == example.posts)
    #expect(ranges.hashes == example.hashes + [""])
    let held = try #require(CompoundHash(posts: example.posts, hashes: example.hashes + [""]))
    #expect(value.rangeMerges(for: held) == [])
  }

  @Test func `nothing has one empty hash and a leaf at the root the post of a slash`() throws {
    let none = RangeClient.ranges(of: .null)
    #expect(none.posts == [] && none.hashes == [""])
    let leaf = RangeClient.ranges(of: Node(Int64(4)))
    #expect(leaf.posts == ["/"] && leaf.hashes.count == 2)
    #expect(
      Node(Int64(4)).rangeMerges(for: try #require(CompoundHash(posts: ["/"], hashes: leaf.hashes))) == [])
  }

  @Test func `only the stretches that differ are told, from behind a post to a post`() throws {
    let old = try node(#"{"a":1,"b":2,"c":{"x":1,"y":2},"d":4}"#)
    let held = try #require(hash(old) { _, _ in true })
    let new = try node(#"{"a":1,"b":3,"c":{"x":1,"y":5},"d":4,"e":5}"#)
    #expect(
      new.rangeMerges(for: held) == [
        RangeMerge(start: "a", end: "b", value: try node(#"{"b":3}"#)),
        RangeMerge(start: "c/x", end: "c/y", value: try node(#"{"c":{"y":5}}"#)),
        RangeMerge(start: "d", end: nil, value: try node(#"{"e":5}"#)),
      ])
    let less = try node(#"{"b":2,"c":{"x":1,"y":2}}"#)
    #expect(
      less.rangeMerges(for: held) == [
        RangeMerge(start: nil, end: "a", value: .null), RangeMerge(start: "c/y", end: "d", value: .null),
      ])
  }

  @Test func `neighbours that differ are one stretch, and all of it none`() throws {
    let old = try node(#"{"a":1,"b":2,"c":3}"#)
    let held = try #require(hash(old) { _, _ in true })
    #expect(
      try node(#"{"a":9,"b":9,"c":3}"#).rangeMerges(for: held) == [
        RangeMerge(start: nil, end: "b", value: try node(#"{"a":9,"b":9}"#))
      ])
    #expect(try node(#"{"a":9,"b":9,"c":9,"d":9}"#).rangeMerges(for: held) == nil)
  }

  @Test func `a priority is never told without a child`() throws {
    let held = try #require(hash(try node(#"{"b":{"9":1,"a":2},"c":3}"#)) { _, _ in true })
    let new = try node(#"{"b":{"9":1,"a":2,".priority":5},"c":3}"#)
    #expect(
      new.rangeMerges(for: held) == [
        RangeMerge(start: "b/9", end: "b/a", value: try node(#"{"b":{"a":2,".priority":5}}"#))
      ])
    // Without a key behind it, the priority would stand alone before `c`.
    let numbers = try #require(hash(try node(#"{"a":0,"b":{"8":1,"9":1},"c":3,"d":4}"#)) { _, _ in true })
    let merges = try node(#"{"a":0,"b":{"8":1,"9":1,".priority":5},"c":3,"d":4}"#).rangeMerges(for: numbers)
    #expect(
      merges == [
        RangeMerge(start: "b/8", end: "d", value: try node(#"{"b":{"9":1,".priority":5},"c":3,"d":4}"#))
      ])
  }

  @Test(arguments: [
    (["a"], ["x"]), ([], []), (["a", "a"], ["", "", ""]), (["b", "a"], ["", "", ""]),
    (["a/b", "a"], ["", "", ""]),
    (["a", "9"], ["", "", ""]), (["a$"], ["", ""]), ([".priority/a"], ["", ""]),
    ([String(repeating: "x/", count: 33)], ["", ""]),
  ])
  func `what makes no sense is not taken`(posts: [String], hashes: [String]) {
    #expect(CompoundHash(posts: posts, hashes: hashes) == nil)
  }

  @Test func `posts are taken up to their bound`() {
    func posts(_ count: Int) -> [String] { (0..<count).map { "\($0)" } }
    let most = CompoundHash.mostPosts
    #expect(CompoundHash(posts: posts(most), hashes: .init(repeating: "", count: most + 1)) != nil)
    #expect(CompoundHash(posts: posts(most + 1), hashes: .init(repeating: "", count: most + 2)) == nil)
  }

  @Test func `posts that lead nowhere are only places between leaves`() throws {
    let value = try node(#"{"a":{"b":1},"c":2}"#)
    let held = try #require(
      CompoundHash(
        posts: ["/", "a", "a/.priority", "a/a/a/a", "a/b/x", "a/c", "c/d"],
        hashes: ["1", "2", "3", "4", "5", "6", "7", "8"]))
    #expect(value.rangeMerges(for: held) == nil)
    #expect(
      value.rangeHashes(of: held).map { $0.isEmpty } == [true, true, true, true, false, true, false, true])
  }

  @Test func `whatever changes, the client ends with what the server has`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    var told = 0
    for round in 0..<1500 {
      let old = tree(3, using: &random)
      var new = old
      for _ in 0..<Int.random(in: 0...6, using: &random) { change(&new, using: &random) }
      let length = Int.random(in: 0...120, using: &random)
      guard let held = hash(old, { count, _ in count > length }) else {
        Issue.record("seed \(seed), round \(round): the client's hash makes no sense")
        return
      }
      guard let merges = new.rangeMerges(for: held) else { continue }
      told += merges.count
      let result = RangeClient.applying(merges, to: old)
      if result != new {
        Issue.record(
          "seed \(seed), round \(round): \(old.text()) → \(new.text()) by \(merges) is \(result.text())")
        return
      }
    }
    #expect(told > 300, "seed \(seed)")
  }

  private static let keys = ["1", "2", "-7", "-a", "a", "b", "c\"\\", "é", "😀"]

  private func tree(_ depth: Int, using random: inout SeededNumbers) -> Node {
    if depth == 0 || Int.random(in: 0..<5, using: &random) == 0 { return leaf(using: &random) }
    var children: [(ChildKey, Node)] = []
    for key in Self.keys where Bool.random(using: &random) {
      children.append((ChildKey(unchecked: key), tree(depth - 1, using: &random)))
    }
    let node = Node(children: children)
    return Int.random(in: 0..<3, using: &random) == 0
      ? node.withPriority(Node(Int64.random(in: 0...2, using: &random))) : node
  }

  private func leaf(using random: inout SeededNumbers) -> Node {
    let leaf = RandomisedTests.leaf(using: &random)
    return Int.random(in: 0..<4, using: &random) == 0 ? leaf.withPriority(Node("p")) : leaf
  }

  private func change(_ node: inout Node, using random: inout SeededNumbers) {
    let keys = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      ChildKey(unchecked: Self.keys.randomElement(using: &random) ?? "a")
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: node.set(.null, at: Path(keys))
    case 1: node.set(Node(Int64.random(in: 0...3, using: &random)), at: Path(keys).priority)
    case 2: node.set(tree(1, using: &random), at: Path(keys))
    default: node.set(leaf(using: &random), at: Path(keys))
    }
  }
}

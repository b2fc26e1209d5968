import JSONTree
import TestSupport
import Testing

/// Random changes to a `Node` and to the model, compared after each.
@Suite struct RandomisedTests {
  static func key(_ space: Int, using random: inout SeededNumbers) -> String {
    let n = Int.random(in: 0..<space, using: &random)
    switch n % 8 {
    case 0: return String(n - space / 2)
    case 1: return "0" + String(n)
    case 2: return "k\(n)"
    case 3: return "-N\(n)"
    case 4: return "long-key-that-needs-the-heap-\(n)"
    case 5: return "\u{FFFD}\(n)"
    case 6: return "😀\(n)"
    default: return String(99_999_999_990 + n)
    }
  }

  static func leaf(using random: inout SeededNumbers) -> Node {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: Node(Bool.random(using: &random))
    case 1: Node(Int64.random(in: -5...5, using: &random))
    case 2: Node(number: Double.random(in: -1...1, using: &random))
    case 3: Node("fourteen bytes")
    case 4: Node("fifteen bytes ..")
    default: Node("x")
    }
  }

  static func value(using random: inout SeededNumbers) -> Model {
    var model = Model()
    if Int.random(in: 0..<4, using: &random) == 0 {
      for _ in 0..<Int.random(in: 0..<80, using: &random) {
        model.children[key(60, using: &random)] = Model(leaf: leaf(using: &random))
      }
    }
    if model.children.isEmpty { model.leaf = leaf(using: &random) }
    if Int.random(in: 0..<5, using: &random) == 0 { model.priority = Node(Int64(3)) }
    return model
  }

  @Test(arguments: [(space: 40, steps: 1000, check: 1), (300, 1000, 1), (2000, 6000, 100)])
  func `random changes leave what the model says`(space: Int, steps: Int, check: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    var node = Node.null
    var model = Model()
    var held: [(Node, Model)] = []
    // Growing and shrinking take turns, so that blocks split and merge.
    for step in 0..<steps {
      let isShrinking = step % (steps / 2) >= steps / 4
      let depth = Int.random(in: 0..<50, using: &random) == 0 ? 3 : Int.random(in: 1...2, using: &random)
      let names: [String]
      if isShrinking, let present = model.children.keys.randomElement(using: &random) {
        names = [present]
      } else {
        names = (0..<depth).map { _ in Self.key(space, using: &random) }
      }
      let path = Path(try names.map { try ChildKey($0) })
      if Int.random(in: 0..<10, using: &random) == 0 {
        let priority = Bool.random(using: &random) ? Node("p") : .null
        node.set(priority, at: path.priority)
        model.setPriority(priority, at: names[...])
      } else {
        let value =
          isShrinking || Int.random(in: 0..<4, using: &random) == 0 ? Model() : Self.value(using: &random)
        node.set(try value.node(), at: path)
        model.set(value, at: names[...])
      }
      if step % check == 0 {
        let fault = node.invariantFault
        #expect(fault == nil, "seed \(seed) step \(step)")
        if fault != nil { return }
      }
      if step % 100 == 0 {
        #expect(model.fault(node) == nil, "seed \(seed) step \(step)")
        #expect(node == (try model.node()), "seed \(seed) step \(step)")
        held.append((node, model))
      }
    }
    // What was kept on the way has not changed since.
    for (node, model) in held { #expect(model.fault(node) == nil, "seed \(seed)") }
  }

  @Test func `a difference names what differs and nothing else`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    for _ in 0..<15 {
      var old = Node.null
      let space = [20, 200, 1000].randomElement(using: &random) ?? 20
      for _ in 0..<space {
        old.set(Self.leaf(using: &random), at: [try ChildKey(Self.key(space, using: &random))])
      }
      var new = old
      for _ in 0..<[0, 1, 3, 100, 1000][Int.random(in: 0..<5, using: &random)] {
        let value = Bool.random(using: &random) ? Self.leaf(using: &random) : .null
        new.set(value, at: [try ChildKey(Self.key(space, using: &random))])
      }
      var expected: [ChildKey: [Node]] = [:]
      old.forEachChild { key, node in
        if new[key] != node { expected[key] = [node, new[key]] }
        return true
      }
      new.forEachChild { key, node in
        if old[key] != node { expected[key] = [old[key], node] }
        return true
      }
      var found: [(ChildKey, [Node])] = []
      Node.forEachDifference(old, new) { found.append(($0, [$1, $2])) }
      #expect(found.map(\.0) == expected.keys.sorted(), "seed \(seed)")
      #expect(found.allSatisfy { expected[$0.0] == $0.1 }, "seed \(seed)")
      #expect((old == new) == expected.isEmpty, "seed \(seed)")
    }
  }

  @Test func `children are walked from any key in both directions`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    for space in [1, 5, 40, 1200] {
      var node = Node.null
      var keys: Set<ChildKey> = []
      for _ in 0..<space {
        let key = try ChildKey(Self.key(space, using: &random))
        node.set(Node(true), at: [key])
        keys.insert(key)
      }
      let sorted = keys.sorted()
      #expect(node.firstChild?.key == sorted.first)
      #expect(node.lastChild?.key == sorted.last)
      for _ in 0..<50 {
        let key = try ChildKey(Self.key(space * 2, using: &random))
        var forward: [ChildKey] = []
        node.forEachChild(from: key) { next, _ in
          forward.append(next)
          return forward.count < 50
        }
        #expect(forward == Array(sorted.filter { $0 >= key }.prefix(50)), "seed \(seed)")
        var backward: [ChildKey] = []
        node.forEachChildReversed(from: key) { next, _ in
          backward.append(next)
          return backward.count < 50
        }
        #expect(backward == Array(sorted.filter { $0 <= key }.reversed().prefix(50)), "seed \(seed)")
        #expect(node.child(after: key)?.key == sorted.first { $0 > key }, "seed \(seed)")
        #expect(node.child(before: key)?.key == sorted.last { $0 < key }, "seed \(seed)")
      }
      var all: [ChildKey] = []
      node.forEachChildReversed { key, _ in
        all.append(key)
        return true
      }
      #expect(all == sorted.reversed(), "seed \(seed)")
    }
  }
}

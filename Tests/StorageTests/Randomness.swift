import JSONTree
import TestSupport

extension SeededNumbers {
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

extension SeededNumbers {
  /// A key out of few, so that edits meet: integer-like, plain, long or beyond ASCII.
  mutating func key() -> ChildKey {
    let number = below(300)
    let text =
      switch below(6) {
      case 0: "\(number)"
      case 1: "k\(number % 12)"
      case 2: "e\u{301}\(number % 40)"
      case 3: "\u{1F43A}\(number % 20)"
      case 4: "a key that is longer than what fits inline \(number % 30)"
      default: "user \(number)"
      }
    return ChildKey(unchecked: text)
  }

  mutating func leaf() -> Node {
    let leaf: Node =
      switch below(6) {
      case 0: Node(below(2) == 0)
      case 1: Node(number: Double(below(1000)) / 8 - 50)
      case 2: Node(Int64(below(1000)) - 500)
      case 3: Node("a \"text\" with \u{0} and \u{1F43A} \(below(100))")
      case 4: Node(String(repeating: "long ", count: below(200)))
      default: Node("t\(below(100))")
      }
    return below(8) == 0 ? leaf.withPriority(priority()) : leaf
  }

  mutating func priority() -> Node {
    below(2) == 0 ? Node(Int64(below(5))) : Node("p\(below(5))")
  }

  mutating func tree(depth: Int) -> Node {
    guard depth > 0, below(4) > 0 else { return leaf() }
    let children = (0..<below(depth == 3 ? 120 : 12)).map { _ in (key(), tree(depth: depth - 1)) }
    let node = Node(children: children)
    return below(6) == 0 ? node.withPriority(priority()) : node
  }

  /// A place that mostly exists.
  mutating func path(in node: Node) -> Path {
    var path = Path.root
    var node = node
    for _ in 0..<below(5) {
      var key = key()
      if below(3) > 0, let existing = node.child(after: key) ?? node.firstChild { key = existing.key }
      path = path.appending(key)
      node = node[key]
    }
    return path
  }

  /// Sets, replaces and removes here and there.
  mutating func edit(_ root: inout Node) {
    for _ in 0..<(1 + below(12)) {
      let path = path(in: root)
      switch below(10) {
      case 0, 1, 2: root.set(.null, at: path.isRoot ? Path([key()]) : path)
      case 3: root.set(tree(depth: 2), at: path)
      case 4 where !root[path].isNull: root.set(root[path].withPriority(priority()), at: path)
      case 5: root.set(root[path].withPriority(.null), at: path)
      default: root.set(leaf(), at: path.isRoot ? Path([key()]) : path)
      }
    }
  }
}

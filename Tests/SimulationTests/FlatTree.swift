import JSONTree

/// A tree as the simplest thing that could be right: each leaf's path and its text.
struct FlatTree: Equatable, CustomStringConvertible {
  private(set) var leaves: [[String]: String] = [:]

  init() {}

  init(_ node: Node) {
    add(node, at: [])
  }

  private mutating func add(_ node: Node, at path: [String]) {
    if node.isLeaf { leaves[path] = node.text() }
    node.forEachChild { key, child in
      add(child, at: path + [key.text])
      return true
    }
  }

  /// Overwrites everything at and below a path.
  mutating func set(_ value: Node, at path: [String]) {
    leaves = leaves.filter { !$0.key.starts(with: path) }
    if value.isNull { return }
    for length in 0..<path.count { leaves[Array(path.prefix(length))] = nil }
    add(value, at: path)
  }

  /// What lies at and below a path.
  func part(at path: [String]) -> FlatTree {
    var part = FlatTree()
    for (leaf, text) in leaves where leaf.starts(with: path) {
      part.leaves[Array(leaf.dropFirst(path.count))] = text
    }
    return part
  }

  /// The number at a place, nil if there is none.
  func integer(at path: [String]) -> Int64? {
    leaves[path].flatMap { Int64($0) }
  }

  var description: String {
    leaves.map { "\($0.key.joined(separator: "/")): \($0.value)" }.sorted().joined(separator: ", ")
  }
}

extension Path {
  /// The keys as text.
  var names: [String] { keys.map(\.text) }
}

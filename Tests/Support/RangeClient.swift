package import JSONTree

/// What a mobile client does with values that it keeps: it says which stretches of them it has, and puts
/// other stretches in their place.
package struct RangeClient {
  /// When a stretch ends: after a leaf, if this says so of the stretch's length and of the value's size.
  package typealias Split = (_ length: Int, _ size: Int) -> Bool
  package typealias Leaf = (path: [ChildKey], value: Node)

  /// How clients split: into stretches of at least 512 bytes, and of more if the value is large.
  package static func standard(_ length: Int, _ size: Int) -> Bool {
    length > max(512, Int(Double(100 * size).squareRoot()))
  }

  package static let priorityKey = ChildKey(unchecked: ".priority")

  /// The posts and the hashes of a value.
  package static func ranges(
    of value: Node, splitting: Split = RangeClient.standard
  ) -> (posts: [String], hashes: [String], texts: [String]) {
    let size = size(of: value)
    var posts: [String] = []
    var texts: [String] = []
    var text = ""
    var last: [ChildKey]?
    func end() {
      guard let path = last else { return }
      texts.append(text + String(repeating: ")", count: path.count + 1))
      posts.append(path.isEmpty ? "/" : path.map(\.text).joined(separator: "/"))
      last = nil
    }
    for leaf in leaves(of: value) {
      var shared = 0
      if let last {
        while shared < min(last.count, leaf.path.count), last[shared] == leaf.path[shared] { shared += 1 }
        text += String(repeating: ")", count: last.count - shared) + ","
      } else {
        text = "("
      }
      for key in leaf.path[shared...] { text += quoted(key.text) + ":(" }
      text += self.text(of: leaf.value)
      last = leaf.path
      if leaf.path.last != priorityKey, splitting(text.utf8.count, size) { end() }
    }
    end()
    let none = CompoundHash(posts: posts, hashes: [String](repeating: "", count: posts.count + 1))
    return (posts, none.map { value.rangeHashes(of: $0) } ?? [], texts)
  }

  /// The value after stretches of it have been replaced.
  package static func applying(_ merges: [RangeMerge], to value: Node) -> Node {
    var leaves = leaves(of: value)
    for merge in merges {
      let start = merge.start.map(path)
      let end = merge.end.map(path)
      func isInside(_ path: [ChildKey]) -> Bool {
        (start.map { isOrdered($0, path) } ?? true) && !(end.map { isOrdered($0, path) } ?? false)
      }
      leaves.removeAll { isInside($0.path) }
      // The client is told nothing by what has no leaf, such as a priority without a child.
      leaves += self.leaves(of: merge.value).filter { isInside($0.path) }
    }
    leaves.sort { isOrdered($0.path, $1.path) }
    var result = Node.null
    for leaf in leaves where leaf.path.last != priorityKey { result.set(leaf.value, at: Path(leaf.path)) }
    for leaf in leaves where leaf.path.last == priorityKey {
      result.set(leaf.value, at: Path(Array(leaf.path.dropLast())).priority)
    }
    return result
  }

  /// The leaves in the order of their paths, with objects' priorities among them.
  package static func leaves(of value: Node) -> [Leaf] {
    var leaves: [Leaf] = []
    func walk(_ path: [ChildKey], _ node: Node) {
      if node.isLeaf { leaves.append((path, node)) }
      node.forEachChild { key, child in
        walk(path + [key], child)
        return true
      }
      if node.isObject, !node.priority.isNull { leaves.append((path + [priorityKey], node.priority)) }
    }
    walk([], value)
    return leaves.sorted { isOrdered($0.path, $1.path) }
  }

  private static func isOrdered(_ a: [ChildKey], _ b: [ChildKey]) -> Bool { a.lexicographicallyPrecedes(b) }

  private static func path(_ text: String) -> [ChildKey] {
    text.split(separator: "/").map { ChildKey(unchecked: String($0)) }
  }

  private static func text(of leaf: Node) -> String {
    let priority = leaf.priority
    return (priority.isNull ? "" : "priority:\(text(of: priority)):") + plainText(of: leaf)
  }

  private static func plainText(of leaf: Node) -> String {
    if let bool = leaf.bool { return "boolean:\(bool)" }
    if let number = leaf.double {
      let digits = String(number.bitPattern, radix: 16)
      return "number:" + String(repeating: "0", count: 16 - digits.count) + digits
    }
    return "string:" + quoted(leaf.string ?? "")
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// The size of a value as clients estimate it.
  package static func size(of value: Node) -> Int {
    if value.isNull { return 4 }
    if value.isLeaf {
      let own = value.isNumber ? 8 : value.bool != nil ? 4 : 2 + (value.string?.utf16.count ?? 0)
      return own + (value.priority.isNull ? 0 : 24 + size(of: value.priority))
    }
    var sum = 1 + (value.priority.isNull ? 0 : 12 + size(of: value.priority))
    value.forEachChild { key, child in
      sum += key.text.utf16.count + 4 + size(of: child)
      return true
    }
    return sum
  }
}

extension Node {
  /// The value at a path; for a path that ends in `.priority` the priority there.
  package subscript(path: Path) -> Node {
    var node = self
    for key in path.keys {
      node = node[key]
      if node.isNull { return .null }
    }
    return path.endsWithPriority ? node.priority : node
  }

  package var firstChild: (key: ChildKey, node: Node)? {
    var found: (key: ChildKey, node: Node)?
    forEachChild { key, node in
      found = (key, node)
      return false
    }
    return found
  }

  package var lastChild: (key: ChildKey, node: Node)? {
    var found: (key: ChildKey, node: Node)?
    forEachChildReversed { key, node in
      found = (key, node)
      return false
    }
    return found
  }

  /// The first child whose key sorts after `key`, which need not be there.
  package func child(after key: ChildKey) -> (key: ChildKey, node: Node)? {
    var found: (key: ChildKey, node: Node)?
    forEachChild(from: key) { next, node in
      if next == key { return true }
      found = (next, node)
      return false
    }
    return found
  }

  /// The last child whose key sorts before `key`, which need not be there.
  package func child(before key: ChildKey) -> (key: ChildKey, node: Node)? {
    var found: (key: ChildKey, node: Node)?
    forEachChildReversed(from: key) { next, node in
      if next == key { return true }
      found = (next, node)
      return false
    }
    return found
  }

  /// How many leaves the value holds. Walks all of it.
  package var leafCount: Int {
    if isLeaf { return 1 }
    var count = 0
    forEachChild { _, node in
      count += node.leafCount
      return true
    }
    return count
  }

  /// How many levels of children the value has: 0 for a leaf. Walks all of it.
  package var depth: Int {
    guard isObject else { return 0 }
    var deepest = 0
    forEachChild { _, node in
      deepest = max(deepest, node.depth)
      return true
    }
    return deepest + 1
  }

  /// About how many bytes of JSON the value takes. Walks all of it.
  package var estimatedBytes: Int {
    var bytes = hasPriority ? 14 + priority.estimatedBytes : 0
    switch value {
    case .null: bytes += 4
    case .bool(let value): bytes += value ? 4 : 5
    case .integer, .double: bytes += 8
    case .short(let text): bytes += Int(text.count) + 2
    case .long(let text): bytes += text.count + 2
    case .object, .prioritized:
      bytes += 2
      forEachChild { key, node in
        bytes += key.utf8Count + 4 + node.estimatedBytes
        return true
      }
    }
    return bytes
  }
}

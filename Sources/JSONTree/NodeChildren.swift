extension Node {
  /// How many children the node has.
  package var childCount: Int { block?.total ?? 0 }

  /// The child under a key; null if there is none.
  package subscript(key: ChildKey) -> Node {
    // Said case by case: going by `block` would hold and let go of it once more.
    switch content {
    case .object(let block): return block.find(key)
    case .prioritized(.object(let block), _): return block.find(key)
    default: return .null
    }
  }

  /// Calls `body` for each child in key order, until it returns false.
  package func forEachChild(_ body: (ChildKey, Node) throws -> Bool) rethrows {
    _ = try block?.forEachUntil { try body(ChildKey(trusted: $0), $1) }
  }

  /// Calls `body` for each child in key order, starting at `from` or the next one, until it returns false.
  package func forEachChild(from: ChildKey, _ body: (ChildKey, Node) throws -> Bool) rethrows {
    guard let block else { return }
    try from.withUTF8 { from in
      _ = try block.forEachUntil(from: Probe(from)) { try body(ChildKey(trusted: $0), $1) }
    }
  }

  /// Calls `body` for each child against key order, until it returns false.
  package func forEachChildReversed(_ body: (ChildKey, Node) throws -> Bool) rethrows {
    _ = try block?.forEachReversed { try body(ChildKey(trusted: $0), $1) }
  }

  /// Calls `body` for each child against key order, starting at `from` or the one before, until it returns
  /// false.
  package func forEachChildReversed(from: ChildKey, _ body: (ChildKey, Node) throws -> Bool) rethrows {
    guard let block else { return }
    try from.withUTF8 { from in
      _ = try block.forEachReversed(from: Probe(from)) { try body(ChildKey(trusted: $0), $1) }
    }
  }

  /// Calls `body` with each child that differs, its old and its new value, in key order.
  ///
  /// Parts that both share are skipped, so the cost goes with the changes, not with the children.
  package static func forEachDifference(
    _ old: Node, _ new: Node, _ body: (ChildKey, Node, Node) throws -> Void
  ) rethrows {
    try Block.forEachDifference(old.block, new.block) { key, old, new in
      try body(ChildKey(trusted: key), old, new)
      return true
    }
  }

  /// The value at a path; for a path that ends in `.priority` the priority there.
  package subscript(path: Path) -> Node {
    var node = self
    for key in path.keys {
      node = node[key]
      if node.isNull { return .null }
    }
    return path.endsWithPriority ? node.priority : node
  }

  /// The child whose key sorts first.
  package var firstChild: (key: ChildKey, node: Node)? {
    var found: (key: ChildKey, node: Node)?
    forEachChild { key, node in
      found = (key, node)
      return false
    }
    return found
  }

  /// The child whose key sorts last.
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
    var bytes = ownBytes
    if isObject {
      forEachChild { key, node in
        bytes += key.utf8Count + 4 + node.estimatedBytes
        return true
      }
    }
    return bytes
  }

  /// The same, nil if it is more than a limit. Walks no more than that takes.
  package func estimatedBytes(upTo limit: Int) -> Int? {
    var left = limit
    return takeBytes(from: &left) ? limit - left : nil
  }

  private func takeBytes(from left: inout Int) -> Bool {
    left -= ownBytes
    if left < 0 || !isObject { return left >= 0 }
    var rest = left
    forEachChild { key, node in
      rest -= key.utf8Count + 4
      return rest >= 0 && node.takeBytes(from: &rest)
    }
    left = rest
    return rest >= 0
  }

  /// What the value takes without its children.
  private var ownBytes: Int {
    let bytes = hasPriority ? 14 + priority.estimatedBytes : 0
    return switch value {
    case .null: bytes + 4
    case .bool(let value): bytes + (value ? 4 : 5)
    case .integer, .double: bytes + 8
    case .short(let text): bytes + Int(text.count) + 2
    case .long(let text): bytes + text.count + 2
    case .object, .prioritized: bytes + 2
    }
  }
}

extension Node {
  /// Takes a node and all below it off a budget of nodes, and stops counting once that is spent.
  package func spend(_ budget: inout Int) {
    budget -= 1
    if budget <= 0 || !isObject { return }
    var left = budget
    forEachChild { _, child in
      child.spend(&left)
      return left > 0
    }
    budget = left
  }
}

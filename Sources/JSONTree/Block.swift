/// The children of an object, in key order; never none.
final class Block: Sendable {
  typealias Entry = (key: ChildKey, node: Node)
  let entries: ContiguousArray<Entry>

  init(_ entries: ContiguousArray<Entry>) {
    self.entries = entries
  }

  static func node(of children: some Sequence<(ChildKey, Node)>) -> Node {
    var all = ContiguousArray(children.enumerated())
    all.sort { ChildKey.order($0.element.0, $1.element.0).then(Order($0.offset, $1.offset)) == .less }
    var entries = ContiguousArray<Entry>()
    for (i, item) in all.enumerated() {
      if i + 1 < all.count, all[i + 1].element.0 == item.element.0 { continue }
      if item.element.1.isNull { continue }
      entries.append((item.element.0, item.element.1))
    }
    return entries.isEmpty ? .null : Node(content: .object(Block(entries)))
  }

  static func equal(_ a: Block, _ b: Block) -> Bool {
    a.entries.elementsEqual(b.entries) { $0.key == $1.key && $0.node == $1.node }
  }

  var total: Int { entries.count }

  /// The first index whose key is not below `key`.
  func lowerBound(_ key: ChildKey) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func find(_ key: ChildKey) -> Node {
    let i = lowerBound(key)
    return i < entries.count && entries[i].key == key ? entries[i].node : .null
  }

  static func update(_ block: inout Block, _ key: ChildKey, _ body: (inout Node) -> Void) {
    var entries = block.entries
    let i = block.lowerBound(key)
    let exists = i < entries.count && entries[i].key == key
    var node = exists ? entries[i].node : .null
    body(&node)
    if node.isNull {
      if exists { entries.remove(at: i) }
    } else if exists {
      entries[i].node = node
    } else {
      entries.insert((key, node), at: i)
    }
    block = Block(entries)
  }
}

extension Node {
  /// How many children the node has.
  package var childCount: Int { block?.total ?? 0 }

  /// The child under a key; null if there is none.
  package subscript(key: ChildKey) -> Node {
    block?.find(key) ?? .null
  }

  /// Calls `body` for each child in key order, until it returns false.
  package func forEachChild(_ body: (ChildKey, Node) throws -> Bool) rethrows {
    for entry in block?.entries ?? [] where try !body(entry.key, entry.node) { return }
  }

  /// Calls `body` for each child in key order, starting at `from` or the next one, until it returns false.
  package func forEachChild(from: ChildKey, _ body: (ChildKey, Node) throws -> Bool) rethrows {
    guard let block else { return }
    for entry in block.entries[block.lowerBound(from)...] where try !body(entry.key, entry.node) { return }
  }

  /// Calls `body` for each child against key order, until it returns false.
  package func forEachChildReversed(_ body: (ChildKey, Node) throws -> Bool) rethrows {
    for entry in (block?.entries ?? []).reversed() where try !body(entry.key, entry.node) { return }
  }

  /// Calls `body` for each child against key order, starting at `from` or the one before, until it returns false.
  package func forEachChildReversed(from: ChildKey, _ body: (ChildKey, Node) throws -> Bool) rethrows {
    guard let block else { return }
    for entry in block.entries.reversed() where entry.key <= from {
      if try !body(entry.key, entry.node) { return }
    }
  }

  /// Calls `body` with each child that differs, its old and its new value, in key order; parts that both share
  /// are skipped.
  package static func forEachDifference(
    _ old: Node, _ new: Node, _ body: (ChildKey, Node, Node) throws -> Void
  ) rethrows {
    let a = old.block?.entries ?? []
    let b = new.block?.entries ?? []
    var i = 0
    var j = 0
    while i < a.count || j < b.count {
      if j == b.count || (i < a.count && a[i].key < b[j].key) {
        try body(a[i].key, a[i].node, .null)
        i += 1
      } else if i == a.count || b[j].key < a[i].key {
        try body(b[j].key, .null, b[j].node)
        j += 1
      } else {
        if a[i].node != b[j].node { try body(a[i].key, a[i].node, b[j].node) }
        i += 1
        j += 1
      }
    }
  }
}

extension Block {
  func forEach(_ body: (UnsafeRawBufferPointer, Node) -> Void) {
    for entry in entries { entry.key.withUTF8 { body($0, entry.node) } }
  }

  func forEachUntil(_ body: (UnsafeRawBufferPointer, Node) -> Bool) {
    for entry in entries where !entry.key.withUTF8({ body($0, entry.node) }) { return }
  }

  /// The last key as an integer, if all keys are integer-like.
  var lastInteger: Int32? { entries.last?.key.integer }
}

/// Children in key order, without nulls and without equal keys, to build an object from.
protocol SortedChildren {
  var count: Int { get }
  func keyCount(_ index: Int) -> Int
  func withKey(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void)
  /// The node of a child; asked for once.
  func takeNode(_ index: Int) -> Node
}

extension Block {
  /// The object of these children; null if there are none.
  static func node(_ children: some SortedChildren) -> Node {
    let count = children.count
    if count == 0 { return .null }
    if count <= width { return Node(content: .object(leaf(children, 0..<count))) }
    var level: [Block] = []
    var bounds: [ChildKey] = []
    for start in stride(from: 0, to: count, by: width) {
      let block = leaf(children, start..<min(start + width, count))
      level.append(block)
      bounds.append(block.withParts { ChildKey(trusted: $0.key(0)) })
    }
    while level.count > 1 {
      var above: [Block] = []
      var aboveBounds: [ChildKey] = []
      for start in stride(from: 0, to: level.count, by: width) {
        let range = start..<min(start + width, level.count)
        above.append(inner(level[range], bounds[range]))
        aboveBounds.append(bounds[start])
      }
      level = above
      bounds = aboveBounds
    }
    return Node(content: .object(level[0]))
  }

  /// The block of one child.
  static func single(_ key: ChildKey, _ node: Node) -> Block {
    precondition(key.utf8Count <= Limits.standard.keyBytes, "a stored key is a legal key")
    let block = Block.make(capacity: 1, keyCapacity: key.utf8Count, height: 0)
    block.withParts { parts in
      key.withUTF8 { parts.insert(node, key: $0, at: 0) }
      parts.header.pointee.total = 1
    }
    return block
  }

  private static func leaf(_ children: some SortedChildren, _ range: Range<Int>) -> Block {
    var bytes = 0
    for i in range { bytes &+= children.keyCount(i) }
    let block = Block.make(capacity: range.count, keyCapacity: bytes, height: 0)
    block.withParts { parts in
      for i in range { children.withKey(i) { parts.append(children.takeNode(i), key: $0) } }
      parts.header.pointee.total = UInt32(parts.count)
    }
    return block
  }

  private static func inner(_ blocks: ArraySlice<Block>, _ bounds: ArraySlice<ChildKey>) -> Block {
    let bytes = bounds.dropFirst().reduce(0) { $0 + $1.utf8Count }
    let block = Block.make(
      capacity: blocks.count, keyCapacity: bytes, height: blocks[blocks.startIndex].header.height + 1)
    block.withParts { parts in
      for (child, bound) in zip(blocks, bounds) {
        let node = Node(content: .object(child))
        bound.withUTF8 { key in
          let key = parts.count == 0 ? UnsafeRawBufferPointer(start: nil, count: 0) : key
          parts.insert(node, key: key, at: parts.count)
        }
      }
      parts.countTotal()
    }
    return block
  }

  /// The object of children in any order: nulls are dropped, the last of equal keys wins. Children whose key
  /// is longer than any that can be stored are left out.
  static func node(of children: some Sequence<(ChildKey, Node)>) -> Node {
    var all = ContiguousArray(children.enumerated())
    let isSorted = zip(all, all.dropFirst()).allSatisfy { $0.element.0 < $1.element.0 }
    if !isSorted {
      all.sort { ChildKey.order($0.element.0, $1.element.0).then(Order($0.offset, $1.offset)) == .less }
    }
    var sorted = KeyedChildren()
    for (i, item) in all.enumerated() {
      if i + 1 < all.count, all[i + 1].element.0 == item.element.0 { continue }
      if item.element.1.isNull || item.element.0.utf8Count > Limits.standard.keyBytes { continue }
      sorted.children.append(item.element)
    }
    return node(sorted)
  }
}

/// Children that are held with their keys.
struct KeyedChildren: SortedChildren {
  var children = ContiguousArray<(ChildKey, Node)>()

  var count: Int { children.count }
  func keyCount(_ index: Int) -> Int { children[index].0.utf8Count }
  func withKey(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) { children[index].0.withUTF8(body) }
  func takeNode(_ index: Int) -> Node { children[index].1 }
}

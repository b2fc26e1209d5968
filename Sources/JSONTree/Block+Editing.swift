/// A block that was split off another, and the lower bound of its keys.
private struct Split {
  var right: Block
  var key: ChildKey
}

extension Block {
  /// Lets `body` change the child under a key in place: null before if it is not there, null after to delete
  /// it.
  ///
  /// A tree left without children has a total of 0.
  static func update(_ block: inout Block, _ key: ChildKey, _ body: (inout Node) -> Void) {
    precondition(key.utf8Count <= Limits.standard.keyBytes, "a stored key is a legal key")
    key.withUTF8 { bytes in
      if let split = update(&block, Probe(bytes), isLast: true, body) {
        block = root(above: block, split)
      }
    }
    while block.height > 0, block.entryCount == 1 {
      block = block.withParts { $0.child(0) }
    }
  }

  private static func root(above left: Block, _ split: Split) -> Block {
    let root = Block.make(capacity: 4, keyCapacity: 4 * split.key.utf8Count, height: left.header.height + 1)
    root.withParts { parts in
      parts.insert(Node(content: .object(left)), key: UnsafeRawBufferPointer(start: nil, count: 0), at: 0)
      split.key.withUTF8 { parts.insert(Node(content: .object(split.right)), key: $0, at: 1) }
      parts.countTotal()
    }
    return root
  }

  /// `isLast` says that no key of the whole tree sorts after those of this block.
  private static func update(
    _ block: inout Block, _ probe: Probe, isLast: Bool, _ body: (inout Node) -> Void
  ) -> Split? {
    block.header.height == 0
      ? updateLeaf(&block, probe, isLast: isLast, body) : updateInner(&block, probe, isLast: isLast, body)
  }

  private static func updateLeaf(
    _ block: inout Block, _ probe: Probe, isLast: Bool, _ body: (inout Node) -> Void
  ) -> Split? {
    let (index, found) = block.withParts { $0.lowerBound(probe) }
    if found {
      makeUnique(&block)
      block.withParts { parts in
        body(&parts.nodes[index])
        if parts.nodes[index].isNull {
          parts.remove(index)
          parts.header.pointee.total = UInt32(parts.count)
        }
      }
      return nil
    }
    var node = Node.null
    body(&node)
    if node.isNull { return nil }
    let split = insert(node, key: probe.bytes, at: index, into: &block, isLast: isLast)
    block.withParts { $0.header.pointee.total = UInt32($0.count) }
    return split
  }

  private static func updateInner(
    _ block: inout Block, _ probe: Probe, isLast: Bool, _ body: (inout Node) -> Void
  ) -> Split? {
    makeUnique(&block)
    let (index, split) = block.withParts { parts -> (Int, Split?) in
      let index = parts.childIndex(probe)
      // Out of its slot first: the block below must have one owner to be changed in place.
      var child = parts.child(index)
      parts.nodes[index] = .null
      let before = child.total
      let split = update(&child, probe, isLast: isLast && index == parts.count - 1, body)
      let after = child.total + (split?.right.total ?? 0)
      parts.header.pointee.total = UInt32(Int(parts.header.pointee.total) + after - before)
      if child.entryCount == 0 {
        parts.remove(index)
      } else {
        parts.nodes[index] = Node(content: .object(child))
      }
      if after < before { mergeNeighbours(parts, around: index) }
      return (index, split)
    }
    guard let split else { return nil }
    return split.key.withUTF8 { key in
      insert(Node(content: .object(split.right)), key: key, at: index + 1, into: &block, isLast: isLast)
    }
  }

  // MARK: Room

  /// Gives the block one owner, as a copy if it has more.
  @inline(__always)
  private static func makeUnique(_ block: inout Block) {
    if !isKnownUniquelyReferenced(&block) { reallocate(&block, entries: 0, keyBytes: 0) }
  }

  /// Gives the block one owner and room for one more entry.
  private static func makeRoom(_ block: inout Block, keyBytes: Int) {
    if isKnownUniquelyReferenced(&block), block.withParts({ $0.hasRoom(entries: 1, keyBytes: keyBytes) }) {
      return
    }
    reallocate(&block, entries: 1, keyBytes: keyBytes)
  }

  /// Replaces the block by one that has room for more. Takes the nodes along if nobody else needs them.
  private static func reallocate(_ block: inout Block, entries: Int, keyBytes: Int) {
    let isUnique = isKnownUniquelyReferenced(&block)
    let fresh = block.withParts { parts in
      let count = parts.count
      var capacity = count + entries
      var keyCapacity = parts.keyBytes + keyBytes
      if entries > 0, count > 2 {
        // What grows once will grow again: half as much more, and keys in proportion.
        capacity = min(width, max(capacity, count + count / 2))
        keyCapacity = max(keyCapacity, parts.keyBytes * capacity / count)
      }
      let fresh = Block.make(
        capacity: capacity, keyCapacity: keyCapacity, height: parts.header.pointee.height)
      fresh.withParts { target in
        target.append(parts, 0..<count, moving: isUnique)
        target.header.pointee.total = parts.header.pointee.total
      }
      if isUnique { parts.header.pointee.count = 0 }
      return fresh
    }
    block = fresh
  }

  // MARK: Splitting and merging

  /// Adds an entry, in a full block by splitting it.
  private static func insert(
    _ node: Node, key: UnsafeRawBufferPointer, at index: Int, into block: inout Block, isLast: Bool
  ) -> Split? {
    let count = block.entryCount
    if count < width {
      makeRoom(&block, keyBytes: key.count)
      block.withParts { $0.insert(node, key: key, at: index) }
      return nil
    }
    if isLast, index == count {
      // Keys that only ever come at the end leave full blocks behind. Elsewhere the new block would have a
      // neighbour that can be as small.
      let right = Block.make(capacity: 4, keyCapacity: 4 * key.count, height: block.header.height)
      block.withParts { $0.countTotal() }
      return finish(right) { $0.insert(node, key: key, at: 0) }
    }
    let middle = width / 2
    makeUnique(&block)
    let right = block.withParts { parts in
      let tailBytes = parts.keyBytes - (0..<middle).reduce(0) { $0 + parts.key($1).count }
      let right = Block.make(
        capacity: width - middle + 4, keyCapacity: tailBytes + 4 * key.count,
        height: parts.header.pointee.height)
      right.withParts { parts.moveTail(from: middle, to: $0) }
      return right
    }
    if index <= middle {
      makeRoom(&block, keyBytes: key.count)
      block.withParts { $0.insert(node, key: key, at: index) }
      block.withParts { $0.countTotal() }
      return finish(right) { _ in }
    }
    block.withParts { $0.countTotal() }
    return finish(right) { $0.insert(node, key: key, at: index - middle) }
  }

  /// Names what was split off by its first key, which a higher block then gives up.
  private static func finish(_ right: Block, _ body: (BlockParts) -> Void) -> Split {
    let key = right.withParts { parts in
      body(parts)
      let key = ChildKey(trusted: parts.key(0))
      if !parts.isLeaf { parts.clearFirstKey() }
      parts.countTotal()
      return key
    }
    return Split(right: right, key: key)
  }

  /// Joins the block at `index` with its neighbours while they are small enough.
  private static func mergeNeighbours(_ parts: BlockParts, around index: Int) {
    var index = index
    while true {
      if canMerge(parts, index) {
        merge(parts, index)
      } else if canMerge(parts, index - 1) {
        index -= 1
        merge(parts, index)
      } else {
        return
      }
    }
  }

  private static func canMerge(_ parts: BlockParts, _ index: Int) -> Bool {
    guard index >= 0, index + 1 < parts.count else { return false }
    return parts.child(index).entryCount + parts.child(index + 1).entryCount <= mergeWidth
  }

  /// Joins two neighbours to one.
  private static func merge(_ parts: BlockParts, _ index: Int) {
    let left = parts.child(index)
    let right = parts.child(index + 1)
    let merged = left.withParts { a in
      right.withParts { b in
        let separator = parts.key(index + 1)
        let extra = a.isLeaf ? 0 : separator.count
        let merged = Block.make(
          capacity: a.count + b.count, keyCapacity: a.keyBytes + b.keyBytes + extra,
          height: a.header.pointee.height)
        merged.withParts { target in
          target.append(a, 0..<a.count, moving: false)
          if a.isLeaf {
            target.append(b, 0..<b.count, moving: false)
          } else {
            // The first of the right block's entries gets a bound again, which its parent has kept.
            target.insert(b.nodes[0], key: separator, at: target.count)
            target.append(b, 1..<b.count, moving: false)
          }
          target.header.pointee.total = a.header.pointee.total + b.header.pointee.total
        }
        return merged
      }
    }
    parts.nodes[index] = Node(content: .object(merged))
    parts.remove(index + 1)
  }
}

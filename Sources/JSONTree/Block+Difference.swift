/// A place in the blocks of an object: an entry of a leaf, or a whole block that has not been entered.
private struct BlockCursor {
  private var frames: [(block: Block, index: Int)]

  init(_ root: Block?) {
    frames = root.map { [(block: $0, index: 0)] } ?? []
  }

  var isAtEnd: Bool { frames.isEmpty }

  /// 0 at an entry of a leaf, otherwise one more than the height of the block that is here.
  var height: Int { frames[frames.count - 1].block.height }

  /// The block that is here.
  var child: Block {
    let top = frames[frames.count - 1]
    return top.block.withParts { $0.child(top.index) }
  }

  func withEntry<R>(_ body: (UnsafeRawBufferPointer, Node) throws -> R) rethrows -> R {
    let top = frames[frames.count - 1]
    return try top.block.withParts { try body($0.key(top.index), $0.nodes[top.index]) }
  }

  /// True if both are at the same entry of the same block, so that the rest of it is the same too.
  func isSamePlace(as other: BlockCursor) -> Bool {
    let a = frames[frames.count - 1]
    let b = other.frames[other.frames.count - 1]
    return a.block === b.block && a.index == b.index
  }

  mutating func advance() {
    frames[frames.count - 1].index += 1
    while let top = frames.last, top.index == top.block.entryCount {
      frames.removeLast()
      if !frames.isEmpty { frames[frames.count - 1].index += 1 }
    }
  }

  /// Goes past the block whose entry this is.
  mutating func leave() {
    let top = frames.count - 1
    frames[top].index = frames[top].block.entryCount - 1
    advance()
  }

  /// Enters the block that is here.
  mutating func descend() {
    frames.append((block: child, index: 0))
  }
}

extension Block {
  /// Calls `body` with each child that differs, its old and new value, in key order, until it returns false.
  ///
  /// Blocks that both sides share are never entered, so the cost goes with the changes, not with the
  /// children.
  static func forEachDifference(
    _ old: Block?, _ new: Block?, _ body: (UnsafeRawBufferPointer, Node, Node) throws -> Bool
  ) rethrows {
    if let old, let new, old === new { return }
    var a = BlockCursor(old)
    var b = BlockCursor(new)
    while !a.isAtEnd, !b.isAtEnd {
      if a.isSamePlace(as: b) {
        a.leave()
        b.leave()
      } else if a.height > 0 || b.height > 0 {
        enter(&a, &b)
      } else if try !step(&a, &b, body) {
        return
      }
    }
    while !a.isAtEnd {
      if a.height > 0 {
        a.descend()
      } else {
        if try !a.withEntry({ key, node in try body(key, node, .null) }) { return }
        a.advance()
      }
    }
    while !b.isAtEnd {
      if b.height > 0 {
        b.descend()
      } else {
        if try !b.withEntry({ key, node in try body(key, .null, node) }) { return }
        b.advance()
      }
    }
  }

  /// Steps over a block that both sides share, or else into the higher one.
  private static func enter(_ a: inout BlockCursor, _ b: inout BlockCursor) {
    if a.height == b.height {
      if a.child === b.child {
        a.advance()
        b.advance()
        return
      }
      a.descend()
      b.descend()
    } else if a.height > b.height {
      a.descend()
    } else {
      b.descend()
    }
  }

  /// Compares one entry of a leaf on each side.
  private static func step(
    _ a: inout BlockCursor, _ b: inout BlockCursor,
    _ body: (UnsafeRawBufferPointer, Node, Node) throws -> Bool
  ) rethrows -> Bool {
    var order = Order.equal
    let goOn = try a.withEntry { key, old in
      try b.withEntry { otherKey, new in
        order = ByteOrder.keys(key, otherKey)
        switch order {
        case .less: return try body(key, old, .null)
        case .greater: return try body(otherKey, .null, new)
        case .equal: return old == new ? true : try body(key, old, new)
        }
      }
    }
    if order != .greater { a.advance() }
    if order != .less { b.advance() }
    return goOn
  }

  /// True if both hold equal children under equal keys.
  static func equal(_ a: Block, _ b: Block) -> Bool {
    guard a.total == b.total else { return false }
    var result = true
    forEachDifference(a, b) { _, _, _ in
      result = false
      return false
    }
    return result
  }
}

/// The children of an object that has been read, in the order in which they were written.
struct ParsedChildren: SortedChildren {
  let input: UnsafeRawBufferPointer
  var decoded = UnsafeRawBufferPointer(start: nil, count: 0)
  let entries: UnsafeMutablePointer<TreeParser.Entry>
  let count: Int

  init(input: UnsafeRawBufferPointer, entries: UnsafeMutablePointer<TreeParser.Entry>, count: Int) {
    self.input = input
    self.entries = entries
    self.count = count
  }

  @inline(__always)
  func key(_ index: Int) -> UnsafeRawBufferPointer {
    let key = entries[index].key
    let source = key.isDecoded ? decoded : input
    return UnsafeRawBufferPointer(rebasing: source[key.offset..<key.offset &+ Int(key.count)])
  }

  @inline(__always)
  func keyCount(_ index: Int) -> Int { Int(entries[index].key.count) }

  @inline(__always)
  func withKey(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) { body(key(index)) }

  @inline(__always)
  func takeNode(_ index: Int) -> Node { (entries + index).move().node }
}

/// The same children in key order, without nulls and without those that a later one of the same key replaces.
struct OrderedChildren: SortedChildren {
  /// What a child is sorted by: its first eight bytes decide most comparisons.
  struct SortKey {
    let prefix: UInt64
    let index: UInt32
    /// True if the prefix says nothing: the key is integer-like, or has bytes that do not sort by their value.
    let isSpecial: Bool

    init(_ key: UnsafeRawBufferPointer, _ index: Int) {
      var prefix: UInt64 = 0
      var isSpecial = ByteOrder.integer(key) != nil
      for i in 0..<min(key.count, 8) {
        prefix |= UInt64(key[i]) &<< UInt64(56 &- 8 &* i)
        if key[i] >= 0xEE { isSpecial = true }
      }
      self.prefix = prefix
      self.index = UInt32(index)
      self.isSpecial = isSpecial
    }
  }

  let children: ParsedChildren
  let order: UnsafeBufferPointer<SortKey>

  var count: Int { order.count }

  @inline(__always)
  private func place(_ index: Int) -> Int { Int(order[index].index) }

  func keyCount(_ index: Int) -> Int { children.keyCount(place(index)) }
  func withKey(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    children.withKey(place(index), body)
  }
  func takeNode(_ index: Int) -> Node { children.takeNode(place(index)) }

  /// The object of children whose nodes have all left their entries afterwards.
  static func node(_ children: ParsedChildren, isSorted: Bool) -> Node {
    withUnsafeTemporaryAllocation(of: SortKey.self, capacity: children.count) { keys in
      for i in 0..<children.count { keys.initializeElement(at: i, to: SortKey(children.key(i), i)) }
      if !isSorted { sort(keys, children) }
      var kept = 0
      for i in 0..<children.count {
        let index = Int(keys[i].index)
        let isReplaced = i + 1 < children.count && isEqual(children, index, Int(keys[i + 1].index))
        if isReplaced || children.entries[index].node.isNull {
          _ = children.takeNode(index)
        } else {
          keys[kept] = keys[i]
          kept += 1
        }
      }
      let order = UnsafeBufferPointer(rebasing: keys[..<kept])
      return Block.node(OrderedChildren(children: children, order: order))
    }
  }

  private static func isEqual(_ children: ParsedChildren, _ a: Int, _ b: Int) -> Bool {
    children.keyCount(a) == children.keyCount(b) && ByteOrder.text(children.key(a), children.key(b)) == .equal
  }

  /// By key, equal keys in the order in which they were written.
  private static func sort(_ keys: UnsafeMutableBufferPointer<SortKey>, _ children: ParsedChildren) {
    if keys.count > 24 {
      var keys = keys
      keys.sort { precedes($0, $1, children) }
      return
    }
    for i in 1..<keys.count {
      let key = keys[i]
      var j = i
      while j > 0, precedes(key, keys[j &- 1], children) {
        keys[j] = keys[j &- 1]
        j &-= 1
      }
      keys[j] = key
    }
  }

  @inline(__always)
  private static func precedes(_ a: SortKey, _ b: SortKey, _ children: ParsedChildren) -> Bool {
    if a.prefix != b.prefix, !a.isSpecial, !b.isSpecial { return a.prefix < b.prefix }
    switch ByteOrder.keys(children.key(Int(a.index)), children.key(Int(b.index))) {
    case .less: return true
    case .greater: return false
    case .equal: return a.index < b.index
    }
  }
}

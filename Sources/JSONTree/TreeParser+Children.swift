/// The first eight bytes of a key, which decide most comparisons.
struct KeyPrefix {
  /// The bytes, first one highest, and zeros after a shorter key: no key holds a zero byte.
  private let bytes: UInt64
  /// True if the bytes do not tell the order: the key may be integer-like, or is not ASCII.
  private let isSpecial: Bool

  /// The prefix of `count` bytes from `offset` on in a text, which may go on after them.
  @inline(__always)
  init(_ text: UnsafeRawBufferPointer, offset: Int, count: Int) {
    var bytes: UInt64 = 0
    if offset &+ 8 <= text.count {
      bytes = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
      if count < 8 { bytes &= ~(UInt64.max &>> UInt64(8 &* count)) }
    } else {
      for i in 0..<min(count, 8) { bytes |= UInt64(text[offset &+ i]) &<< UInt64(56 &- 8 &* i) }
    }
    let first = bytes &>> 56
    self.bytes = bytes
    isSpecial = first == 0x2D || first &- 0x30 <= 9 || bytes & 0x8080_8080_8080_8080 != 0
  }

  /// The order of the keys, or nil if the prefixes do not tell it.
  @inline(__always)
  func precedes(_ other: KeyPrefix) -> Bool? {
    bytes == other.bytes || isSpecial || other.isSpecial ? nil : bytes < other.bytes
  }
}

/// The children of an object that has been read, in the order in which they were written.
struct ParsedChildren: SortedChildren {
  let input: UnsafeRawBufferPointer
  var decoded = UnsafeRawBufferPointer(start: nil, count: 0)
  let entries: UnsafeMutableBufferPointer<TreeParser.Entry>

  init(input: UnsafeRawBufferPointer, entries: UnsafeMutableBufferPointer<TreeParser.Entry>) {
    self.input = input
    self.entries = entries
  }

  @inline(__always)
  var count: Int { entries.count }

  @inline(__always)
  func key(_ index: Int) -> UnsafeRawBufferPointer {
    let key = entries[index].key
    let source = key.isDecoded ? decoded : input
    return UnsafeRawBufferPointer(rebasing: source[key.offset..<key.offset &+ Int(key.count)])
  }

  @inline(__always)
  func sortKey(_ index: Int) -> OrderedChildren.SortKey {
    let key = entries[index].key
    let prefix = KeyPrefix(key.isDecoded ? decoded : input, offset: key.offset, count: Int(key.count))
    return OrderedChildren.SortKey(prefix: prefix, index: UInt32(truncatingIfNeeded: index))
  }

  @inline(__always)
  func keyCount(_ index: Int) -> Int { Int(entries[index].key.count) }

  @inline(__always)
  func withKey(_ index: Int, _ body: (UnsafeRawBufferPointer) -> Void) { body(key(index)) }

  @inline(__always)
  func takeNode(_ index: Int) -> Node { entries.moveElement(from: index).node }
}

/// The same children in key order, without nulls and without those that a later one of the same key replaces.
struct OrderedChildren: SortedChildren {
  /// What a child is sorted by.
  struct SortKey {
    let prefix: KeyPrefix
    let index: UInt32
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
      for i in 0..<children.count { keys.initializeElement(at: i, to: children.sortKey(i)) }
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
    if let isLess = a.prefix.precedes(b.prefix) { return isLess }
    switch ByteOrder.keys(children.key(Int(a.index)), children.key(Int(b.index))) {
    case .less: return true
    case .greater: return false
    case .equal: return a.index < b.index
    }
  }
}

/// The children of an object, in key order: a B-tree whose nodes are all of this one type.
///
/// Up to `width` children are one block. Beyond, blocks of height 0 hold children, and every entry of a
/// higher block is a block below together with the lower bound of its keys; entry 0 has an empty key, for it
/// has no bound.
///
///     | Swift header 16 | BlockHeader 16 | Node × capacity | key ends UInt16 × capacity | bytes of keys |
///
/// Blocks are shared between values, and are changed only while they have one owner.
final class Block: ManagedBuffer<BlockHeader, UInt64> {
  /// The most entries of a block.
  static let width = 16
  /// Neighbours that have no more entries than this together become one block.
  static let mergeWidth = 12

  deinit {
    withParts { parts in
      // One by one: in bulk the runtime would ask the type's witness for each.
      for i in 0..<parts.count { (parts.nodes + i).deinitialize(count: 1) }
    }
  }

  /// A block without entries that has room for some.
  static func make(capacity: Int, keyCapacity: Int, height: UInt8) -> Block {
    let bytes = capacity &* (MemoryLayout<Node>.stride + 2) &+ keyCapacity
    let words = (bytes &+ 7) &>> 3
    let made = Block.create(minimumCapacity: words) { _ in
      // Rounding up to whole words leaves room for a few more bytes of keys.
      let rest = words &* 8 &- capacity &* (MemoryLayout<Node>.stride + 2)
      return BlockHeader(
        total: 0, count: 0, capacity: UInt16(capacity), integers: 0, keyCapacity: UInt16(rest), height: height
      )
    }
    return unsafeDowncast(made, to: Block.self)
  }

  /// Calls `body` with pointers into the block, which are valid until it returns.
  @inline(__always)
  func withParts<R>(_ body: (BlockParts) throws -> R) rethrows -> R {
    try withUnsafeMutablePointers { header, words in
      try body(BlockParts(header: header, words: UnsafeMutableRawPointer(words)))
    }
  }

  /// How many children are in the block and below it.
  @inline(__always)
  var total: Int { Int(header.total) }

  /// How many entries the block has.
  @inline(__always)
  var entryCount: Int { Int(header.count) }

  @inline(__always)
  var height: Int { Int(header.height) }
}

struct BlockHeader {
  /// The number of children in the block and below it.
  var total: UInt32
  var count: UInt16
  var capacity: UInt16
  /// How many of the first keys are integer-like; entry 0 of a higher block counts as one.
  var integers: UInt16
  var keyCapacity: UInt16
  /// How many levels of blocks are below.
  var height: UInt8
}

/// A key that is looked for.
struct Probe {
  let bytes: UnsafeRawBufferPointer
  let integer: Int32?

  @inline(__always)
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    integer = ByteOrder.integer(bytes)
  }
}

/// The inside of a block.
struct BlockParts {
  let header: UnsafeMutablePointer<BlockHeader>
  let nodes: UnsafeMutablePointer<Node>
  private let ends: UnsafeMutablePointer<UInt16>
  private let keys: UnsafeMutableRawPointer

  @inline(__always)
  init(header: UnsafeMutablePointer<BlockHeader>, words: UnsafeMutableRawPointer) {
    let capacity = Int(header.pointee.capacity)
    self.header = header
    nodes = words.assumingMemoryBound(to: Node.self)
    let afterNodes = words + capacity &* MemoryLayout<Node>.stride
    ends = afterNodes.assumingMemoryBound(to: UInt16.self)
    keys = afterNodes + capacity &* 2
  }

  @inline(__always)
  var count: Int { Int(header.pointee.count) }
  @inline(__always)
  var isLeaf: Bool { header.pointee.height == 0 }
  /// How many bytes the keys take.
  @inline(__always)
  var keyBytes: Int { keyStart(count) }

  @inline(__always)
  private func keyStart(_ index: Int) -> Int {
    index == 0 ? 0 : Int(ends[index &- 1])
  }

  @inline(__always)
  func key(_ index: Int) -> UnsafeRawBufferPointer {
    let start = keyStart(index)
    return UnsafeRawBufferPointer(start: keys + start, count: Int(ends[index]) &- start)
  }

  /// The block below, of an entry of a higher block.
  @inline(__always)
  func child(_ index: Int) -> Block {
    guard case .object(let block) = nodes[index].content else { preconditionFailure("not a higher block") }
    return block
  }

  /// True if there is room for more entries and bytes of keys.
  @inline(__always)
  func hasRoom(entries: Int, keyBytes extra: Int) -> Bool {
    count &+ entries <= Int(header.pointee.capacity) && keyBytes &+ extra <= Int(header.pointee.keyCapacity)
  }

  // MARK: Searching

  /// The first entry whose key is not below the probe, and whether it is the probe.
  @inline(__always)
  func lowerBound(_ probe: Probe) -> (index: Int, found: Bool) {
    let integers = Int(header.pointee.integers)
    var low = probe.integer == nil ? integers : 0
    var high = probe.integer == nil ? count : integers
    while low < high {
      let middle = (low &+ high) &>> 1
      switch order(middle, probe) {
      case .less: low = middle &+ 1
      case .equal: return (middle, true)
      case .greater: high = middle
      }
    }
    return (low, false)
  }

  /// The entry of a higher block below which the probe belongs.
  @inline(__always)
  func childIndex(_ probe: Probe) -> Int {
    let integers = Int(header.pointee.integers)
    var low = probe.integer == nil ? integers : 1
    var high = probe.integer == nil ? count : integers
    while low < high {
      let middle = (low &+ high) &>> 1
      if order(middle, probe) == .greater { high = middle } else { low = middle &+ 1 }
    }
    return low &- 1
  }

  /// How an entry's key stands to a probe of the same class.
  @inline(__always)
  private func order(_ index: Int, _ probe: Probe) -> Order {
    let key = key(index)
    guard let integer = probe.integer else { return ByteOrder.text(key, probe.bytes) }
    let value = ByteOrder.integer(key) ?? integer
    if value != integer { return value < integer ? .less : .greater }
    return Order(key.count, probe.bytes.count).then(ByteOrder.text(key, probe.bytes))
  }

  // MARK: Entries

  /// Adds an entry, for which there must be room, at the end or before another.
  func insert(_ node: consuming Node, key: UnsafeRawBufferPointer, at index: Int) {
    let count = count
    let start = keyStart(index)
    let end = keyBytes
    (nodes + (index &+ 1)).moveInitialize(from: nodes + index, count: count &- index)
    (nodes + index).initialize(to: node)
    if index < count {
      (keys + (start &+ key.count)).copyMemory(from: keys + start, byteCount: end &- start)
      for i in stride(from: count, to: index, by: -1) { ends[i] = ends[i &- 1] &+ UInt16(key.count) }
    }
    if let bytes = key.baseAddress { (keys + start).copyMemory(from: bytes, byteCount: key.count) }
    ends[index] = UInt16(start &+ key.count)
    header.pointee.count &+= 1
    if isInteger(index, key) { header.pointee.integers &+= 1 }
  }

  /// Adds an entry to a leaf at the end.
  @inline(__always)
  func append(_ node: consuming Node, key: UnsafeRawBufferPointer) {
    let count = count
    let start = keyBytes
    (nodes + count).initialize(to: node)
    if let bytes = key.baseAddress { (keys + start).copyMemory(from: bytes, byteCount: key.count) }
    ends[count] = UInt16(truncatingIfNeeded: start &+ key.count)
    header.pointee.count &+= 1
    if Int(header.pointee.integers) == count, ByteOrder.integer(key) != nil { header.pointee.integers &+= 1 }
  }

  /// True for keys that count among `integers`.
  private func isInteger(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
    if !isLeaf, index == 0 { return true }
    return ByteOrder.integer(key) != nil
  }

  /// Takes an entry out.
  @discardableResult
  func remove(_ index: Int) -> Node {
    let count = count
    let start = keyStart(index)
    let length = Int(ends[index]) &- start
    if index < Int(header.pointee.integers) { header.pointee.integers &-= 1 }
    let node = (nodes + index).move()
    (nodes + index).moveInitialize(from: nodes + (index &+ 1), count: count &- index &- 1)
    (keys + start).copyMemory(from: keys + (start &+ length), byteCount: keyBytes &- start &- length)
    for i in index..<(count &- 1) { ends[i] = ends[i &+ 1] &- UInt16(length) }
    header.pointee.count &-= 1
    if !isLeaf, index == 0, self.count > 0 { clearFirstKey() }
    return node
  }

  /// Makes the key of a higher block's entry 0 empty, after another entry came to be the first.
  func clearFirstKey() {
    let length = Int(ends[0])
    let integers = Int(header.pointee.integers)
    if length > 0 {
      keys.copyMemory(from: keys + length, byteCount: keyBytes &- length)
      for i in 0..<count { ends[i] &-= UInt16(length) }
    }
    header.pointee.integers = UInt16(max(integers, 1))
  }

  /// Takes the entries from `index` on to the end of another block, which must have room.
  func moveTail(from index: Int, to other: BlockParts) {
    other.append(self, index..<count, moving: true)
    header.pointee.count = UInt16(index)
    header.pointee.integers = min(header.pointee.integers, UInt16(index))
  }

  /// Adds some of another block's entries at the end; `moving` leaves their nodes there uninitialized.
  func append(_ other: BlockParts, _ range: Range<Int>, moving: Bool) {
    guard !range.isEmpty else { return }
    let count = count
    let end = keyBytes
    let start = other.keyStart(range.lowerBound)
    let length = Int(other.ends[range.upperBound &- 1]) &- start
    if moving {
      (nodes + count).moveInitialize(from: other.nodes + range.lowerBound, count: range.count)
    } else {
      // One by one, as in `deinit`.
      for i in 0..<range.count { (nodes + (count &+ i)).initialize(to: other.nodes[range.lowerBound &+ i]) }
    }
    (keys + end).copyMemory(from: other.keys + start, byteCount: length)
    for (i, j) in range.enumerated() { ends[count &+ i] = UInt16(Int(other.ends[j]) &- start &+ end) }
    header.pointee.count &+= UInt16(range.count)
    let integers = Int(other.header.pointee.integers)
    header.pointee.integers &+= UInt16(max(0, min(integers, range.upperBound) &- range.lowerBound))
  }

  /// Counts the children below again.
  func countTotal() {
    var total = 0
    if isLeaf {
      total = count
    } else {
      for i in 0..<count { total &+= child(i).total }
    }
    header.pointee.total = UInt32(total)
  }
}

import JSONTree

/// Index entries in ascending order, where one more costs the same among a hundred and among a million.
///
///     chunks   [ e e e e ] [ e e ] [ e e e ] …     each 1 to 256 entries of 40 bytes
///
/// A search halves first over the chunks, then inside one; a change moves entries of one chunk only. Chunks
/// that fill at either end of the order stay full, so that ever rising (or falling) values waste no memory.
struct SortedEntries: Sendable {
  typealias Chunk = ContiguousArray<IndexEntry>

  /// The first entry at or after some place; its chunk is `chunks.count` past the last one.
  struct Position {
    var chunk: Int
    var offset: Int
  }

  static let chunkCapacity = 256
  /// A chunk that falls below this joins a neighbour if both together leave some room.
  private static let chunkMinimum = 64
  private static let growth = 32

  private(set) var chunks: ContiguousArray<Chunk> = []
  private(set) var count = 0

  init() {}

  /// Entries that are in order already.
  init(ascending entries: some Sequence<IndexEntry>) {
    var chunk = Chunk()
    for entry in entries {
      if chunk.isEmpty { chunk.reserveCapacity(Self.chunkCapacity) }
      chunk.append(entry)
      count += 1
      if chunk.count == Self.chunkCapacity {
        chunks.append(chunk)
        chunk = []
      }
    }
    if !chunk.isEmpty { chunks.append(chunk) }
  }

  /// The first entry for which `isBefore` is false; it must be true for all entries up to some place and for
  /// none after.
  @inline(__always)
  func position(after isBefore: (IndexEntry) -> Bool) -> Position {
    let chunk = Self.partition(chunks.count) { isBefore(chunks[$0][chunks[$0].count - 1]) }
    guard chunk < chunks.count else { return Position(chunk: chunk, offset: 0) }
    let offset = chunks[chunk].withUnsafeBufferPointer { entries in
      Self.partition(entries.count) { isBefore(entries[$0]) }
    }
    return Position(chunk: chunk, offset: offset)
  }

  /// The place of the first entry that stands after the cut.
  func position(of cut: Cut?) -> Position {
    guard let cut else { return Position(chunk: 0, offset: 0) }
    return position { cut.isAbove($0) }
  }

  private func position(of entry: IndexEntry) -> Position {
    position { IndexEntry.order($0, entry) == .less }
  }

  private func holds(_ entry: IndexEntry, at position: Position) -> Bool {
    guard position.chunk < chunks.count else { return false }
    return IndexEntry.order(chunks[position.chunk][position.offset], entry) == .equal
  }

  /// Adds an entry unless it is there.
  mutating func insert(_ entry: IndexEntry) {
    var position = position(of: entry)
    if holds(entry, at: position) { return }
    count += 1
    if chunks.isEmpty {
      chunks.append([entry])
      return
    }
    if position.chunk == chunks.count {
      position = Position(chunk: chunks.count - 1, offset: chunks[chunks.count - 1].count)
    }
    if chunks[position.chunk].count == Self.chunkCapacity, split(for: entry, at: &position) { return }
    let chunk = chunks[position.chunk]
    if chunk.count == chunk.capacity {
      let capacity = min(chunk.count + Self.growth, Self.chunkCapacity)
      chunks[position.chunk].reserveCapacity(capacity)
    }
    chunks[position.chunk].insert(entry, at: position.offset)
  }

  /// Makes room in a full chunk; true if the entry has become a chunk of its own at an end of the order.
  private mutating func split(for entry: IndexEntry, at position: inout Position) -> Bool {
    if position.chunk == chunks.count - 1, position.offset == Self.chunkCapacity {
      chunks.append([entry])
      return true
    }
    if position.chunk == 0, position.offset == 0 {
      chunks.insert([entry], at: 0)
      return true
    }
    let half = Self.chunkCapacity / 2
    let left = Chunk(chunks[position.chunk].prefix(half))
    let right = Chunk(chunks[position.chunk].suffix(from: half))
    chunks[position.chunk] = left
    chunks.insert(right, at: position.chunk + 1)
    if position.offset > half {
      position.chunk += 1
      position.offset -= half
    }
    return false
  }

  /// Takes an entry out if it is there.
  mutating func remove(_ entry: IndexEntry) {
    let position = position(of: entry)
    guard holds(entry, at: position) else { return }
    count -= 1
    chunks[position.chunk].remove(at: position.offset)
    let left = chunks[position.chunk].count
    if left == 0 {
      chunks.remove(at: position.chunk)
    } else if left < Self.chunkMinimum {
      join(position.chunk)
    }
  }

  /// Joins a small chunk with a neighbour that has room.
  private mutating func join(_ chunk: Int) {
    let limit = Self.chunkCapacity - Self.chunkMinimum
    for first in [chunk - 1, chunk] where first >= 0 && first + 1 < chunks.count {
      guard chunks[first].count + chunks[first + 1].count <= limit else { continue }
      let right = chunks.remove(at: first + 1)
      chunks[first].append(contentsOf: right)
      return
    }
  }

  /// Calls `body` with the entries from a position upwards until it returns false.
  ///
  /// Returns false if it did.
  func walkUp(from position: Position, _ body: (IndexEntry) -> Bool) -> Bool {
    var offset = position.offset
    for chunk in chunks.dropFirst(position.chunk) {
      for entry in chunk.dropFirst(offset) where !body(entry) { return false }
      offset = 0
    }
    return true
  }

  /// Calls `body` with the entries before a position downwards until it returns false.
  ///
  /// Returns false if it did.
  func walkDown(from position: Position, _ body: (IndexEntry) -> Bool) -> Bool {
    if position.chunk < chunks.count {
      for entry in chunks[position.chunk].prefix(position.offset).reversed() where !body(entry) {
        return false
      }
    }
    for chunk in chunks.prefix(position.chunk).reversed() {
      for entry in chunk.reversed() where !body(entry) { return false }
    }
    return true
  }

  /// The first of `count` numbers for which `isBefore` is false.
  @inline(__always)
  private static func partition(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) &>> 1
      if isBefore(middle) { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}

package import JSONTree

/// The places of some puts, to see whether another one lies at, above or below one of them.
///
/// It knows places by their hashes: two that hash alike are taken for overlapping, which costs time and
/// nothing else.
package struct PutPlaces {
  private static let put: UInt8 = 1
  private static let above: UInt8 = 2

  /// An open table: a hash (never 0) and what it marks.
  private var hashes: [UInt64] = []
  private var marks: [UInt8] = []
  private var count = 0

  package init() {}

  /// Whether a put of the path would touch anything that another one has put.
  package func overlap(_ path: Path) -> Bool {
    if count == 0 { return false }
    var hash = PlaceHash()
    if mark(hash) & Self.put != 0 { return true }
    var last = mark(hash)
    for key in path.keys {
      hash.descend(key)
      last = mark(hash)
      if last & Self.put != 0 { return true }
    }
    return last != 0
  }

  /// Takes another place in.
  package mutating func insert(_ path: Path) {
    var hash = PlaceHash()
    for key in path.keys {
      add(hash, Self.above)
      hash.descend(key)
    }
    add(hash, Self.put)
  }

  private func mark(_ hash: PlaceHash) -> UInt8 {
    marks[slot(of: hash.value)]
  }

  /// Where a hash stands, or would.
  private func slot(of hash: UInt64) -> Int {
    let mask = hashes.count &- 1
    // The upper bits depend on every byte of every key.
    var slot = Int(truncatingIfNeeded: hash &>> UInt64(64 &- mask.nonzeroBitCount))
    while hashes[slot] != 0, hashes[slot] != hash { slot = (slot &+ 1) & mask }
    return slot
  }

  private mutating func add(_ hash: PlaceHash, _ mark: UInt8) {
    if (count + 1) * 2 > hashes.count { grow() }
    let slot = slot(of: hash.value)
    if hashes[slot] == 0 {
      hashes[slot] = hash.value
      count += 1
    }
    marks[slot] |= mark
  }

  /// How many places of the table the search for one of its hashes looks at, at most. For tests.
  package var longestSearch: Int {
    let mask = hashes.count - 1
    return hashes.indices.reduce(0) { longest, place in
      let home = Int(truncatingIfNeeded: hashes[place] >> UInt64(64 - mask.nonzeroBitCount))
      return hashes[place] == 0 ? longest : max(longest, (place - home) & mask + 1)
    }
  }

  private mutating func grow() {
    let old = (hashes, marks)
    hashes = [UInt64](repeating: 0, count: max(64, old.0.count * 2))
    marks = [UInt8](repeating: 0, count: hashes.count)
    for (hash, mark) in zip(old.0, old.1) where hash != 0 {
      let slot = slot(of: hash)
      hashes[slot] = hash
      marks[slot] = mark
    }
  }
}

/// The hash of a place, worked out from the root down.
private struct PlaceHash {
  /// Of this process alone, so that nobody can choose keys whose places stand together in the table.
  private static let root = UInt64.random(in: 1 ... .max)

  private(set) var value = root

  mutating func descend(_ key: ChildKey) {
    var hash = value
    key.forEachWord { word in
      hash = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
      hash ^= hash &>> 32
    }
    value = hash == 0 ? 1 : hash
  }
}

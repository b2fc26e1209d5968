import JSONTree

/// Sorts the entries of a location's children, which come by key, for an index that is built at once.
///
/// Kinds of values are told apart while collecting. Numbers and strings are then sorted by 64 bits of each,
/// so that a million of them take a fraction of a second; entries of equal values stay by key.
struct EntrySorter {
  private var falses: ContiguousArray<IndexEntry> = []
  private var trues: ContiguousArray<IndexEntry> = []
  private var numbers: ContiguousArray<IndexEntry> = []
  private var strings: ContiguousArray<IndexEntry> = []
  private var objects: ContiguousArray<IndexEntry> = []

  /// Adds an entry whose value is not null and whose key sorts after the last one's.
  mutating func append(_ entry: IndexEntry) {
    let value = entry.value
    if value.isNumber {
      numbers.append(entry)
    } else if value.isString {
      strings.append(entry)
    } else if let bool = value.bool {
      if bool { trues.append(entry) } else { falses.append(entry) }
    } else {
      objects.append(entry)
    }
  }

  /// All entries in the order of the index.
  consuming func sorted() -> ContiguousArray<IndexEntry> {
    var all = falses
    all.reserveCapacity(falses.count + trues.count + numbers.count + strings.count + objects.count)
    all.append(contentsOf: trues)
    for item in numberOrder() { all.append(numbers[item.ordinal]) }
    for item in stringOrder() { all.append(strings[item.ordinal]) }
    all.append(contentsOf: objects)
    return all
  }

  private func numberOrder() -> ContiguousArray<SortItem> {
    var items = ContiguousArray<SortItem>()
    items.reserveCapacity(numbers.count)
    for entry in numbers {
      items.append(SortItem(prefix: Self.prefix(entry.value.double ?? 0), ordinal: items.count))
    }
    items.sortByPrefix()
    // Beyond 2^53 integers that differ can round to one double.
    items.mendRuns { run in
      guard abs(numbers[run[0].ordinal].value.double ?? 0) >= 0x1p53 else { return }
      run.sort { precedes($0, $1, in: numbers) }
    }
    return items
  }

  private func stringOrder() -> ContiguousArray<SortItem> {
    var items = ContiguousArray((0..<strings.count).map { SortItem(prefix: 0, ordinal: $0) })
    sortStrings(&items, from: 0, levels: 4)
    return items
  }

  /// Sorts strings that share their first bytes by the eight bytes after all that they share, and those that
  /// share these again, as far as `levels` go.
  private func sortStrings(_ items: inout ContiguousArray<SortItem>, from start: Int, levels: Int) {
    guard let first = items.first else { return }
    var shared = Int.max
    var longest = 0
    for item in items {
      shared = min(
        shared, sharedBytes(strings[first.ordinal].value, strings[item.ordinal].value, from: start))
      longest = max(longest, strings[item.ordinal].value.withStringUTF8 { $0.count } ?? 0)
    }
    if shared == longest { return }
    for i in items.indices {
      items[i].prefix = strings[items[i].ordinal].value.withStringUTF8 { Self.prefix($0, from: shared) } ?? 0
    }
    items.sortByPrefix()
    items.mendRuns { run in
      if levels == 0 || run.count < 16 {
        run.sort { precedes($0, $1, in: strings) }
      } else {
        sortStrings(&run, from: shared, levels: levels - 1)
      }
    }
  }

  private func precedes(_ a: SortItem, _ b: SortItem, in entries: ContiguousArray<IndexEntry>) -> Bool {
    let order = Node.indexOrder(entries[a.ordinal].value, entries[b.ordinal].value)
    return order.then(Order(a.ordinal, b.ordinal)) == .less
  }

  /// How many bytes two strings share from the start, of which `start` are known to be.
  private func sharedBytes(_ a: Node, _ b: Node, from start: Int) -> Int {
    let shared = a.withStringUTF8 { x in
      b.withStringUTF8 { y in
        let end = min(x.count, y.count)
        var i = min(start, end)
        while i < end, x[i] == y[i] { i &+= 1 }
        return i
      }
    }
    return (shared ?? 0) ?? 0
  }

  /// A number's bits, arranged so that they sort like the number.
  private static func prefix(_ number: Double) -> UInt64 {
    let bits = number.bitPattern
    let sign: UInt64 = 1 << 63
    return bits & sign == 0 ? bits | sign : ~bits
  }

  /// Eight bytes of a string, arranged so that they sort like its UTF-16 code units.
  ///
  /// Lead bytes F0 and up begin a surrogate pair, which sorts before U+E000…U+FFFF (lead bytes EE and EF).
  private static func prefix(_ text: UnsafeRawBufferPointer, from start: Int) -> UInt64 {
    var prefix: UInt64 = 0
    for i in start..<start + 8 {
      var byte = i < text.count ? text[i] : 0
      if byte >= 0xF0 { byte -= 2 } else if byte >= 0xEE { byte += 5 }
      prefix = prefix &<< 8 | UInt64(byte)
    }
    return prefix
  }
}

/// An entry while it is sorted: 64 bits of its value, and its position among those collected.
struct SortItem {
  var prefix: UInt64
  var ordinal: Int
}

extension ContiguousArray<SortItem> {
  /// Sorts by prefix, and keeps the order of equal ones.
  ///
  /// Large arrays go byte by byte from the last, without comparing; bytes that are the same in all are
  /// skipped.
  mutating func sortByPrefix() {
    if count < 256 {
      sort { $0.prefix != $1.prefix ? $0.prefix < $1.prefix : $0.ordinal < $1.ordinal }
      return
    }
    var counts = [Int](repeating: 0, count: 8 * 256)
    for item in self {
      for byte in 0..<8 { counts[byte &* 256 &+ item.byte(byte)] &+= 1 }
    }
    var other = self
    for byte in 0..<8 {
      let ofByte = counts[byte * 256..<byte * 256 + 256]
      if ofByte.contains(count) { continue }
      var next = 0
      var places = ofByte.map { count in
        defer { next += count }
        return next
      }
      for item in self {
        other[places[item.byte(byte)]] = item
        places[item.byte(byte)] &+= 1
      }
      swap(&self, &other)
    }
  }

  /// Lets `sort` bring runs of equal prefixes into their order.
  mutating func mendRuns(sort: (inout ContiguousArray<SortItem>) -> Void) {
    var start = 0
    while start < count {
      var end = start + 1
      while end < count, self[end].prefix == self[start].prefix { end += 1 }
      if end - start > 1 {
        var run = ContiguousArray(self[start..<end])
        sort(&run)
        replaceSubrange(start..<end, with: run)
      }
      start = end
    }
  }
}

extension SortItem {
  /// A byte of the prefix, counted from the last.
  @inline(__always)
  fileprivate func byte(_ index: Int) -> Int {
    Int(truncatingIfNeeded: prefix &>> UInt64(index &* 8)) & 0xFF
  }
}

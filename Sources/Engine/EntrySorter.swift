import JSONTree

/// Sorts the entries of a location's children, which come by key, for an index that is built at once.
///
/// Kinds of values are told apart while collecting, and numbers and strings are sorted by a 64-bit prefix
/// that decides nearly every comparison without touching the entry.
struct EntrySorter {
  private struct Item {
    var prefix: UInt64
    /// The position among the entries of its kind; those of equal values are in key order already.
    var ordinal: Int
  }

  private var falses: ContiguousArray<IndexEntry> = []
  private var trues: ContiguousArray<IndexEntry> = []
  private var numbers: ContiguousArray<IndexEntry> = []
  private var strings: ContiguousArray<IndexEntry> = []
  private var objects: ContiguousArray<IndexEntry> = []
  private var numberItems: ContiguousArray<Item> = []
  private var stringItems: ContiguousArray<Item> = []

  /// Adds an entry whose value is not null and whose key sorts after the last one's.
  mutating func append(_ entry: IndexEntry) {
    let value = entry.value
    if let double = value.double {
      numberItems.append(Item(prefix: Self.prefix(double), ordinal: numbers.count))
      numbers.append(entry)
    } else if let prefix = value.withStringUTF8(Self.prefix) {
      stringItems.append(Item(prefix: prefix, ordinal: strings.count))
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
    for item in Self.sorted(numberItems, of: numbers) { all.append(numbers[item.ordinal]) }
    for item in Self.sorted(stringItems, of: strings) { all.append(strings[item.ordinal]) }
    all.append(contentsOf: objects)
    return all
  }

  private static func sorted(
    _ items: consuming ContiguousArray<Item>, of entries: ContiguousArray<IndexEntry>
  ) -> ContiguousArray<Item> {
    items.sort { a, b in
      if a.prefix != b.prefix { return a.prefix < b.prefix }
      let order = Node.indexOrder(entries[a.ordinal].value, entries[b.ordinal].value)
      return order.then(Order(a.ordinal, b.ordinal)) == .less
    }
    return items
  }

  /// A number's bits, arranged so that they sort like the number.
  private static func prefix(_ number: Double) -> UInt64 {
    let bits = number.bitPattern
    let sign: UInt64 = 1 << 63
    return bits & sign == 0 ? bits | sign : ~bits
  }

  /// A string's first eight bytes, arranged so that they sort like its UTF-16 code units.
  ///
  /// Lead bytes F0 and up begin a surrogate pair, which sorts before U+E000…U+FFFF (lead bytes EE and EF).
  private static func prefix(_ text: UnsafeRawBufferPointer) -> UInt64 {
    var prefix: UInt64 = 0
    for i in 0..<8 {
      var byte = i < text.count ? text[i] : 0
      if byte >= 0xF0 { byte -= 2 } else if byte >= 0xEE { byte += 5 }
      prefix = prefix &<< 8 | UInt64(byte)
    }
    return prefix
  }
}

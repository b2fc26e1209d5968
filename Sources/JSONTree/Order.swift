/// How the first of two things stands to the second.
package enum Order: Sendable, Hashable {
  case less, equal, greater

  /// The order of two comparable values.
  @inlinable
  package init<Value: Comparable>(_ a: Value, _ b: Value) {
    self = a < b ? .less : (a == b ? .equal : .greater)
  }

  /// The order of the two things the other way round.
  package var reversed: Order {
    switch self {
    case .less: .greater
    case .equal: .equal
    case .greater: .less
    }
  }

  /// This order, or for equals the one that `next` gives.
  package func then(_ next: @autoclosure () -> Order) -> Order {
    self == .equal ? next() : self
  }
}

/// Comparing keys and strings as bytes, in the order that clients use.
enum ByteOrder {
  /// Compares two UTF-8 texts by their UTF-16 code units.
  ///
  /// UTF-8 order is the same but for characters beyond U+FFFF (lead bytes F0 and up), which UTF-16 writes as
  /// surrogates and so sorts before U+E000…U+FFFF (lead bytes EE and EF).
  static func text(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Order {
    let shared = min(a.count, b.count)
    var i = 0
    while i &+ 8 <= shared {
      let difference =
        a.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
        ^ b.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
      if difference != 0 {
        i &+= difference.trailingZeroBitCount &>> 3
        return byte(a[i], b[i])
      }
      i &+= 8
    }
    while i < shared {
      if a[i] != b[i] { return byte(a[i], b[i]) }
      i &+= 1
    }
    return Order(a.count, b.count)
  }

  /// The order of the first bytes that differ.
  private static func byte(_ x: UInt8, _ y: UInt8) -> Order {
    if x >= 0xEE, y >= 0xEE, (x >= 0xF0) != (y >= 0xF0) { return x >= 0xF0 ? .less : .greater }
    return x < y ? .less : .greater
  }

  /// Compares two keys: integer-like keys first, by value and then by length, all others by UTF-16 code
  /// units.
  static func keys(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Order {
    switch (integer(a), integer(b)) {
    case (nil, nil): text(a, b)
    case (.some, nil): .less
    case (nil, .some): .greater
    case (.some(let x), .some(let y)):
      Order(x, y).then(Order(a.count, b.count)).then(text(a, b))
    }
  }

  /// The value of an integer-like key: an optional minus, any zeros, one to ten digits, within 32 bits
  /// signed.
  static func integer(_ key: UnsafeRawBufferPointer) -> Int32? {
    guard let first = key.first, first <= 0x39, first >= 0x30 || first == 0x2D else { return nil }
    let negative = first == 0x2D
    var i = negative ? 1 : 0
    guard i < key.count else { return nil }
    var value: Int64 = 0
    var digits = 0
    while i < key.count {
      let digit = key[i] &- 0x30
      guard digit <= 9 else { return nil }
      if value != 0 || digit != 0 { digits &+= 1 }
      guard digits <= 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
      i &+= 1
    }
    return Int32(exactly: negative ? -value : value)
  }
}

/// Bytes that grow at their end, without a check for sharing on every append.
struct ByteWriter: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 1024) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 8)
  }

  deinit {
    base.deallocate()
  }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base, count: count)
  }

  mutating func removeAll() {
    count = 0
  }

  /// Makes sure that `extra` bytes can be written.
  @inline(__always)
  mutating func reserve(_ extra: Int) {
    if capacity &- count < extra { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    let larger = max(capacity * 2, count + extra)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
    fresh.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = fresh
    capacity = larger
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    reserve(1)
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  @inline(__always)
  mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  mutating func append(_ more: UnsafeRawBufferPointer) {
    reserve(more.count)
    guard let source = more.baseAddress else { return }
    (base + count).copyMemory(from: source, byteCount: more.count)
    count &+= more.count
  }

  @inline(__always)
  mutating func append(_ value: Int64) {
    reserve(NumberText.integerCapacity)
    count &+= NumberText.write(value, to: base + count)
  }

  mutating func append(_ value: Double) {
    NumberText.withText(value) { append($0) }
  }

  /// Appends a JSON string: quotes around, quotes, backslashes and controls escaped.
  @inline(__always)
  mutating func appendString(_ text: UnsafeRawBufferPointer) {
    reserve(text.count &+ 2)
    append(UInt8(ascii: "\""))
    var start = 0
    var i = ByteWriter.endOfUnescaped(text, from: 0)
    while i < text.count {
      append(UnsafeRawBufferPointer(rebasing: text[start..<i]))
      appendEscape(text[i])
      start = i + 1
      i = ByteWriter.endOfUnescaped(text, from: start)
    }
    append(UnsafeRawBufferPointer(rebasing: text[start...]))
    append(UInt8(ascii: "\""))
  }

  /// The first byte from `start` on that must be escaped, or the end.
  @inline(__always)
  static func endOfUnescaped(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var i = start
    while i &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5C)
      let controls = (word &- ones &* 0x20) & ~word
      let marks = ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | controls) & tops
      if marks != 0 { return i &+ marks.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < bytes.count {
      let byte = bytes[i]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { return i }
      i &+= 1
    }
    return i
  }

  private mutating func appendEscape(_ byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    case 0..<0x20:
      append("u00")
      append(Hex.digit(byte >> 4))
      append(Hex.digit(byte & 15))
    default: append(byte)
    }
  }
}

enum Hex {
  /// The lower-case digit of a number below 16.
  static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x57 + value
  }
}

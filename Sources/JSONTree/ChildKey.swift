/// The name of a child in its object.
///
/// Comparing two keys gives the order in which every client shows them: integer-like keys first, by value,
/// then all others by UTF-16 code units. Keys of up to 22 bytes need no memory of their own.
package struct ChildKey: Hashable, Sendable {
  /// Up to 22 bytes, zeros after them, so that equal keys are equal words.
  private struct Inline: Hashable {
    var a: UInt64 = 0
    var b: UInt64 = 0
    var c: UInt32 = 0
    var d: UInt16 = 0
    var count: UInt8 = 0

    static let capacity = 22

    /// The last of the three words that all of it makes.
    var rest: UInt64 { UInt64(c) << 32 | UInt64(d) << 16 | UInt64(count) }

    @inline(__always)
    func hash(into hasher: inout Hasher) {
      // Three whole words are taken faster than five fields.
      hasher.combine(a)
      hasher.combine(b)
      hasher.combine(rest)
    }
  }

  private enum Storage: Hashable {
    case inline(Inline)
    case heap(ContiguousArray<UInt8>)
  }

  private let storage: Storage

  /// A key that a client sent.
  package init(_ text: String) throws(PathError) {
    var text = text
    let key: Result<ChildKey, PathError> = text.withUTF8 { utf8 in
      do throws(PathError) {
        return .success(try ChildKey(utf8: UnsafeRawBufferPointer(utf8)))
      } catch {
        return .failure(error)
      }
    }
    self = try key.get()
  }

  /// A key that a client sent, as UTF-8.
  package init(utf8: UnsafeRawBufferPointer) throws(PathError) {
    if let reason = ChildKey.fault(in: utf8) { throw PathError(reason) }
    self.init(trusted: utf8)
  }

  /// A key that need not be legal, such as the bound of a query; it can be compared, never stored.
  package init(unchecked text: String) {
    var text = text
    self = text.withUTF8 { ChildKey(trusted: UnsafeRawBufferPointer($0)) }
  }

  /// A key whose bytes are known to be legal.
  init(trusted bytes: UnsafeRawBufferPointer) {
    if bytes.count <= Inline.capacity {
      var inline = Inline()
      withUnsafeMutableBytes(of: &inline) { $0.copyMemory(from: bytes) }
      inline.count = UInt8(truncatingIfNeeded: bytes.count)
      storage = .inline(inline)
    } else {
      storage = .heap(ContiguousArray(bytes))
    }
  }

  /// The key of an array's element.
  package init(index: Int32) {
    self.init(unchecked: String(index))
  }

  /// Calls `body` with the key's UTF-8 bytes, which are valid until it returns.
  package func withUTF8<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch storage {
    case .inline(let inline):
      try withUnsafeBytes(of: inline) { try body(UnsafeRawBufferPointer(rebasing: $0[..<Int(inline.count)])) }
    case .heap(let bytes):
      try bytes.withUnsafeBytes(body)
    }
  }

  /// The key as words, the same for equal keys, to make a hash of.
  package func forEachWord(_ body: (UInt64) -> Void) {
    switch storage {
    case .inline(let inline):
      body(inline.a)
      body(inline.b)
      body(inline.rest)
    case .heap(let bytes):
      body(UInt64(truncatingIfNeeded: bytes.hashValue))
    }
  }

  /// How many bytes of UTF-8 the key has.
  package var utf8Count: Int {
    switch storage {
    case .inline(let inline): Int(inline.count)
    case .heap(let bytes): bytes.count
    }
  }

  /// The key as text.
  package var text: String {
    withUTF8 { String(decoding: $0, as: UTF8.self) }
  }

  /// The value of an integer-like key: those sort before all others.
  package var integer: Int32? {
    withUTF8(ByteOrder.integer)
  }

  /// What is wrong with a key, if anything.
  static func fault(in bytes: UnsafeRawBufferPointer) -> PathError.Reason? {
    if bytes.isEmpty { return .emptyKey }
    if bytes.count > Limits.standard.keyBytes { return .keyTooLong }
    var i = 0
    while i < bytes.count {
      let byte = bytes[i]
      if isForbidden(byte) { return .invalidToken }
      guard let length = UTF8Text.characterLength(bytes, at: i) else { return .invalidToken }
      i &+= length
    }
    return nil
  }

  /// True for the bytes that no key holds: controls, DEL and `. # $ / [ ]`.
  @inline(__always)
  static func isForbidden(_ byte: UInt8) -> Bool {
    if byte >= 0x80 { return false }
    let low: UInt64 = 0xFFFF_FFFF | 1 << 0x23 | 1 << 0x24 | 1 << 0x2E | 1 << 0x2F
    let high: UInt64 = 1 << 0x1B | 1 << 0x1D | 1 << 0x3F
    return (byte < 0x40 ? low : high) &>> UInt64(byte & 0x3F) & 1 != 0
  }
}

extension ChildKey: Comparable {
  /// True if `a` stands before `b` in an object.
  package static func < (a: ChildKey, b: ChildKey) -> Bool {
    order(a, b) == .less
  }

  /// How two keys stand to each other.
  package static func order(_ a: ChildKey, _ b: ChildKey) -> Order {
    a.withUTF8 { x in b.withUTF8 { y in ByteOrder.keys(x, y) } }
  }
}

extension ChildKey: CustomStringConvertible {
  package var description: String { text }
}

/// One immutable JSON value with its priority: a leaf, an object with at least one child, or null.
///
/// Copies share their parts, and a change copies only the way to it. Equal content is always represented
/// equally: numbers that are whole and fit 64 bits are integers, and minus zero is zero.
package struct Node: Sendable {
  // Invariant: a block is changed only by its sole owner, which every edit makes sure of first
  // (`isKnownUniquelyReferenced`, else a copy), so what two threads hold never changes. The compiler can't
  // check it: `ManagedBuffer`, the only tail-allocated storage there is, declares `Sendable` unavailable.
  /// What a node holds, in 16 bytes.
  enum Content: @unchecked Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case short(ShortString)
    case long(ContiguousArray<UInt8>)
    case object(Block)
    /// A leaf or an object that has a priority; never nested, never around null.
    indirect case prioritized(Content, priority: Content)
  }

  var content: Content

  @inline(__always)
  init(content: Content) {
    self.content = content
  }

  /// The absence of a value.
  package static var null: Node { Node(content: .null) }

  /// A boolean.
  package init(_ value: Bool) {
    content = .bool(value)
  }

  /// A whole number.
  package init(_ value: Int64) {
    content = .integer(value)
  }

  /// A string, which is not checked for its length.
  package init(_ value: String) {
    var value = value
    self = value.withUTF8 { Node(utf8: UnsafeRawBufferPointer($0)) }
  }

  /// A key as a string.
  package init(key: ChildKey) {
    self = key.withUTF8 { Node(utf8: $0) }
  }

  /// A string whose bytes are known to be UTF-8.
  init(utf8 bytes: UnsafeRawBufferPointer) {
    if bytes.count <= ShortString.capacity {
      content = .short(ShortString(bytes))
    } else {
      content = .long(ContiguousArray(bytes))
    }
  }

  /// A number, which must be finite.
  package init(number: Double) {
    precondition(number.isFinite, "numbers are finite")
    if let integer = Int64(exactly: number) {
      content = .integer(integer)
    } else {
      content = .double(number)
    }
  }

  /// An object of these children in any order; nulls are dropped and the last of equal keys wins.
  ///
  /// Children whose key is longer than `Limits.keyBytes` are left out; other keys are taken as they are.
  package init(children: some Sequence<(ChildKey, Node)>) {
    self = Block.node(of: children)
  }
}

/// A string of up to 14 bytes, inside its node.
struct ShortString: Hashable, Sendable {
  private var a: UInt64 = 0
  private var b: UInt32 = 0
  private var c: UInt16 = 0
  private(set) var count: UInt8 = 0

  static let capacity = 14

  init(_ bytes: UnsafeRawBufferPointer) {
    withUnsafeMutableBytes(of: &self) { $0.copyMemory(from: bytes) }
    count = UInt8(truncatingIfNeeded: bytes.count)
  }

  @inline(__always)
  func withUTF8<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: self) { try body(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])) }
  }
}

extension Node {
  /// What a node is, for callers that handle every case.
  package enum Kind: Sendable, Hashable {
    case null, bool(Bool), integer(Int64), double(Double), string(String), object
  }

  /// What the node is; strings are copied.
  package var kind: Kind {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .double(let value): .double(value)
    case .short(let text): .string(text.withUTF8 { String(decoding: $0, as: UTF8.self) })
    case .long(let bytes): .string(String(decoding: bytes, as: UTF8.self))
    case .object, .prioritized: .object
    }
  }

  /// The content without its priority.
  @inline(__always)
  var value: Content {
    if case .prioritized(let value, _) = content { return value }
    return content
  }

  /// True for the absence of a value.
  package var isNull: Bool {
    if case .null = content { return true }
    return false
  }

  /// True if the node has children.
  package var isObject: Bool {
    switch content {
    case .object, .prioritized(.object, _): true
    default: false
    }
  }

  /// True for a boolean, a number or a string.
  package var isLeaf: Bool { !isNull && !isObject }

  /// The boolean, if it is one.
  package var bool: Bool? {
    if case .bool(let value) = value { return value }
    return nil
  }

  /// The number, exactly or the nearest double.
  package var double: Double? {
    switch value {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The number if it is whole and fits.
  package var integer: Int64? {
    if case .integer(let value) = value { return value }
    return nil
  }

  /// True for integers and doubles.
  package var isNumber: Bool {
    switch value {
    case .integer, .double: true
    default: false
    }
  }

  /// True for strings.
  package var isString: Bool {
    switch content {
    case .short, .long, .prioritized(.short, _), .prioritized(.long, _): true
    default: false
    }
  }

  /// The string, if it is one.
  package var string: String? {
    withStringUTF8 { String(decoding: $0, as: UTF8.self) }
  }

  /// Calls `body` with the bytes of a string, which are valid until it returns; nil if this is no string.
  package func withStringUTF8<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
    try value.withStringUTF8(body)
  }

  /// The children's storage of an object.
  @inline(__always)
  var block: Block? {
    if case .object(let block) = value { return block }
    return nil
  }
}

extension Node.Content {
  @inline(__always)
  func withStringUTF8<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
    switch self {
    case .short(let text): try text.withUTF8(body)
    case .long(let bytes): try bytes.withUnsafeBytes(body)
    default: nil
    }
  }
}

extension Node: CustomStringConvertible {
  package var description: String { text(.export) }
}

import JSONTree

/// Where a row's object is in the tree: its keys with the unit separator between them, which is below every
/// byte
/// that a key can have. So rows sort as the tree is walked, and what lies below an object is one range of
/// rows.
struct RowPath {
  private(set) var bytes: [UInt8] = []
  private var ends: [Int] = []

  static let separator: UInt8 = 0x1f
  /// The block that holds an object's own priority; no key begins with a dot.
  static let priorityBlock = Array(".priority".utf8)

  /// One past the last path of this object and what lies below it; nil at the root, where that is
  /// everything.
  var limit: [UInt8]? {
    bytes.isEmpty ? nil : bytes + [Self.separator + 1]
  }

  mutating func push(_ key: ChildKey) {
    ends.append(bytes.count)
    if !bytes.isEmpty { bytes.append(Self.separator) }
    key.withUTF8 { bytes.append(contentsOf: $0) }
  }

  mutating func pop() {
    guard let end = ends.popLast() else { return }
    bytes.removeSubrange(end...)
  }

  /// For messages: keys with slashes between them.
  static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    "/" + String(decoding: bytes.map { $0 == separator ? UInt8(ascii: "/") : $0 }, as: UTF8.self)
  }
}

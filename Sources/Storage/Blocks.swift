import JSONTree

/// How an object's leaves are cut into blocks, one row each.
///
/// A child whose key hashes to a multiple of 32 begins a block, and the first block begins at the start; so
/// where
/// blocks begin depends on the keys alone, a change rewrites one block, and a block is short however wide
/// the object.
/// The salt keeps clients from choosing keys that all fall into one block.
struct Blocks {
  let salt: UInt64

  /// One block in 32 children, on average.
  private static let mask: UInt64 = 31

  func begins(_ key: ChildKey) -> Bool {
    var checksum = Checksum()
    checksum.combine(salt)
    key.withUTF8 { checksum.combine($0) }
    return checksum.value & Self.mask == 0
  }

  /// The key that begins the block in which `key` is or would be; nil for the first block.
  ///
  /// `known` is an earlier answer for a key before this one, so that keys asked for in order cost one walk
  /// together.
  func start(of key: ChildKey, in object: Node, known: (key: ChildKey, start: ChildKey?)?) -> ChildKey? {
    var start: ChildKey?
    object.forEachChildReversed(from: key) { child, _ in
      if let known, child <= known.key {
        start = known.start
        return false
      }
      guard begins(child) else { return true }
      start = child
      return false
    }
    return start
  }

  /// Replaces `text` by the leaves of a block as a JSON object; nothing if it has none.
  func write(from start: ChildKey?, of object: Node, into text: inout [UInt8]) {
    text.removeAll(keepingCapacity: true)
    func take(_ key: ChildKey, _ node: Node) -> Bool {
      if key != start && begins(key) { return false }
      if node.isLeaf { Self.append(key, node, to: &text) }
      return true
    }
    if let start {
      guard !object[start].isNull else { return }
      object.forEachChild(from: start, take)
    } else {
      object.forEachChild(take)
    }
    Self.finish(&text)
  }

  /// Calls `body` with each block that has leaves: the key that begins it and its text.
  func forEach(
    in object: Node, text: inout [UInt8], _ body: (ChildKey?, [UInt8]) throws -> Void
  ) rethrows {
    text.removeAll(keepingCapacity: true)
    var start: ChildKey?
    try object.forEachChild { key, node in
      if begins(key) {
        Self.finish(&text)
        if !text.isEmpty { try body(start, text) }
        text.removeAll(keepingCapacity: true)
        start = key
      }
      if node.isLeaf { Self.append(key, node, to: &text) }
      return true
    }
    Self.finish(&text)
    if !text.isEmpty { try body(start, text) }
  }

  private static func append(_ key: ChildKey, _ leaf: Node, to text: inout [UInt8]) {
    text.append(UInt8(ascii: text.isEmpty ? "{" : ","))
    key.withUTF8 { JSONText.appendString($0, to: &text) }
    text.append(UInt8(ascii: ":"))
    leaf.write(.export, into: &text)
  }

  private static func finish(_ text: inout [UInt8]) {
    if !text.isEmpty { text.append(UInt8(ascii: "}")) }
  }
}

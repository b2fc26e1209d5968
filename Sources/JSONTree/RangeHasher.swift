import Crypto

/// Hashes a value's leaves, stretch by stretch.
///
/// The text of a stretch is a list in brackets: entering a child writes `"key":(` and leaving it `)`, commas
/// stand between siblings, and a stretch that begins inside objects enters them first.
///
///     {a: {b: 1, c: true}}  →  ("a":("b":(number:3ff0000000000000),"c":(boolean:true)))
struct RangeHasher {
  private let posts: [CompoundHash.Post]
  private var hashes: [String] = []
  private var sha = Insecure.SHA1()
  private var text: [UInt8] = []
  /// The way to the last leaf of this stretch; nil if it has none yet.
  private var last: CompoundHash.Post?

  init(posts: [CompoundHash.Post]) {
    self.posts = posts
  }

  /// Takes the next leaf.
  mutating func add(_ path: CompoundHash.Post, _ leaf: Node) {
    while hashes.count < posts.count, CompoundHash.order(path, posts[hashes.count]) == .greater { endRange() }
    var shared = 0
    if let last {
      while shared < min(last.count, path.count), last[shared] == path[shared] { shared += 1 }
      text.append(contentsOf: repeatElement(UInt8(ascii: ")"), count: last.count - shared))
      text.append(UInt8(ascii: ","))
    } else {
      text.append(UInt8(ascii: "("))
    }
    for key in path[shared...] {
      key.withUTF8 { appendQuoted($0) }
      text.append(contentsOf: ":(".utf8)
    }
    append(leaf)
    last = path
    if text.count > 8192 { flush() }
  }

  /// The hashes of all stretches.
  mutating func finish() -> [String] {
    while hashes.count <= posts.count { endRange() }
    return hashes
  }

  private mutating func endRange() {
    guard let last else { return hashes.append("") }
    text.append(contentsOf: repeatElement(UInt8(ascii: ")"), count: last.count + 1))
    flush()
    hashes.append(DigestText.base64(sha.finalize()))
    sha = Insecure.SHA1()
    self.last = nil
  }

  private mutating func flush() {
    sha.update(data: text)
    text.removeAll(keepingCapacity: true)
  }

  private mutating func append(_ leaf: Node) {
    if leaf.hasPriority {
      text.append(contentsOf: "priority:".utf8)
      append(value: leaf.priority)
      text.append(UInt8(ascii: ":"))
    }
    append(value: leaf)
  }

  private mutating func append(value: Node) {
    if let bool = value.bool {
      text.append(contentsOf: (bool ? "boolean:true" : "boolean:false").utf8)
    } else if let number = value.double {
      text.append(contentsOf: "number:".utf8)
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        text.append(Hex.digit(UInt8(number.bitPattern >> shift & 15)))
      }
    } else {
      text.append(contentsOf: "string:".utf8)
      value.withStringUTF8 { appendQuoted($0) }
    }
  }

  /// Appends a text in quotes; only quotes and backslashes are escaped.
  private mutating func appendQuoted(_ bytes: UnsafeRawBufferPointer) {
    text.append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
      text.append(byte)
    }
    text.append(UInt8(ascii: "\""))
  }
}

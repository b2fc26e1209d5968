/// Makes a tree value of JSON text.
///
/// The children of all objects that are open lie on one stack of entries; when an object ends, its children
/// move from there into the object's storage.
struct TreeParser: ~Copyable {
  /// A key: its bytes in the input, or unescaped ones in `decoded`.
  struct Key {
    var offset: Int
    var count: Int32
    var isDecoded: Bool
  }

  struct Entry {
    var key: Key
    var node: Node
  }

  /// An object or array that is open.
  struct Frame {
    /// Where its children, their unescaped keys and their server values start.
    let entries: Int
    let decoded: Int
    let found: Int
    /// True as long as every key sorts after the one before.
    var isSorted = true
    /// True once a child was null.
    var hasNulls = false
  }

  var cursor: JSONCursor
  /// True if keys are free text and none means anything special.
  private let hasFreeKeys: Bool
  /// The stack; without room until the first object comes, as most values of a message are leaves.
  private(set) var entries = UnsafeMutableBufferPointer<Entry>(start: nil, count: 0)
  private(set) var count = 0
  /// Unescaped keys, and strings while they are unescaped.
  var decoded = ContiguousArray<UInt8>()
  /// Server values in the objects that are open.
  var found: [FoundServerValue] = []

  init(_ cursor: JSONCursor, hasFreeKeys: Bool = false) {
    self.cursor = cursor
    self.hasFreeKeys = hasFreeKeys
  }

  deinit {
    for index in 0..<count { entries.deinitializeElement(at: index) }
    entries.deallocate()
  }

  /// Reads one value that is meant for a place at this depth.
  mutating func parse(depth: Int) throws(JSONSyntaxError) -> UnresolvedValue {
    let node = try value(depth: depth)
    if found.isEmpty { return UnresolvedValue(node) }
    let serverValues = found.map { item in
      (path: Path(item.reversedKeys.reversed()[...], endsWithPriority: item.isPriority), value: item.value)
    }
    return UnresolvedValue(node: node, serverValues: serverValues)
  }

  mutating func value(depth: Int) throws(JSONSyntaxError) -> Node {
    cursor.skipWhitespace()
    switch try cursor.peek() {
    case UInt8(ascii: "\""):
      cursor.position &+= 1
      return try string()
    case UInt8(ascii: "{"):
      cursor.position &+= 1
      return try object(depth: depth)
    case UInt8(ascii: "["):
      cursor.position &+= 1
      return try array(depth: depth)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return try cursor.readNumberNode()
    case UInt8(ascii: "t"):
      try cursor.expect(literal: "true")
      return Node(true)
    case UInt8(ascii: "f"):
      try cursor.expect(literal: "false")
      return Node(false)
    case UInt8(ascii: "n"):
      try cursor.expect(literal: "null")
      return .null
    default:
      throw cursor.fault(.unexpectedByte)
    }
  }

  private mutating func string() throws(JSONSyntaxError) -> Node {
    if let plain = try cursor.scanString() { return Node(utf8: cursor.slice(plain)) }
    let mark = decoded.count
    try cursor.unescapeString(to: &decoded)
    let node = decoded.withUnsafeBytes { Node(utf8: UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    decoded.removeSubrange(mark...)
    return node
  }

  private var frame: Frame {
    Frame(entries: count, decoded: decoded.count, found: found.count)
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> Node {
    cursor.skipWhitespace()
    if try cursor.peek() == UInt8(ascii: "}") {
      cursor.position &+= 1
      return .null
    }
    var frame = frame
    var specials: Specials?
    while true {
      let keyOffset = cursor.position
      try cursor.expect(UInt8(ascii: "\""))
      if try cursor.peek() == UInt8(ascii: "."), !hasFreeKeys {
        if specials == nil { specials = Specials(offset: keyOffset) }
        try readSpecial(&specials)
      } else {
        let key = try key()
        try cursor.expect(UInt8(ascii: ":"))
        try readChild(key, depth: depth &+ 1, &frame)
      }
      if try !cursor.advance() { break }
    }
    try cursor.expect(UInt8(ascii: "}"))
    let node = finish(frame)
    guard let specials else { return node }
    return try applying(specials, to: node)
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> Node {
    cursor.skipWhitespace()
    if try cursor.peek() == UInt8(ascii: "]") {
      cursor.position &+= 1
      return .null
    }
    var frame = frame
    var index: Int64 = 0
    repeat {
      let start = decoded.count
      NumberText.withDigits(index) { decoded.append(contentsOf: $0) }
      let key = Key(offset: start, count: Int32(decoded.count &- start), isDecoded: true)
      try readChild(key, depth: depth &+ 1, isElement: true, &frame)
      index &+= 1
    } while try cursor.advance()
    try cursor.expect(UInt8(ascii: "]"))
    return finish(frame)
  }

  @inline(__always)
  private mutating func readChild(
    _ key: Key, depth: Int, isElement: Bool = false, _ frame: inout Frame
  ) throws(JSONSyntaxError) {
    if depth > cursor.limits.depth { throw cursor.fault(.tooDeep) }
    let foundMark = found.count
    let node = try value(depth: depth)
    if found.count > foundMark { note(key, in: frame, from: foundMark) }
    if node.isNull {
      // Elements have no equals, so nothing can come of a null one.
      if isElement { return }
      frame.hasNulls = true
    }
    if frame.isSorted, !isElement, count > frame.entries { frame.isSorted = isAscending(key) }
    if count == entries.count { grow() }
    entries.initializeElement(at: count, to: Entry(key: key, node: node))
    count &+= 1
  }

  /// True if a key is known to sort after the last one.
  @inline(__always)
  private func isAscending(_ key: Key) -> Bool {
    let last = entries[count &- 1].key
    if last.isDecoded || key.isDecoded { return false }
    let bytes = cursor.bytes
    let prefix = KeyPrefix(bytes, offset: last.offset, count: Int(last.count))
    if let isLess = prefix.precedes(KeyPrefix(bytes, offset: key.offset, count: Int(key.count))) {
      return isLess
    }
    return ByteOrder.keys(
      cursor.slice(last.offset..<last.offset &+ Int(last.count)),
      cursor.slice(key.offset..<key.offset &+ Int(key.count))) == .less
  }

  @inline(never)
  private mutating func grow() {
    let fresh = UnsafeMutableBufferPointer<Entry>.allocate(capacity: max(32, entries.count * 2))
    _ = fresh.moveInitialize(fromContentsOf: UnsafeMutableBufferPointer(rebasing: entries[..<count]))
    entries.deallocate()
    entries = fresh
  }

  /// Reads a key whose opening quote has been read.
  @inline(__always)
  private mutating func key() throws(JSONSyntaxError) -> Key {
    let bytes = cursor.bytes
    let start = cursor.position
    let i = JSONCursor.endOfPlainKey(bytes, from: start)
    if i < bytes.count, bytes[i] == 0x22, i > start,
      i &- start <= min(cursor.limits.keyBytes, Limits.standard.keyBytes)
    {
      cursor.position = i &+ 1
      return Key(offset: start, count: Int32(truncatingIfNeeded: i &- start), isDecoded: false)
    }
    return try unusualKey()
  }

  /// A key that is wrong, not ASCII, has escapes, or is free text.
  @inline(never)
  private mutating func unusualKey() throws(JSONSyntaxError) -> Key {
    let start = cursor.position
    let mark = decoded.count
    try cursor.unescapeString(to: &decoded)
    let count = decoded.count - mark
    let fault =
      hasFreeKeys
      ? nil : decoded.withUnsafeBytes { ChildKey.fault(in: UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    if count > min(cursor.limits.keyBytes, Limits.standard.keyBytes) || fault == .keyTooLong {
      throw JSONSyntaxError(.keyTooLong, offset: start)
    }
    if fault != nil { throw JSONSyntaxError(.invalidKey, offset: start) }
    return Key(offset: mark, count: Int32(truncatingIfNeeded: count), isDecoded: true)
  }

  /// Makes an object of the children of a frame, which leave the stack.
  private mutating func finish(_ frame: Frame) -> Node {
    if count == frame.entries { return .null }
    let children = ParsedChildren(
      input: cursor.bytes, entries: UnsafeMutableBufferPointer(rebasing: entries[frame.entries..<count]))
    if frame.isSorted, !frame.hasNulls, decoded.count == frame.decoded {
      // All keys stand in the input, in order: the usual case.
      count = frame.entries
      return Block.node(children)
    }
    if found.count > frame.found { dropSuperseded(frame) }
    let decodedMark = frame.decoded
    let node = decoded.withUnsafeBytes { decoded in
      var children = children
      children.decoded = decoded
      return OrderedChildren.node(children, isSorted: frame.isSorted)
    }
    count = frame.entries
    decoded.removeSubrange(decodedMark...)
    return node
  }
}

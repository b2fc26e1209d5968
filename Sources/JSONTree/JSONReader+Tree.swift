/// A server value as it is found: its keys from the innermost out.
struct FoundServerValue {
  var reversedKeys: [ChildKey]
  var isPriority: Bool
  var value: ServerValue
  /// Which child of the object being read it is in.
  var child: Int
}

extension JSONReader {
  /// The members of an object that are not children.
  private struct Specials {
    var value: Node?
    var priority = Node.null
    var serverValue: ServerValue?
    var priorityServerValue: ServerValue?
    /// Where the first of them stands.
    var offset = 0
  }

  private enum SpecialKey {
    case value, priority, serverValue
  }

  /// Reads a whole tree value: the export form with `.value` and `.priority`, arrays, and server values.
  ///
  /// `depth` is the depth of the place the value is meant for; nothing may lie deeper than `Limits.depth`.
  package mutating func readValue(at depth: Int = 0) throws(JSONSyntaxError) -> UnresolvedValue {
    entries.removeAll(keepingCapacity: true)
    decoded.removeAll(keepingCapacity: true)
    found.removeAll()
    let node = try treeValue(depth: depth)
    if found.isEmpty { return UnresolvedValue(node) }
    let serverValues = found.map { item in
      (path: Path(item.reversedKeys.reversed()[...], endsWithPriority: item.isPriority), value: item.value)
    }
    return UnresolvedValue(node: node, serverValues: serverValues)
  }

  private mutating func treeValue(depth: Int) throws(JSONSyntaxError) -> Node {
    skipWhitespace()
    guard position < bytes.count else { throw fault(.unexpectedEnd) }
    switch bytes[position] {
    case UInt8(ascii: "\""):
      position &+= 1
      return try treeString()
    case UInt8(ascii: "{"):
      position &+= 1
      return try treeObject(depth: depth)
    case UInt8(ascii: "["):
      position &+= 1
      return try treeArray(depth: depth)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return try readNumberNode()
    case UInt8(ascii: "t"):
      try expect(literal: "true")
      return Node(true)
    case UInt8(ascii: "f"):
      try expect(literal: "false")
      return Node(false)
    case UInt8(ascii: "n"):
      try expect(literal: "null")
      return .null
    default:
      throw fault(.unexpectedByte)
    }
  }

  private mutating func treeString() throws(JSONSyntaxError) -> Node {
    if let plain = try scanString() { return Node(utf8: UnsafeRawBufferPointer(rebasing: bytes[plain])) }
    let mark = decoded.count
    try unescapeString()
    let node = decoded.withUnsafeBytes { Node(utf8: UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    decoded.removeSubrange(mark...)
    return node
  }

  private mutating func treeObject(depth: Int) throws(JSONSyntaxError) -> Node {
    let mark = entries.count
    let decodedMark = decoded.count
    let foundMark = found.count
    var specials: Specials?
    var isFirst = true
    while true {
      skipWhitespace()
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      if isFirst, bytes[position] == UInt8(ascii: "}") { break }
      isFirst = false
      let keyOffset = position
      try expect(UInt8(ascii: "\""))
      if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
        if specials == nil {
          specials = Specials()
          specials?.offset = keyOffset
        }
        try readSpecial(&specials, depth: depth)
      } else {
        let key = try treeKey()
        try expect(UInt8(ascii: ":"))
        try readChild(key, depth: depth + 1, mark: mark)
      }
      skipWhitespace()
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      if bytes[position] != UInt8(ascii: ",") { break }
      position &+= 1
    }
    try expect(UInt8(ascii: "}"))
    let node = finishObject(mark: mark, decodedMark: decodedMark, foundMark: foundMark)
    guard let specials else { return node }
    return try applying(specials, to: node)
  }

  private mutating func treeArray(depth: Int) throws(JSONSyntaxError) -> Node {
    let mark = entries.count
    let decodedMark = decoded.count
    let foundMark = found.count
    var index: Int32 = 0
    skipWhitespace()
    if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
      position &+= 1
      return .null
    }
    while true {
      let start = decoded.count
      NumberText.withDigits(Int64(index)) { decoded.append(contentsOf: $0) }
      let key = KeyReference(offset: start, count: Int32(decoded.count - start), isDecoded: true)
      try readChild(key, depth: depth + 1, mark: mark)
      index += 1
      skipWhitespace()
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      if bytes[position] != UInt8(ascii: ",") { break }
      position &+= 1
    }
    try expect(UInt8(ascii: "]"))
    return finishObject(mark: mark, decodedMark: decodedMark, foundMark: foundMark)
  }

  @inline(__always)
  private mutating func readChild(
    _ key: KeyReference, depth: Int, mark: Int
  ) throws(JSONSyntaxError) {
    if depth > limits.depth { throw fault(.tooDeep) }
    let foundMark = found.count
    let node = try treeValue(depth: depth)
    if found.count > foundMark {
      let key = withKey(key) { ChildKey(trusted: $0) }
      for i in foundMark..<found.count {
        found[i].reversedKeys.append(key)
        found[i].child = entries.count - mark
      }
    }
    entries.append(Entry(key: key, node: node))
  }

  /// Reads a key whose opening quote has been read.
  private mutating func treeKey() throws(JSONSyntaxError) -> KeyReference {
    let start = position
    var i = start
    while i < bytes.count, bytes[i] < 0x80, bytes[i] != 0x22, bytes[i] != 0x5C {
      if ChildKey.isForbidden(bytes[i]) {
        position = i
        throw fault(bytes[i] < 0x20 ? .controlCharacter : .invalidKey)
      }
      i &+= 1
    }
    if i < bytes.count, bytes[i] == 0x22 {
      guard i > start else { throw fault(.invalidKey) }
      guard i - start <= limits.keyBytes else { throw fault(.keyTooLong) }
      position = i + 1
      return KeyReference(offset: start, count: Int32(truncatingIfNeeded: i - start), isDecoded: false)
    }
    let mark = decoded.count
    try unescapeString()
    let count = decoded.count - mark
    let fault = decoded.withUnsafeBytes { ChildKey.fault(in: UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    switch fault {
    case nil: break
    case .keyTooLong: throw JSONSyntaxError(.keyTooLong, offset: start)
    default: throw JSONSyntaxError(.invalidKey, offset: start)
    }
    guard count <= limits.keyBytes else { throw JSONSyntaxError(.keyTooLong, offset: start) }
    return KeyReference(offset: mark, count: Int32(truncatingIfNeeded: count), isDecoded: true)
  }

  func withKey<R>(_ key: KeyReference, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    let range = key.offset..<key.offset + Int(key.count)
    if !key.isDecoded { return body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    return decoded.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// Takes the children from `mark` on and makes an object of them.
  private mutating func finishObject(mark: Int, decodedMark: Int, foundMark: Int) -> Node {
    if entries.count == mark { return .null }
    var children = ContiguousArray<(ChildKey, Node)>()
    children.reserveCapacity(entries.count - mark)
    for entry in entries[mark...] {
      children.append((withKey(entry.key) { ChildKey(trusted: $0) }, entry.node))
    }
    entries.removeSubrange(mark...)
    decoded.removeSubrange(decodedMark...)
    if found.count > foundMark { dropSuperseded(children, foundMark: foundMark) }
    return Node(children: children)
  }

  /// Forgets the server values of children that a later one of the same key replaces.
  private mutating func dropSuperseded(_ children: ContiguousArray<(ChildKey, Node)>, foundMark: Int) {
    var last: [ChildKey: Int] = [:]
    for (i, child) in children.enumerated() { last[child.0] = i }
    for i in (foundMark..<found.count).reversed() where last[children[found[i].child].0] != found[i].child {
      found.remove(at: i)
    }
  }

  // MARK: Members that are not children

  private mutating func readSpecial(_ specials: inout Specials?, depth: Int) throws(JSONSyntaxError) {
    let start = position
    let key = try specialKey()
    try expect(UInt8(ascii: ":"))
    switch key {
    case .value:
      let (leaf, serverValue) = try leafOrServerValue(else: .invalidValue)
      specials?.value = leaf
      specials?.serverValue = serverValue
    case .priority:
      let (leaf, serverValue) = try leafOrServerValue(else: .invalidPriority)
      guard leaf.canBePriority else { throw JSONSyntaxError(.invalidPriority, offset: start) }
      specials?.priority = leaf
      specials?.priorityServerValue = serverValue
    case .serverValue:
      specials?.serverValue = try serverValue()
      skipWhitespace()
      // It must stand alone, so the end of the object is the only thing that may come.
      guard position < bytes.count, bytes[position] == UInt8(ascii: "}"), specials?.offset == start - 1,
        specials?.value == nil
      else { throw JSONSyntaxError(.unknownServerValue, offset: start) }
      specials?.value = JSONReader.placeholder
    }
  }

  /// Stands where a server value will be.
  static var placeholder: Node { Node(0) }

  private mutating func specialKey() throws(JSONSyntaxError) -> SpecialKey {
    let start = position
    let key: SpecialKey? = try withRest { bytes in
      if bytes.elementsEqual(".value".utf8) { return .value }
      if bytes.elementsEqual(".priority".utf8) { return .priority }
      if bytes.elementsEqual(".sv".utf8) { return .serverValue }
      return nil
    }
    guard let key else { throw JSONSyntaxError(.invalidKey, offset: start) }
    return key
  }

  /// What `body` makes of a string whose opening quote has been read; keys in `decoded` stay.
  private mutating func withRest<R>(
    _ body: (UnsafeRawBufferPointer) -> R
  ) throws(JSONSyntaxError) -> R {
    if let plain = try scanString() { return body(UnsafeRawBufferPointer(rebasing: bytes[plain])) }
    let mark = decoded.count
    try unescapeString()
    let result = decoded.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    decoded.removeSubrange(mark...)
    return result
  }

  /// A leaf, or `{".sv": …}` for which a placeholder is returned.
  private mutating func leafOrServerValue(
    else reason: JSONSyntaxError.Reason
  ) throws(JSONSyntaxError) -> (Node, ServerValue?) {
    let start = position
    switch next {
    case .object:
      position += 1
      try expect(UInt8(ascii: "\""))
      guard position < bytes.count, bytes[position] == UInt8(ascii: "."), try specialKey() == .serverValue
      else {
        throw JSONSyntaxError(reason, offset: start)
      }
      try expect(UInt8(ascii: ":"))
      let value = try serverValue()
      try expect(UInt8(ascii: "}"), else: .unknownServerValue)
      return (JSONReader.placeholder, value)
    case .array:
      throw fault(reason)
    default:
      return (try treeValue(depth: 0), nil)
    }
  }

  /// What stands behind `".sv":`.
  private mutating func serverValue() throws(JSONSyntaxError) -> ServerValue {
    let start = position
    if next == .string {
      position += 1
      let isTimestamp = try withRest { $0.elementsEqual("timestamp".utf8) }
      if isTimestamp { return .timestamp }
    } else if next == .object {
      position += 1
      try expect(UInt8(ascii: "\""))
      let isIncrement = try withRest { $0.elementsEqual("increment".utf8) }
      try expect(UInt8(ascii: ":"))
      if isIncrement, next == .number {
        let delta = try readNumberNode()
        try expect(UInt8(ascii: "}"), else: .unknownServerValue)
        return .increment(delta)
      }
    }
    throw JSONSyntaxError(.unknownServerValue, offset: start)
  }

  /// The value of an object that has members which are no children.
  private mutating func applying(
    _ specials: Specials, to node: Node
  ) throws(JSONSyntaxError) -> Node {
    var node = node
    if let value = specials.value {
      guard node.isNull else { throw JSONSyntaxError(.invalidValue, offset: specials.offset) }
      node = value
      if let serverValue = specials.serverValue { note(serverValue, isPriority: false) }
    }
    if node.isNull { return .null }
    if let serverValue = specials.priorityServerValue { note(serverValue, isPriority: true) }
    return node.withPriority(specials.priority)
  }

  private mutating func note(_ value: ServerValue, isPriority: Bool) {
    found.append(FoundServerValue(reversedKeys: [], isPriority: isPriority, value: value, child: 0))
  }
}

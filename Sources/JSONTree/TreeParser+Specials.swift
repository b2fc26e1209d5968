/// A server value as it is found: its keys from the innermost out.
struct FoundServerValue {
  var reversedKeys: [ChildKey]
  var isPriority: Bool
  var value: ServerValue
  /// Which child of the object being read it is in.
  var child: Int
}

extension TreeParser {
  /// The members of an object that are not children.
  struct Specials {
    /// Where the first of them stands.
    let offset: Int
    var value: Node?
    var priority = Node.null
    var serverValue: ServerValue?
    var priorityServerValue: ServerValue?

    init(offset: Int) {
      self.offset = offset
    }
  }

  private enum SpecialKey {
    case value, priority, serverValue
  }

  /// Stands where a server value will be.
  private static var placeholder: Node { Node(0) }

  /// Reads a member whose key starts with a dot, and whose opening quote has been read.
  mutating func readSpecial(_ specials: inout Specials?) throws(JSONSyntaxError) {
    let start = cursor.position
    let key = try specialKey()
    try cursor.expect(UInt8(ascii: ":"))
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
      cursor.skipWhitespace()
      // It must stand alone, so the end of the object is the only thing that may come.
      guard try cursor.peek() == UInt8(ascii: "}"), specials?.offset == start - 1, specials?.value == nil
      else {
        throw JSONSyntaxError(.unknownServerValue, offset: start)
      }
      specials?.value = TreeParser.placeholder
    }
  }

  private mutating func specialKey() throws(JSONSyntaxError) -> SpecialKey {
    let start = cursor.position
    let key: SpecialKey? = try withRest { bytes in
      if bytes.elementsEqual(".value".utf8) { return .value }
      if bytes.elementsEqual(".priority".utf8) { return .priority }
      if bytes.elementsEqual(".sv".utf8) { return .serverValue }
      return nil
    }
    guard let key else { throw JSONSyntaxError(.invalidKey, offset: start) }
    return key
  }

  /// What `body` makes of a string whose opening quote has been read.
  private mutating func withRest<R>(
    _ body: (UnsafeRawBufferPointer) -> R
  ) throws(JSONSyntaxError) -> R {
    if let plain = try cursor.scanString() { return body(cursor.slice(plain)) }
    let mark = decoded.count
    try cursor.unescapeString(to: &decoded)
    let result = decoded.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[mark...])) }
    decoded.removeSubrange(mark...)
    return result
  }

  /// A leaf, or `{".sv": …}` for which a placeholder is returned.
  private mutating func leafOrServerValue(
    else reason: JSONSyntaxError.Reason
  ) throws(JSONSyntaxError) -> (Node, ServerValue?) {
    cursor.skipWhitespace()
    let start = cursor.position
    switch try cursor.peek() {
    case UInt8(ascii: "{"):
      cursor.position += 1
      cursor.skipWhitespace()
      guard try cursor.peek() == UInt8(ascii: "\"") else { throw JSONSyntaxError(reason, offset: start) }
      cursor.position += 1
      guard try cursor.peek() == UInt8(ascii: "."), try specialKey() == .serverValue else {
        throw JSONSyntaxError(reason, offset: start)
      }
      try cursor.expect(UInt8(ascii: ":"))
      let value = try serverValue()
      try cursor.expect(UInt8(ascii: "}"), else: .unknownServerValue)
      return (TreeParser.placeholder, value)
    case UInt8(ascii: "["):
      throw cursor.fault(reason)
    default:
      return (try value(depth: 0), nil)
    }
  }

  /// What stands behind `".sv":`.
  private mutating func serverValue() throws(JSONSyntaxError) -> ServerValue {
    cursor.skipWhitespace()
    let start = cursor.position
    let first = try cursor.peek()
    if first == UInt8(ascii: "\"") {
      cursor.position += 1
      if try withRest({ $0.elementsEqual("timestamp".utf8) }) { return .timestamp }
    } else if first == UInt8(ascii: "{") {
      cursor.position += 1
      try cursor.expect(UInt8(ascii: "\""), else: .unknownServerValue)
      let isIncrement = try withRest { $0.elementsEqual("increment".utf8) }
      try cursor.expect(UInt8(ascii: ":"))
      cursor.skipWhitespace()
      let digit = try cursor.peek()
      if isIncrement, digit == UInt8(ascii: "-") || digit &- 0x30 <= 9 {
        let delta = try cursor.readNumberNode()
        try cursor.expect(UInt8(ascii: "}"), else: .unknownServerValue)
        return .increment(delta)
      }
    }
    throw JSONSyntaxError(.unknownServerValue, offset: start)
  }

  /// The value of an object that has members which are no children.
  mutating func applying(_ specials: Specials, to node: Node) throws(JSONSyntaxError) -> Node {
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

  // MARK: Server values below

  /// Adds the key of the child that is read next to the server values found in it.
  mutating func note(_ key: Key, in frame: Frame, from foundMark: Int) {
    let key = childKey(key)
    for i in foundMark..<found.count {
      found[i].reversedKeys.append(key)
      found[i].child = count - frame.entries
    }
  }

  /// Forgets the server values of children that a later one of the same key replaces.
  mutating func dropSuperseded(_ frame: Frame) {
    var last: [ChildKey: Int] = [:]
    let keys = (frame.entries..<count).map { childKey(entries[$0].key) }
    for (i, key) in keys.enumerated() { last[key] = i }
    for i in (frame.found..<found.count).reversed() where last[keys[found[i].child]] != found[i].child {
      found.remove(at: i)
    }
  }

  private func childKey(_ key: Key) -> ChildKey {
    let range = key.offset..<key.offset + Int(key.count)
    if !key.isDecoded { return ChildKey(trusted: cursor.slice(range)) }
    return decoded.withUnsafeBytes { ChildKey(trusted: UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}

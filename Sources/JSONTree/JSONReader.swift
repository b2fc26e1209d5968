/// Reads strict JSON (RFC 8259) from bytes that stay valid as long as the reader is used.
///
/// A caller either pulls a text apart piece by piece, or reads a whole tree value with `readValue`. Nesting
/// is bounded before it is followed, and every byte of UTF-8 is checked. After an error the reader is of no
/// more use.
package struct JSONReader {
  /// What kind of value comes next.
  package enum Token: Hashable, Sendable {
    case object, array, string, number, `true`, `false`, null
  }

  var cursor: JSONCursor
  /// True right after an object or array was begun: a comma would be wrong.
  private var isFresh = false
  /// A string while it is unescaped.
  private var decoded = ContiguousArray<UInt8>()

  /// A reader at the first byte.
  package init(_ bytes: UnsafeRawBufferPointer, limits: Limits = .standard) {
    cursor = JSONCursor(bytes, limits: limits)
  }

  /// Where the next byte is read.
  package var position: Int { cursor.position }

  // MARK: Pulling

  /// The kind of the next value, or nil where none can start.
  package var next: Token? {
    mutating get {
      cursor.skipWhitespace()
      guard position < cursor.bytes.count else { return nil }
      switch cursor.bytes[position] {
      case UInt8(ascii: "{"): return .object
      case UInt8(ascii: "["): return .array
      case UInt8(ascii: "\""): return .string
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
      case UInt8(ascii: "t"): return .true
      case UInt8(ascii: "f"): return .false
      case UInt8(ascii: "n"): return .null
      default: return nil
      }
    }
  }

  /// Enters an object; `nextKey` then leads from member to member.
  package mutating func beginObject() throws(JSONSyntaxError) {
    try begin(UInt8(ascii: "{"))
  }

  /// Enters an array; `nextElement` then leads from element to element.
  package mutating func beginArray() throws(JSONSyntaxError) {
    try begin(UInt8(ascii: "["))
  }

  /// The key of the next member, whose value must then be read; nil when the object is at its end.
  package mutating func nextKey() throws(JSONSyntaxError) -> String? {
    try nextKey { String(decoding: $0, as: UTF8.self) }
  }

  /// What `body` makes of the next member's key, whose bytes are valid inside it; nil at the object's end.
  package mutating func nextKey<R>(
    _ body: (UnsafeRawBufferPointer) -> R
  ) throws(JSONSyntaxError) -> R? {
    guard try advance(to: UInt8(ascii: "}")) else { return nil }
    let result = try withStringUTF8(body)
    try cursor.expect(UInt8(ascii: ":"))
    return result
  }

  /// True if another element follows, which must then be read; false when the array is at its end.
  package mutating func nextElement() throws(JSONSyntaxError) -> Bool {
    try advance(to: UInt8(ascii: "]"))
  }

  /// The next string, without its escapes.
  package mutating func readString() throws(JSONSyntaxError) -> String {
    try withStringUTF8 { String(decoding: $0, as: UTF8.self) }
  }

  /// What `body` makes of the next string's bytes, which are valid inside it.
  package mutating func withStringUTF8<R>(
    _ body: (UnsafeRawBufferPointer) -> R
  ) throws(JSONSyntaxError) -> R {
    try cursor.expect(UInt8(ascii: "\""), else: .unexpectedValue)
    guard let plain = try cursor.scanString() else {
      decoded.removeAll(keepingCapacity: true)
      try cursor.unescapeString(to: &decoded)
      return decoded.withUnsafeBytes(body)
    }
    return body(cursor.slice(plain))
  }

  /// The next number, exactly or the nearest double.
  package mutating func readNumber() throws(JSONSyntaxError) -> Double {
    switch try cursor.readNumberNode().content {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: preconditionFailure("a number is an integer or a double")
    }
  }

  /// The next number if it is whole and fits 64 bits, otherwise nil; it is read either way.
  package mutating func readInteger() throws(JSONSyntaxError) -> Int64? {
    try cursor.readNumberNode().integer
  }

  /// The next value, which must be `true` or `false`.
  package mutating func readBool() throws(JSONSyntaxError) -> Bool {
    switch next {
    case .true:
      try cursor.expect(literal: "true")
      return true
    case .false:
      try cursor.expect(literal: "false")
      return false
    default: throw fault(.unexpectedValue)
    }
  }

  /// Reads a null if one is next; otherwise reads nothing and returns false.
  package mutating func readNull() throws(JSONSyntaxError) -> Bool {
    guard next == .null else { return false }
    try cursor.expect(literal: "null")
    return true
  }

  /// Checks the next value, whatever it is, and returns where it stands.
  @discardableResult
  package mutating func skipValue() throws(JSONSyntaxError) -> Range<Int> {
    cursor.skipWhitespace()
    let start = position
    try skipValue(depth: 0)
    return start..<position
  }

  /// Goes to another place, such as the start of a value that was skipped.
  package mutating func seek(to position: Int) {
    precondition(position >= 0 && position <= cursor.bytes.count, "no such position")
    cursor.position = position
    isFresh = false
  }

  /// Makes sure that nothing but whitespace is left.
  package mutating func expectEnd() throws(JSONSyntaxError) {
    cursor.skipWhitespace()
    if position < cursor.bytes.count { throw fault(.trailingBytes) }
  }

  /// Reads a whole tree value: the export form with `.value` and `.priority`, arrays, and server values.
  ///
  /// `depth` is the depth of the place the value is meant for; nothing may lie deeper than `Limits.depth`.
  package mutating func readValue(at depth: Int = 0) throws(JSONSyntaxError) -> UnresolvedValue {
    var parser = TreeParser(cursor)
    let value = try parser.parse(depth: depth)
    cursor.position = parser.cursor.position
    return value
  }

  /// Reads any value whose keys are free text, such as a token's claims: nothing in it is special, and it is
  /// not meant for the tree.
  ///
  /// Empty objects and nulls vanish as in the tree, and `Limits.depth` and `Limits.keyBytes` hold. What
  /// `text` writes for it reads back the same here.
  package mutating func readFreeValue() throws(JSONSyntaxError) -> Node {
    var parser = TreeParser(cursor, hasFreeKeys: true)
    let node = try parser.parse(depth: 0).node
    cursor.position = parser.cursor.position
    return node
  }

  // MARK: Parts

  private mutating func begin(_ bracket: UInt8) throws(JSONSyntaxError) {
    try cursor.expect(bracket, else: .unexpectedValue)
    isFresh = true
  }

  /// Steps over a comma, or over the bracket at the end, for which it returns false.
  private mutating func advance(to bracket: UInt8) throws(JSONSyntaxError) -> Bool {
    cursor.skipWhitespace()
    let first = isFresh
    isFresh = false
    guard position < cursor.bytes.count else { throw fault(.unexpectedEnd) }
    if cursor.bytes[position] == bracket {
      cursor.position += 1
      return false
    }
    if !first { try cursor.expect(UInt8(ascii: ",")) }
    return true
  }

  private mutating func skipValue(depth: Int) throws(JSONSyntaxError) {
    guard let token = next else {
      throw fault(position < cursor.bytes.count ? .unexpectedByte : .unexpectedEnd)
    }
    switch token {
    case .string: _ = try withStringUTF8 { _ in }
    case .number: _ = try cursor.readNumberNode()
    case .true: try cursor.expect(literal: "true")
    case .false: try cursor.expect(literal: "false")
    case .null: try cursor.expect(literal: "null")
    case .object:
      guard depth < cursor.limits.nesting else { throw fault(.tooDeep) }
      try beginObject()
      while try nextKey({ _ in true }) != nil { try skipValue(depth: depth + 1) }
    case .array:
      guard depth < cursor.limits.nesting else { throw fault(.tooDeep) }
      try beginArray()
      while try nextElement() { try skipValue(depth: depth + 1) }
    }
  }

  func fault(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
    cursor.fault(reason)
  }
}

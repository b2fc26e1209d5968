/// How a value is written as JSON.
package enum TextForm: Sendable, Hashable {
  /// Everything: leaves with a priority as `{".value":…,".priority":…}`, objects with a `.priority` member.
  case export
  /// Values only; objects that look like arrays are written as arrays.
  case value
}

extension Node {
  /// The value as JSON.
  package func text(_ form: TextForm = .export, pretty: Bool = false) -> String {
    var writer = JSONWriter(form: form, pretty: pretty)
    writer.write(self)
    return String(decoding: writer.out.bytes, as: UTF8.self)
  }

  /// What `body` makes of the value as JSON, whose bytes are valid inside it.
  package func withText<R>(_ form: TextForm, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    var writer = JSONWriter(form: form)
    writer.write(self)
    return body(writer.out.bytes)
  }

  /// Appends the value as JSON.
  package func write(_ form: TextForm, pretty: Bool = false, into out: inout [UInt8]) {
    if content.writeLeaf(into: &out) { return }
    var writer = JSONWriter(form: form, pretty: pretty)
    writer.write(self)
    out.append(contentsOf: writer.out.bytes)
  }
}

extension Node.Content {
  /// Appends a leaf without a priority, which looks the same in every form; false for anything else.
  fileprivate func writeLeaf(into out: inout [UInt8]) -> Bool {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): JSONText.appendNumber(value, to: &out)
    case .double(let value): JSONText.appendNumber(value, to: &out)
    case .short(let text): text.withUTF8 { JSONText.appendString($0, to: &out) }
    case .long(let bytes): bytes.withUnsafeBytes { JSONText.appendString($0, to: &out) }
    case .object, .prioritized: return false
    }
    return true
  }
}

/// Pieces of JSON text for those who write messages by hand.
package enum JSONText {
  /// Appends a JSON string, quotes included.
  package static func appendString(_ text: String, to out: inout [UInt8]) {
    var text = text
    text.withUTF8 { appendString(UnsafeRawBufferPointer($0), to: &out) }
  }

  /// Appends a JSON string of bytes that are UTF-8, quotes included.
  package static func appendString(_ utf8: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    if ByteWriter.endOfUnescaped(utf8, from: 0) == utf8.count {
      out.append(UInt8(ascii: "\""))
      out.append(contentsOf: utf8)
      out.append(UInt8(ascii: "\""))
      return
    }
    var writer = ByteWriter(capacity: utf8.count + 2)
    writer.appendString(utf8)
    out.append(contentsOf: writer.bytes)
  }

  /// Appends a whole number.
  package static func appendNumber(_ value: Int64, to out: inout [UInt8]) {
    NumberText.withDigits(value) { out.append(contentsOf: $0) }
  }

  /// Appends a finite number, without a fraction if it is whole.
  package static func appendNumber(_ value: Double, to out: inout [UInt8]) {
    precondition(value.isFinite, "numbers are finite")
    if let integer = Int64(exactly: value) {
      appendNumber(integer, to: &out)
    } else {
      NumberText.withText(value) { out.append(contentsOf: $0) }
    }
  }
}

/// Writes a value into bytes.
struct JSONWriter: ~Copyable {
  var out = ByteWriter()
  private let form: TextForm
  private let pretty: Bool
  private var level = 0

  init(form: TextForm, pretty: Bool = false) {
    self.form = form
    self.pretty = pretty
  }

  mutating func write(_ node: Node) {
    if case .prioritized(let value, let priority) = node.content {
      if form == .value { return write(value) }
      if case .object(let block) = value {
        write(object: block, priority: priority)
      } else {
        open(UInt8(ascii: "{"))
        write(member: ".value", value, isFirst: true)
        write(member: ".priority", priority, isFirst: false)
        close(UInt8(ascii: "}"))
      }
    } else {
      write(node.content)
    }
  }

  private mutating func write(_ content: Node.Content) {
    switch content {
    case .null: out.append("null")
    case .bool(let value): out.append(value ? "true" : "false")
    case .integer(let value): out.append(value)
    case .double(let value): out.append(value)
    case .short(let text): text.withUTF8 { out.appendString($0) }
    case .long(let bytes): bytes.withUnsafeBytes { out.appendString($0) }
    case .object(let block):
      if form == .value, block.isArray { write(array: block) } else { write(object: block, priority: nil) }
    case .prioritized: write(Node(content: content))
    }
  }

  private mutating func write(object block: Block, priority: Node.Content?) {
    open(UInt8(ascii: "{"))
    var isFirst = true
    block.forEach { key, node in
      separate(isFirst)
      isFirst = false
      out.appendString(key)
      colon()
      write(node)
    }
    if let priority { write(member: ".priority", priority, isFirst: false) }
    close(UInt8(ascii: "}"))
  }

  private mutating func write(array block: Block) {
    open(UInt8(ascii: "["))
    var next: Int32 = 0
    block.forEach { key, node in
      let index = ByteOrder.integer(key) ?? next
      while next < index {
        separate(next == 0)
        out.append("null")
        next += 1
      }
      separate(next == 0)
      write(node)
      next += 1
    }
    close(UInt8(ascii: "]"))
  }

  private mutating func write(member key: StaticString, _ content: Node.Content, isFirst: Bool) {
    separate(isFirst)
    out.append(UInt8(ascii: "\""))
    out.append(key)
    out.append(UInt8(ascii: "\""))
    colon()
    write(content)
  }

  // MARK: Layout

  mutating func open(_ bracket: UInt8) {
    out.append(bracket)
    level += 1
  }

  mutating func close(_ bracket: UInt8) {
    level -= 1
    if pretty { breakLine() }
    out.append(bracket)
  }

  @inline(__always)
  mutating func separate(_ isFirst: Bool) {
    if !isFirst { out.append(UInt8(ascii: ",")) }
    if pretty { breakLine() }
  }

  @inline(__always)
  mutating func colon() {
    out.append(UInt8(ascii: ":"))
    if pretty { out.append(UInt8(ascii: " ")) }
  }

  private mutating func breakLine() {
    out.append(UInt8(ascii: "\n"))
    for _ in 0..<level { out.append("  ") }
  }
}

extension Block {
  /// True if clients show the object as an array: plain indexes only, and at least every second one is there.
  var isArray: Bool {
    guard let last = lastInteger, last < 2 * total else { return false }
    var result = true
    forEachUntil { key, _ in
      result = Block.isIndex(key)
      return result
    }
    return result
  }

  /// True for a number as an array would count: digits only, no leading zero.
  private static func isIndex(_ key: UnsafeRawBufferPointer) -> Bool {
    if key[0] == UInt8(ascii: "0") { return key.count == 1 }
    return key[0] != UInt8(ascii: "-") && ByteOrder.integer(key) != nil
  }
}

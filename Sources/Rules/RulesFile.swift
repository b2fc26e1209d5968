/// A value of a rules file or of a file of cases, with its place in the text.
package struct FileValue: Sendable {
  package indirect enum Content: Sendable {
    case object([Member])
    case array([FileValue])
    case string(FileString)
    /// As written.
    case number(String)
    case bool(Bool)
    case null
  }

  package struct Member: Sendable {
    package let key: FileString
    package let value: FileValue

    package init(key: FileString, value: FileValue) {
      self.key = key
      self.value = value
    }
  }

  package let content: Content
  /// Where the value begins: what `SourcePlaces` turns into a line and a column.
  package let offset: Int

  package init(content: Content, offset: Int) {
    self.content = content
    self.offset = offset
  }

  /// Deepest nesting of any file that is read here.
  package static let nestingLimit = 200
}

/// A string of a rules file: its characters and where it stands.
package struct FileString: Sendable {
  package let text: String
  /// Offset of the opening quote.
  package let offset: Int

  package init(text: String, offset: Int) {
    self.text = text
    self.offset = offset
  }
}

/// Reads the relaxed JSON that rules are written in: comments, trailing commas and raw line breaks in strings
/// are allowed (production's rules endpoint takes all three); everything else is strict.
struct RulesFile: ~Copyable {
  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func read() throws(RulesError) -> FileValue {
    try skipBlanks()
    let value = try readValue()
    try skipBlanks()
    guard at == bytes.count else { throw fault(unexpectedHere) }
    return value
  }

  // MARK: Values

  private mutating func readValue() throws(RulesError) -> FileValue {
    let start = at
    switch peek ?? 0 {
    case UInt8(ascii: "{"): return FileValue(content: .object(try nested(Self.readMembers)), offset: start)
    case UInt8(ascii: "["): return FileValue(content: .array(try nested(Self.readElements)), offset: start)
    case UInt8(ascii: "\""): return FileValue(content: .string(try readString()), offset: start)
    case UInt8(ascii: "t"): return FileValue(content: try word("true", .bool(true)), offset: start)
    case UInt8(ascii: "f"): return FileValue(content: try word("false", .bool(false)), offset: start)
    case UInt8(ascii: "n"): return FileValue(content: try word("null", .null), offset: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return FileValue(content: .number(readNumber()), offset: start)
    default: throw fault(unexpectedHere)
    }
  }

  private mutating func nested<Part>(
    _ read: (inout RulesFile) throws(RulesError) -> Part
  ) throws(RulesError) -> Part {
    depth += 1
    guard depth <= FileValue.nestingLimit else { throw fault("Rules are nested too deeply.") }
    at += 1
    let part = try read(&self)
    depth -= 1
    return part
  }

  private static func readMembers(_ file: inout RulesFile) throws(RulesError) -> [FileValue.Member] {
    var members: [FileValue.Member] = []
    var names: Set<String> = []
    while true {
      try file.skipBlanks()
      if file.take(UInt8(ascii: "}")) { return members }
      if !members.isEmpty {
        guard file.take(UInt8(ascii: ",")) else { throw file.fault("Expected ',' or '}'.") }
        try file.skipBlanks()
        if file.take(UInt8(ascii: "}")) { return members }
      }
      guard file.peek == UInt8(ascii: "\"") else {
        throw file.fault(file.peek == UInt8(ascii: ",") ? "Unexpected ','." : "Expected '\"'.")
      }
      let key = try file.readString()
      guard names.insert(key.text).inserted else {
        throw file.fault("Duplicate key '\(key.text)'.", at: key.offset)
      }
      try file.skipBlanks()
      guard file.take(UInt8(ascii: ":")) else { throw file.fault("Expected ':'.") }
      try file.skipBlanks()
      members.append(FileValue.Member(key: key, value: try file.readValue()))
    }
  }

  private static func readElements(_ file: inout RulesFile) throws(RulesError) -> [FileValue] {
    var elements: [FileValue] = []
    while true {
      try file.skipBlanks()
      if file.take(UInt8(ascii: "]")) { return elements }
      if !elements.isEmpty {
        guard file.take(UInt8(ascii: ",")) else { throw file.fault("Expected ',' or ']'.") }
        try file.skipBlanks()
        if file.take(UInt8(ascii: "]")) { return elements }
      }
      elements.append(try file.readValue())
    }
  }

  private mutating func word(
    _ word: StaticString, _ content: FileValue.Content
  ) throws(RulesError) -> FileValue.Content {
    let matches = word.withUTF8Buffer { bytes[at...].starts(with: $0) }
    guard matches else { throw fault(unexpectedHere) }
    at += word.utf8CodeUnitCount
    return content
  }

  private mutating func readNumber() -> String {
    let start = at
    while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  // MARK: Strings

  private mutating func readString() throws(RulesError) -> FileString {
    let start = at
    at += 1
    var text: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        guard let checked = String(validating: text, as: UTF8.self) else {
          throw fault("The text is not valid UTF-8.", at: start)
        }
        return FileString(text: checked, offset: start)
      case UInt8(ascii: "\\"):
        try readEscape(into: &text)
      default:
        text.append(byte)
        at += 1
      }
    }
    throw fault("Expected '\"'.")
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(RulesError) {
    let escapes: [UInt8: UInt8] = [
      UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8,
      UInt8(ascii: "f"): 12,
      UInt8(ascii: "\""): 34, UInt8(ascii: "\\"): 92, UInt8(ascii: "/"): 47,
    ]
    guard at + 1 < bytes.count else { throw fault("Unexpected end of file.") }
    if let plain = escapes[bytes[at + 1]] {
      text.append(plain)
      at += 2
      return
    }
    guard bytes[at + 1] == UInt8(ascii: "u"), var unit = hexUnit(at: at + 2) else { throw badEscape() }
    at += 6
    if (0xD800..<0xDC00).contains(unit), bytes[at...].starts(with: [92, 117]), let low = hexUnit(at: at + 2),
      (0xDC00..<0xE000).contains(low)
    {
      unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
      at += 6
    }
    guard let scalar = Unicode.Scalar(unit) else { throw badEscape() }
    text.append(contentsOf: String(Character(scalar)).utf8)
  }

  private func hexUnit(at start: Int) -> UInt32? {
    guard start + 4 <= bytes.count else { return nil }
    let digits = bytes[start..<start + 4]
    guard digits.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 102) }) else {
      return nil
    }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private func badEscape() -> RulesError {
    let next = at + 1 < bytes.count ? String(decoding: [bytes[at + 1]], as: UTF8.self) : ""
    return fault("Invalid escape: '\\\(next)'")
  }

  // MARK: Blanks and places

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    at += 1
    return true
  }

  private mutating func skipBlanks() throws(RulesError) {
    while let byte = peek {
      if byte == 32 || byte == 9 || byte == 10 || byte == 13 {
        at += 1
      } else if byte == UInt8(ascii: "/") {
        try skipComment()
      } else {
        return
      }
    }
  }

  private mutating func skipComment() throws(RulesError) {
    let start = at
    let kind = at + 1 < bytes.count ? bytes[at + 1] : 0
    if kind == UInt8(ascii: "/") {
      while at < bytes.count, bytes[at] != 10 { at += 1 }
    } else if kind == UInt8(ascii: "*") {
      at += 2
      while at + 1 < bytes.count, !(bytes[at] == UInt8(ascii: "*") && bytes[at + 1] == UInt8(ascii: "/")) {
        at += 1
      }
      guard at + 1 < bytes.count else { throw fault("Unclosed comment.", at: start) }
      at += 2
    } else {
      throw fault("Unexpected '/'.")
    }
  }

  private var unexpectedHere: String {
    guard let byte = peek else { return "Unexpected end of file." }
    return byte < 128 ? "Unexpected '\(Character(Unicode.Scalar(byte)))'." : "Unexpected character."
  }

  private func fault(_ message: String, at offset: Int? = nil) -> RulesError {
    SourcePlaces(bytes).error(at: offset ?? at, message)
  }
}

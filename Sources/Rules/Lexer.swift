/// A piece of a rule expression.
struct Token: Equatable {
  enum Kind: Equatable {
    case identifier(String)
    /// `$name`, the dollar included.
    case wildcard(String)
    case number(Double)
    /// With escapes resolved, and as it stands between the quotes.
    case string(String, source: String)
    /// The text between the slashes, as written, and whether the flag `i` follows.
    case pattern(String, ignoresCase: Bool)
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, CaseIterable {
    case strictEqual = "===", strictUnequal = "!==", equal = "==", unequal = "!=", lessOrEqual = "<="
    case greaterOrEqual = ">=", and = "&&", or = "||", less = "<", greater = ">", plus = "+", minus = "-",
      times = "*"
    case divided = "/", modulo = "%", not = "!", question = "?", colon = ":", open = "(", close = ")"
    case openBracket = "[", closeBracket = "]", dot = ".", comma = ","
  }

  let kind: Kind
  /// Offset of the first byte in the expression.
  let offset: Int
}

/// Cuts an expression into tokens.
///
/// A slash begins a pattern where an operand is expected, and divides elsewhere.
struct Lexer {
  private let bytes: [UInt8]
  private var at = 0
  private var expectsOperand = true

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// Where the last token ends.
  var position: Int { at }

  mutating func next() throws(ExpressionFault) -> Token {
    skipBlanks()
    let start = at
    let kind = try readKind()
    switch kind {
    case .symbol(.close), .symbol(.closeBracket): expectsOperand = false
    case .symbol: expectsOperand = true
    default: expectsOperand = false
    }
    return Token(kind: kind, offset: start)
  }

  private mutating func readKind() throws(ExpressionFault) -> Token.Kind {
    guard at < bytes.count else { return .end }
    let byte = bytes[at]
    if Self.isNameStart(byte) { return .identifier(readName()) }
    if byte == UInt8(ascii: "$") {
      at += 1
      return .wildcard("$" + readName())
    }
    if Self.isDigit(byte)
      || (byte == UInt8(ascii: ".") && at + 1 < bytes.count && Self.isDigit(bytes[at + 1]))
    {
      return try readNumber()
    }
    if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return try readString(quote: byte) }
    if byte == UInt8(ascii: "/"), expectsOperand { return try readPattern() }
    return .symbol(try readSymbol())
  }

  private mutating func readSymbol() throws(ExpressionFault) -> Token.Symbol {
    let rest = bytes[at...]
    if let symbol = Token.Symbol.allCases.first(where: { rest.starts(with: $0.rawValue.utf8) }) {
      at += symbol.rawValue.utf8.count
      return symbol
    }
    let isAssignment = bytes[at] == UInt8(ascii: "=")
    throw ExpressionFault(
      isAssignment ? "Rule expressions may not contain assignments." : "Parse error.", at: at)
  }

  private mutating func readName() -> String {
    let start = at
    while at < bytes.count, Self.isNameStart(bytes[at]) || Self.isDigit(bytes[at]) { at += 1 }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private mutating func readNumber() throws(ExpressionFault) -> Token.Kind {
    let start = at
    readDigits()
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      readDigits()
    }
    if at < bytes.count, bytes[at] | 32 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      readDigits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard let value = Double(text), value.isFinite, at == bytes.count || !Self.isNameStart(bytes[at]) else {
      throw ExpressionFault("Parse error.", at: start)
    }
    return .number(value)
  }

  private mutating func readDigits() {
    while at < bytes.count, Self.isDigit(bytes[at]) { at += 1 }
  }

  private mutating func readString(quote: UInt8) throws(ExpressionFault) -> Token.Kind {
    let start = at
    at += 1
    var text: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == quote {
        let source = String(decoding: bytes[start + 1..<at - 1], as: UTF8.self)
        return .string(String(decoding: text, as: UTF8.self), source: source)
      }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard at < bytes.count else { break }
      text.append(contentsOf: try readEscape())
    }
    throw ExpressionFault("Unexpected end of expression", at: start)
  }

  private mutating func readEscape() throws(ExpressionFault) -> [UInt8] {
    let letter = bytes[at]
    at += 1
    switch letter {
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "u"), UInt8(ascii: "x"):
      let start = at - 2
      var code = try readCode(digits: letter == UInt8(ascii: "u") ? 4 : 2, from: start)
      if (0xD800..<0xDC00).contains(code), bytes[at...].starts(with: [92, 117]) {
        at += 2
        let low = try readCode(digits: 4, from: start)
        guard (0xDC00..<0xE000).contains(low) else { throw invalidEscape(from: start) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw invalidEscape(from: start) }
      return Array(String(Character(scalar)).utf8)
    default: return [letter]
    }
  }

  private mutating func readCode(digits count: Int, from start: Int) throws(ExpressionFault) -> UInt32 {
    let digits = bytes[at..<min(bytes.count, at + count)]
    at += digits.count
    guard digits.count == count, digits.allSatisfy({ Self.isDigit($0) || (97...102).contains($0 | 32) }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw invalidEscape(from: start) }
    return code
  }

  private func invalidEscape(from start: Int) -> ExpressionFault {
    ExpressionFault("Invalid escape: '\(String(decoding: bytes[start..<at], as: UTF8.self))'", at: start)
  }

  private mutating func readPattern() throws(ExpressionFault) -> Token.Kind {
    let start = at
    var isInSet = false
    at += 1
    let first = at
    while at < bytes.count, isInSet || bytes[at] != UInt8(ascii: "/") {
      switch bytes[at] {
      case UInt8(ascii: "\\"): at += 1
      case UInt8(ascii: "["): isInSet = true
      case UInt8(ascii: "]"): isInSet = false
      default: break
      }
      at += 1
    }
    guard at < bytes.count else {
      throw ExpressionFault("unterminated regular expression literal", at: start)
    }
    let text = String(decoding: bytes[first..<at], as: UTF8.self)
    at += 1
    let flags = readName()
    guard flags.isEmpty || flags == "i" else {
      throw ExpressionFault("regular expressions do not support flags other than i", at: start)
    }
    return .pattern(text, ignoresCase: flags == "i")
  }

  private mutating func skipBlanks() {
    while at < bytes.count, bytes[at] == 32 || (9...13).contains(bytes[at]) { at += 1 }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    (byte | 32 >= 97 && byte | 32 <= 122) || byte == UInt8(ascii: "_")
  }
}

/// A fault in an expression, at an offset in its decoded text.
struct ExpressionFault: Error, Equatable {
  let message: String
  let offset: Int

  init(_ message: String, at offset: Int) {
    self.message = message
    self.offset = offset
  }
}

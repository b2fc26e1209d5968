/// Reads an expression with the precedences of the rules language.
struct Parser {
  /// Deepest nesting of parentheses, calls and operators in one expression.
  static let nestingLimit = 200
  /// Most expressions one inside another, chains of operators and calls included.
  static let heightLimit = 800
  /// Longest expression, in bytes.
  static let lengthLimitBytes = 64 * 1024

  private var lexer: Lexer
  private var token: Token
  /// Where the last token taken ends.
  private var end = 0
  private var depth = 0

  static func parse(_ text: String) throws(ExpressionFault) -> Expression {
    guard text.utf8.count <= lengthLimitBytes else {
      throw ExpressionFault("The expression is longer than \(lengthLimitBytes) bytes.", at: 0)
    }
    var parser = try Parser(text)
    let expression = try parser.choice()
    guard case .end = parser.token.kind else { throw parser.fault() }
    try parser.checkHeight(expression)
    return expression
  }

  private init(_ text: String) throws(ExpressionFault) {
    lexer = Lexer(text)
    token = try lexer.next()
  }

  // MARK: Operators

  private mutating func choice() throws(ExpressionFault) -> Expression {
    try enter()
    defer { depth -= 1 }
    let start = token.offset
    let condition = try binary(above: 0)
    guard try take(.question) else { return condition }
    let yes = try choice()
    guard try take(.colon) else { throw fault() }
    let no = try choice()
    return make(.choice(condition, yes, no), from: start)
  }

  private mutating func binary(above least: Int) throws(ExpressionFault) -> Expression {
    let start = token.offset
    var left = try unary()
    while let next = binaryOperator, next.precedence > least {
      try advance()
      let right = try binary(above: next.precedence)
      left = make(.binary(next, left, right), from: start)
      try checkHeight(left)
    }
    return left
  }

  private var binaryOperator: Expression.Binary? {
    guard case .symbol(let symbol) = token.kind else { return nil }
    switch symbol {
    case .strictEqual: return .equal
    case .strictUnequal: return .unequal
    default: return Expression.Binary(rawValue: symbol.rawValue)
    }
  }

  private mutating func unary() throws(ExpressionFault) -> Expression {
    let start = token.offset
    for (symbol, operation) in [(Token.Symbol.not, Expression.Unary.not), (.minus, .minus)]
    where try take(symbol) {
      try enter()
      defer { depth -= 1 }
      let operand = try unary()
      return make(.unary(operation, operand), from: start)
    }
    return try postfix()
  }

  // MARK: Operands

  private mutating func postfix() throws(ExpressionFault) -> Expression {
    let start = token.offset
    var operand = try primary()
    while true {
      if try take(.dot) {
        guard case .identifier(let name) = token.kind else { throw fault() }
        try advance()
        operand = make(.member(operand, name), from: start)
      } else if try take(.openBracket) {
        let index = try choice()
        guard try take(.closeBracket) else { throw fault() }
        operand = make(.index(operand, index), from: start)
      } else if try take(.open) {
        let arguments = try list(until: .close)
        operand = make(.call(operand, arguments), from: start)
      } else {
        return operand
      }
      try checkHeight(operand)
    }
  }

  private mutating func primary() throws(ExpressionFault) -> Expression {
    let first = token
    switch first.kind {
    case .number(let value): return try literal(.number(value))
    case .string(let text, let source): return try literal(.string(text, source: source))
    case .pattern(let text, let ignoresCase): return try literal(.pattern(text, ignoresCase: ignoresCase))
    case .wildcard(let name): return try literal(.wildcard(name))
    case .identifier("true"): return try literal(.bool(true))
    case .identifier("false"): return try literal(.bool(false))
    case .identifier("null"): return try literal(.null)
    case .identifier(let name): return try literal(.name(name))
    case .symbol(.open):
      try advance()
      let inner = try choice()
      guard try take(.close) else { throw fault() }
      return make(inner.form, from: first.offset)
    case .symbol(.openBracket):
      try advance()
      let elements = try list(until: .closeBracket)
      return make(.array(elements), from: first.offset)
    default: throw fault()
    }
  }

  private mutating func literal(_ form: Expression.Form) throws(ExpressionFault) -> Expression {
    let start = token.offset
    try advance()
    return make(form, from: start)
  }

  private mutating func list(until close: Token.Symbol) throws(ExpressionFault) -> [Expression] {
    var elements: [Expression] = []
    if try take(close) { return elements }
    while true {
      elements.append(try choice())
      if try take(close) { return elements }
      guard try take(.comma) else { throw fault() }
    }
  }

  // MARK: Tokens

  private mutating func take(_ symbol: Token.Symbol) throws(ExpressionFault) -> Bool {
    guard token.kind == .symbol(symbol) else { return false }
    try advance()
    return true
  }

  private mutating func advance() throws(ExpressionFault) {
    end = lexer.position
    token = try lexer.next()
  }

  /// Call it when everything of the expression has been read: it ends where the last token did.
  private func make(_ form: Expression.Form, from start: Int) -> Expression {
    Expression(form: form, range: start..<max(start, end))
  }

  private mutating func enter() throws(ExpressionFault) {
    depth += 1
    guard depth <= Self.nestingLimit else { throw ExpressionFault(Self.tooDeep, at: token.offset) }
  }

  private static let tooDeep = "The expression is nested too deeply."

  /// Chains such as `a + a + …` nest to the left without recursion here, but everything after this recurses.
  private func checkHeight(_ expression: Expression) throws(ExpressionFault) {
    guard expression.height <= Self.heightLimit else {
      throw ExpressionFault(Self.tooDeep, at: expression.offset)
    }
  }

  private func fault() -> ExpressionFault {
    token.kind == .end
      ? ExpressionFault("Unexpected end of expression", at: token.offset)
      : ExpressionFault("Parse error.", at: token.offset)
  }
}

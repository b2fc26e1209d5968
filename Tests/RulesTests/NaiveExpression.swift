/// An expression of the rules language as a value, and its text.
indirect enum NaiveExpression {
  case number(Double)
  case text(String)
  case bool(Bool)
  case null
  case pattern(NaivePattern)
  /// Wilddog's other way to write one that does not ignore case.
  case quotedPattern(NaivePattern)
  /// A variable, a `$wildcard` included.
  case name(String)
  case member(NaiveExpression, String)
  case index(NaiveExpression, NaiveExpression)
  case call(NaiveExpression, String, [NaiveExpression])
  case array([NaiveExpression])
  case unary(String, NaiveExpression)
  case binary(String, NaiveExpression, NaiveExpression)
  case choice(NaiveExpression, NaiveExpression, NaiveExpression)

  /// From the specification's table; a higher one binds tighter.
  private var precedence: Int {
    switch self {
    case .choice: 0
    case .binary("||", _, _): 1
    case .binary("&&", _, _): 2
    case .binary("==", _, _), .binary("!=", _, _), .binary("===", _, _), .binary("!==", _, _): 3
    case .binary("<", _, _), .binary("<=", _, _), .binary(">", _, _), .binary(">=", _, _): 4
    case .binary("+", _, _), .binary("-", _, _): 5
    case .binary: 6
    case .unary: 7
    default: 8
    }
  }

  /// With no parenthesis that is not needed.
  var written: String {
    switch self {
    case .number(let value): return value == value.rounded() ? "\(Int(value))" : "\(value)"
    case .text(let text): return Self.quoted(text)
    case .bool(let value): return "\(value)"
    case .null: return "null"
    case .pattern(let pattern): return pattern.text
    case .quotedPattern(let pattern): return "'\(pattern.text.dropFirst().dropLast())'"
    case .name(let name): return name
    case .member(let target, let name): return "\(target.written(above: 8)).\(name)"
    case .index(let target, let index): return "\(target.written(above: 8))[\(index.written)]"
    case .call(let target, let method, let arguments):
      return "\(target.written(above: 8)).\(method)(\(arguments.map(\.written).joined(separator: ", ")))"
    case .array(let elements): return "[\(elements.map(\.written).joined(separator: ","))]"
    case .unary(let operation, let operand): return operation + operand.written(above: 7)
    case .binary(let operation, let left, let right):
      return "\(left.written(above: precedence)) \(operation) \(right.written(above: precedence + 1))"
    case .choice(let condition, let yes, let no):
      return "\(condition.written(above: 1)) ? \(yes.written) : \(no.written)"
    }
  }

  private func written(above least: Int) -> String {
    precedence < least ? "(\(written))" : written
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n") + "'"
  }
}

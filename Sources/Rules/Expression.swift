/// A rule expression as it was written.
struct Expression {
  indirect enum Form {
    case number(Double)
    /// With escapes resolved, and as it stands between the quotes.
    case string(String, source: String)
    case bool(Bool)
    case null
    case pattern(String, ignoresCase: Bool)
    case name(String)
    case wildcard(String)
    case array([Expression])
    case member(Expression, String)
    case index(Expression, Expression)
    case call(Expression, [Expression])
    case unary(Unary, Expression)
    case binary(Binary, Expression, Expression)
    case choice(Expression, Expression, Expression)
  }

  enum Unary: String { case not = "!", minus = "-" }

  enum Binary: String {
    case or = "||", and = "&&", equal = "==", unequal = "!=", less = "<", lessOrEqual = "<=", greater = ">"
    case greaterOrEqual = ">=", plus = "+", minus = "-", times = "*", divided = "/", modulo = "%"

    /// How tightly it binds; a higher one binds first. All are left-associative.
    var precedence: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .equal, .unequal: 3
      case .less, .lessOrEqual, .greater, .greaterOrEqual: 4
      case .plus, .minus: 5
      case .times, .divided, .modulo: 6
      }
    }
  }

  let form: Form
  /// How many expressions stand one inside another here, this one included.
  let height: Int
  /// Where it begins and ends in the expression's text, in bytes.
  let range: Range<Int>
  var offset: Int { range.lowerBound }

  init(form: Form, range: Range<Int>) {
    self.form = form
    self.range = range
    height = 1 + Self.tallest(in: form)
  }

  private static func tallest(in form: Form) -> Int {
    parts(of: form).reduce(0) { max($0, $1.height) }
  }

  /// A value that stands in the text itself.
  var isLiteral: Bool {
    switch form {
    case .number, .string, .bool, .null, .pattern: true
    default: false
    }
  }

  /// The expressions that this one is made of, from the left.
  var parts: [Expression] { Self.parts(of: form) }

  private static func parts(of form: Form) -> [Expression] {
    switch form {
    case .number, .string, .bool, .null, .pattern, .name, .wildcard: []
    case .array(let elements): elements
    case .member(let target, _): [target]
    case .index(let target, let index): [target, index]
    case .call(let target, let arguments): [target] + arguments
    case .unary(_, let operand): [operand]
    case .binary(_, let left, let right): [left, right]
    case .choice(let condition, let yes, let no): [condition, yes, no]
    }
  }
}

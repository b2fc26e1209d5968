/// A rule expression as it was written.
struct Expression {
  indirect enum Form {
    case number(Double)
    case string(String)
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
    switch form {
    case .number, .string, .bool, .null, .pattern, .name, .wildcard: 0
    case .array(let elements): elements.reduce(0) { max($0, $1.height) }
    case .member(let target, _): target.height
    case .index(let target, let index): max(target.height, index.height)
    case .call(let target, let arguments): arguments.reduce(target.height) { max($0, $1.height) }
    case .unary(_, let operand): operand.height
    case .binary(_, let left, let right): max(left.height, right.height)
    case .choice(let condition, let yes, let no): max(condition.height, yes.height, no.height)
    }
  }
}

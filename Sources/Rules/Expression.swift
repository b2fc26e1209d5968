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
  /// Where it begins and ends in the expression's text, in bytes.
  let range: Range<Int>
  var offset: Int { range.lowerBound }
}

import JSONTree

extension TypeCheck {
  mutating func unary(_ operation: Expression.Unary, _ operand: Expression, _ expression: Expression)
    -> Checked
  {
    let checked = check(operand)
    guard let type = checked.type else { return .faulty }
    switch operation {
    case .not:
      guard type == .boolean else { return fault("! only operates on booleans.", expression) }
      return Checked(.not(checked.code), .boolean)
    case .minus:
      guard type.isNumeric else { return fault("- only operates on numbers.", expression) }
      return Checked(.negative(checked.code), .number)
    }
  }

  mutating func choice(_ condition: Expression, _ yes: Expression, _ no: Expression) -> Checked {
    let test = check(condition)
    if let type = test.type, type != .boolean { report("condition of ? must be boolean.", condition) }
    let first = check(yes), second = check(no)
    guard test.type == .boolean, let left = first.type, let right = second.type else { return .faulty }
    if left == .snapshot, right == .snapshot {
      return Checked(Place(.choice(test.code, first.place, second.place)))
    }
    for (type, branch) in [(left, yes), (right, no)] where !type.isComparable {
      return fault("Invalid ? expression: a branch must be a number, boolean, string, or null.", branch)
    }
    return Checked(.choice(test.code, first.code, second.code), left == right ? left : .mixed)
  }

  mutating func binary(_ operation: Expression.Binary, _ left: Expression, _ right: Expression) -> Checked {
    let first = check(left), second = check(right)
    guard let leftType = first.type, let rightType = second.type else { return .faulty }
    let before = faults.count
    report(operation, side: "left", leftType, left)
    report(operation, side: "right", rightType, right)
    checkOrdering(operation, (leftType, left), (rightType, right))
    guard faults.count == before else { return .faulty }
    let a = first.code, b = second.code
    switch operation {
    case .and: return Checked(.and(a, b), .boolean)
    case .or: return Checked(.or(a, b), .boolean)
    case .equal: return Checked(.equal(a, b), .boolean)
    case .unequal: return Checked(.unequal(a, b), .boolean)
    case .less: return Checked(.compare(.less, a, b), .boolean)
    case .lessOrEqual: return Checked(.compare(.lessOrEqual, a, b), .boolean)
    case .greater: return Checked(.compare(.greater, a, b), .boolean)
    case .greaterOrEqual: return Checked(.compare(.greaterOrEqual, a, b), .boolean)
    case .plus:
      let isText = leftType == .string || rightType == .string
      let isNumber = leftType == .number && rightType == .number
      return Checked(.sum(a, b), isText ? .string : isNumber ? .number : .value)
    case .minus: return Checked(.arithmetic(.minus, a, b), .number)
    case .times: return Checked(.arithmetic(.times, a, b), .number)
    case .divided: return Checked(.arithmetic(.divided, a, b), .number)
    case .modulo: return Checked(.arithmetic(.modulo, a, b), .number)
    }
  }

  /// Reports an operand whose type the operator does not take.
  private mutating func report(
    _ operation: Expression.Binary, side: String, _ type: StaticType, _ operand: Expression
  ) {
    let name = operation.rawValue
    switch operation {
    case .and, .or:
      guard type != .boolean else { return }
      report("\(side == "left" ? "Left" : "Right") operand of \(name) must be boolean.", operand)
    case .equal, .unequal:
      guard !type.isComparable else { return }
      let list = operation == .equal && side == "left" ? "string, null" : "string, or null"
      report("Invalid \(name) expression: \(side) operand is not a number, boolean, \(list).", operand)
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      guard !type.isOrdered else { return }
      report("Invalid \(name) expression: \(side) operand must be a number or string.", operand)
    case .plus:
      guard !type.isOrdered else { return }
      report("Invalid + expression: \(side) operand is not a number or string.", operand)
    case .minus, .times, .divided, .modulo:
      guard !type.isNumeric else { return }
      report("Invalid \(name) expression: \(side) operand is not a number.", operand)
    }
  }

  /// `query.orderByChild` may be compared only with a string literal or null.
  private mutating func checkOrdering(
    _ operation: Expression.Binary, _ left: (StaticType, Expression), _ right: (StaticType, Expression)
  ) {
    guard operation == .equal || operation == .unequal else { return }
    for (side, ordering, other) in [("right", left.0, right.1), ("left", right.0, left.1)]
    where ordering == .ordering {
      switch other.form {
      case .string, .null: continue
      default: break
      }
      let rest = "operand must be an ordering or string literal when comparing against an ordering."
      report("Invalid \(operation.rawValue) expression: \(side) \(rest)", other)
      return
    }
  }
}

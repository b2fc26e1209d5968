import JSONTree

extension TypeCheck {
  mutating func call(_ target: Expression, _ arguments: [Expression], _ expression: Expression) -> Checked {
    let receiver: Expression, name: String
    switch target.form {
    case .member(let inner, let method): (receiver, name) = (inner, method)
    case .index(let inner, let index):
      guard case .string(let method, _) = index.form else { return notAFunction(target, expression) }
      (receiver, name) = (inner, method)
    default: return notAFunction(target, expression)
    }
    let checked = check(receiver)
    guard let type = checked.type else { return .faulty }
    if type == .snapshot, let method = SnapshotMethod(rawValue: name) {
      return snapshotCall(method, checked.place, arguments, expression)
    }
    if type.isText, let method = StringMethod(name, dialect) {
      return stringCall(method, name, checked.code, arguments, expression)
    }
    if type.isText, name == "length", dialect == .wilddog {
      guard arguments.isEmpty else { return fault("length() expects no arguments.", expression) }
      return Checked(.length(checked.code), .number)
    }
    return notAFunction(target, expression)
  }

  /// Reports what is wrong with the target itself, else that it can't be called.
  private mutating func notAFunction(_ target: Expression, _ expression: Expression) -> Checked {
    guard check(target).type != nil else { return .faulty }
    return fault("Type error: Function call on target that is not a function.", expression)
  }

  // MARK: Snapshots

  private mutating func snapshotCall(
    _ method: SnapshotMethod, _ place: Place, _ arguments: [Expression], _ expression: Expression
  ) -> Checked {
    let name = method.rawValue
    switch method {
    case .child, .hasChild:
      guard arguments.count == 1 else { return fault("\(name)() expects 1 argument.", expression) }
      guard let way = self.way(arguments[0], "\(name)() expects a string argument.") else { return .faulty }
      return method == .child ? Checked(place.child(way)) : Checked(.exists(place.child(way)), .boolean)
    case .hasChildren: return hasChildren(place, arguments, expression)
    default: break
    }
    guard arguments.isEmpty else { return fault("\(name)() expects no arguments.", expression) }
    switch method {
    case .val: return Checked(.value(place), .value)
    case .parent: return Checked(Self.parent(of: place))
    case .getPriority: return Checked(.priority(place), .value)
    case .isString: return Checked(.isKind(place, .string), .boolean)
    case .isNumber: return Checked(.isKind(place, .number), .boolean)
    case .isBoolean: return Checked(.isKind(place, .bool), .boolean)
    default: return Checked(.exists(place), .boolean)
    }
  }

  private mutating func hasChildren(
    _ place: Place, _ arguments: [Expression], _ expression: Expression
  ) -> Checked {
    if arguments.isEmpty { return Checked(.hasChildren(place), .boolean) }
    guard arguments.count == 1 else {
      return fault(
        "hasChildren() expects only a single argument (containing an array of child names).", expression)
    }
    guard case .array(let names) = arguments[0].form else {
      return fault("hasChildren() expects an array of child names.", expression)
    }
    var ways: [[Step]] = []
    for name in names {
      guard let way = self.way(name, "hasChildren() expects an array of strings.") else { return .faulty }
      ways.append(way)
    }
    return Checked(.hasAllChildren(place, ways), .boolean)
  }

  /// The way that an argument names; nil after a fault.
  private mutating func way(_ argument: Expression, _ message: String) -> [Step]? {
    if case .array = argument.form {
      report(message, argument)
      return nil
    }
    let checked = check(argument)
    guard let type = checked.type else { return nil }
    guard type.isText else {
      report(message, argument)
      return nil
    }
    switch checked.code {
    case .constant(.string(let text)): return Steps.keys(of: text)?.map(Step.key) ?? [.nowhere]
    case .wildcard(let depth): return [.wildcard(depth: depth)]
    default: return [.computed(checked.code)]
    }
  }

  private static func parent(of place: Place) -> Place {
    switch (place.base, place.steps.last) {
    case (.data(let up), nil): return Place(.data(up: up + 1))
    case (.newData(let up), nil): return Place(.newData(up: up + 1))
    case (_, .key), (_, .wildcard): return Place(place.base, place.steps.dropLast())
    default: return Place(.parent(place))
    }
  }

  // MARK: Strings

  private mutating func stringCall(
    _ method: StringMethod, _ name: String, _ receiver: Code, _ arguments: [Expression],
    _ expression: Expression
  ) -> Checked {
    switch method {
    case .toLowerCase, .toUpperCase:
      guard arguments.isEmpty else { return fault("\(name)() expects no arguments.", expression) }
      return Checked(.changeCase(receiver, isUpper: method == .toUpperCase), .string)
    case .matches:
      guard arguments.count == 1 else {
        return fault("matches() expects 1 regular expression literal argument.", expression)
      }
      return matches(receiver, arguments[0])
    case .replace:
      guard arguments.count == 2 else { return fault("replace() expects two arguments.", expression) }
      guard let old = text(arguments[0], "Argument 1 of replace() must be a string."),
        let new = text(arguments[1], "Argument 2 of replace() must be a string.")
      else { return .faulty }
      return Checked(.replace(receiver, old, new), .string)
    case .contains, .beginsWith, .endsWith:
      guard arguments.count == 1 else { return fault("\(name)() expects 1 argument.", expression) }
      guard let part = text(arguments[0], "\(name)() expects a string argument.") else { return .faulty }
      let test: StringTest =
        method == .contains ? .contains : method == .beginsWith ? .beginsWith : .endsWith
      return Checked(.test(test, receiver, part), .boolean)
    }
  }

  private mutating func matches(_ receiver: Code, _ argument: Expression) -> Checked {
    let text: String, ignoresCase: Bool
    switch argument.form {
    case .pattern(let literal, let ignores): (text, ignoresCase) = (literal, ignores)
    // As written: its backslashes are the pattern's, not the string's.
    case .string(_, let source) where dialect == .wilddog: (text, ignoresCase) = (source, false)
    default: return fault("matches() expects a regular expression literal argument.", argument)
    }
    do {
      return Checked(.matches(receiver, try Pattern(text, ignoresCase: ignoresCase)), .boolean)
    } catch {
      return fault(error.message, argument)
    }
  }

  private mutating func text(_ argument: Expression, _ message: String) -> Code? {
    let checked = check(argument)
    guard let type = checked.type else { return nil }
    guard type.isText || type == .queryValue || type == .mixed else {
      report(message, argument)
      return nil
    }
    return checked.code
  }
}

/// What is known of an expression's value before it is evaluated.
enum StaticType: Equatable {
  case boolean, number, string, null, regex, array, snapshot
  /// A primitive of unknown type, from `val()` or `getPriority()`.
  case value
  /// Anything under `auth`.
  case auth
  case query
  /// A field of `query` that is not a flag; `ordering` for `orderByChild`.
  case queryValue, ordering
  /// A choice whose branches differ.
  case mixed
  /// A method that is named but not called.
  case method

  /// May stand on either side of `==`.
  var isComparable: Bool {
    switch self {
    case .boolean, .number, .string, .null, .value, .auth, .queryValue, .ordering, .mixed: true
    default: false
    }
  }

  /// May stand on either side of `<` or `+`.
  var isOrdered: Bool {
    switch self {
    case .number, .string, .value, .auth, .queryValue, .ordering, .mixed: true
    default: false
    }
  }

  /// May be subtracted.
  var isNumeric: Bool {
    switch self {
    case .number, .value, .auth, .queryValue, .mixed: true
    default: false
    }
  }

  /// May be the name of a child, or the argument of a string method.
  var isText: Bool {
    switch self {
    case .string, .value, .auth: true
    default: false
    }
  }
}

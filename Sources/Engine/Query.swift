package import JSONTree
package import Rules

/// Which children of a location a client asks for, and in which order they stand.
///
/// Two queries that show the same children for the same reasons are equal, however they were spelled: bounds
/// carry explicit keys, and flags that have no effect are set to their default.
package struct Query: Hashable, Sendable {
  /// What children are sorted by. Ties are always broken by key.
  package enum Index: Hashable, Sendable {
    case key, value, priority
    /// The value at a path below each child; a child without one counts as null.
    case child(Path)
  }

  package let index: Index
  /// The first pair of index value and key that is shown.
  package let start: Bound?
  /// The last pair of index value and key that is shown.
  package let end: Bound?
  /// How many of the children between the bounds are shown at most.
  package let limit: Int?
  /// True if the limit keeps the last children, not the first.
  package let fromEnd: Bool

  /// The whole location.
  package static let all = Query()

  private init() {
    index = .priority
    start = nil
    end = nil
    limit = nil
    fromEnd = false
  }

  /// A query as a client sent it.
  ///
  /// Without `fromEnd` a limit counts from the start if there is a start bound, else from the end.
  package init(
    index: Index = .priority, start: Bound? = nil, end: Bound? = nil, limit: Int? = nil, fromEnd: Bool? = nil
  ) throws(QueryError) {
    if case .child(let path) = index, path.isRoot || path.endsWithPriority { throw QueryError.invalidIndex }
    if let limit, limit < 1 { throw QueryError.limitNotPositive }
    self.index = index
    self.start = try start?.checked(for: index)
    self.end = try end?.checked(for: index)
    self.limit = limit
    self.fromEnd = limit != nil && (fromEnd ?? (start == nil))
  }

  /// True if the query shows all data whatever its order, like a listen without a query.
  package var isDefault: Bool { start == nil && end == nil && limit == nil }

  /// The query under which views are shared: the order of a query that shows everything does not matter.
  package var shared: Query { isDefault ? .all : self }
}

/// One end of the range a query shows: a pair of index value and key.
package struct Bound: Sendable {
  /// The index value: null, a boolean, a number or a string; for an order by key the key as a string.
  package let value: Node
  /// The key that decides among children of the same index value; in an order by key the key itself.
  package let key: QueryKey
  /// True if a child that is exactly this pair is shown.
  package let inclusive: Bool

  private init(value: Node, key: QueryKey, inclusive: Bool) {
    self.value = value
    self.key = key
    self.inclusive = inclusive
  }

  /// The start of a range; without a key all children of the index value belong to it.
  package init(start value: Node, key: QueryKey? = nil, inclusive: Bool = true) {
    self.init(value: value, key: key ?? .min, inclusive: inclusive)
  }

  /// The end of a range; without a key all children of the index value belong to it.
  package init(end value: Node, key: QueryKey? = nil, inclusive: Bool = true) {
    self.init(value: value, key: key ?? .max, inclusive: inclusive)
  }

  /// The start of a range that leaves out the pair, or without a key every child of the index value.
  package init(after value: Node, key: QueryKey? = nil) {
    self.init(value: value, key: key ?? .max, inclusive: false)
  }

  /// The end of a range that leaves out the pair, or without a key every child of the index value.
  package init(before value: Node, key: QueryKey? = nil) {
    self.init(value: value, key: key ?? .min, inclusive: false)
  }

  /// The bound in the form that an order uses, if its value is of a type that can stand in that order.
  fileprivate func checked(for index: Query.Index) throws(QueryError) -> Bound {
    let plain = value.withPriority(.null)
    switch index {
    case .key:
      guard let text = plain.string else { throw QueryError.keyBoundNotString }
      return Bound(value: plain, key: QueryKey(text), inclusive: inclusive)
    case .priority where !plain.canBePriority:
      throw QueryError.invalidBound
    case .priority, .value, .child:
      if plain.isObject { throw QueryError.invalidBound }
      // No child has a sentinel's name, so the flag decides nothing.
      return Bound(value: plain, key: key, inclusive: inclusive || key.isSentinel)
    }
  }
}

extension Bound: Hashable {
  package func hash(into hasher: inout Hasher) {
    hasher.combine(value.kind)
    hasher.combine(key)
    hasher.combine(inclusive)
  }
}

/// A key in a bound: a name, or a sentinel that stands before or after all names.
package enum QueryKey: Hashable, Sendable {
  case min
  case key(ChildKey)
  case max

  /// A key as clients send it. It may be longer than a key of the tree.
  package init(_ text: String) {
    switch text {
    case "[MIN_NAME]": self = .min
    case "[MAX_NAME]", "[MAX_KEY]": self = .max
    default: self = .key(ChildKey(unchecked: text))
    }
  }

  package var isSentinel: Bool {
    if case .key = self { return false }
    return true
  }
}

/// Why a client's query cannot be asked.
package enum QueryError: Error, Hashable, Sendable {
  /// The limit is zero or negative.
  case limitNotPositive
  /// A bound is an object, or of a type that its order does not have.
  case invalidBound
  /// A bound of an order by key is no string.
  case keyBoundNotString
  /// The path to sort by is empty or leads to a priority.
  case invalidIndex
}

extension Query.Index {
  /// An order as clients name it: `.key`, `.value`, `.priority` or a path below each child.
  package init(_ name: String) throws(QueryError) {
    switch name {
    case ".key": self = .key
    case ".value": self = .value
    case ".priority": self = .priority
    default:
      guard let path = try? Path(name), !path.isRoot else { throw QueryError.invalidIndex }
      self = .child(path)
    }
  }

  /// The name that rules must list in `.indexOn` for this order; nil for orders that need no index there.
  package var declaredName: String? {
    switch self {
    case .key, .priority: nil
    case .value: ".value"
    case .child(let path): path.text
    }
  }
}

extension Query {
  /// What rules may ask about the query.
  package var facts: QueryFacts {
    var facts = QueryFacts()
    switch index {
    case .key: facts.orderByKey = true
    case .value: facts.orderByValue = true
    case .priority: facts.orderByPriority = true
    case .child(let path): facts.orderByChild = path.text
    }
    facts.startAt = start?.value
    facts.endAt = end?.value
    if let start, let end, asksForOne(start, end) { facts.equalTo = start.value }
    if fromEnd { facts.limitToLast = limit } else { facts.limitToFirst = limit }
    return facts
  }

  /// True if the bounds are those of `equalTo`.
  private func asksForOne(_ start: Bound, _ end: Bound) -> Bool {
    guard start.value == end.value, start.inclusive, end.inclusive else { return false }
    return start.key == end.key || (start.key == .min && end.key == .max)
  }
}

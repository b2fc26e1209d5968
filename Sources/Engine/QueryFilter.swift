package import JSONTree

/// The children of one location in the order of a query, seen from the end that its limit counts from.
struct OrderedChildren {
  let location: Node
  let query: Query
  /// The index that holds the order; nil for an order by key.
  let index: ChildIndex?

  /// Without an index for an order that needs one, a passing one is built: correct, but it costs a whole
  /// walk.
  init(of location: Node, query: Query, index: ChildIndex?) {
    precondition(index == nil || index?.order == query.index, "the index is of another order")
    self.location = location
    self.query = query
    self.index = query.index == .key ? nil : index ?? ChildIndex(building: location, order: query.index)
  }

  /// Walks away from the end that the limit counts from, beginning at a place.
  func walkOut(from cut: Cut?, _ body: (IndexEntry) -> Bool) {
    if query.fromEnd { walkDown(from: cut, body) } else { walkUp(from: cut, body) }
  }

  /// Walks towards the end that the limit counts from, beginning at a place.
  func walkIn(from cut: Cut?, _ body: (IndexEntry) -> Bool) {
    if query.fromEnd { walkUp(from: cut, body) } else { walkDown(from: cut, body) }
  }

  private func walkUp(from cut: Cut?, _ body: (IndexEntry) -> Bool) {
    if let index { return index.walkUp(from: cut, in: location, body) }
    location.walkUp(from: cut?.key ?? .min, after: cut?.isAfter ?? false) { key, _ in
      body(IndexEntry(value: .null, key: key))
    }
  }

  private func walkDown(from cut: Cut?, _ body: (IndexEntry) -> Bool) {
    if let index { return index.walkDown(from: cut, in: location, body) }
    location.walkDown(from: cut?.key ?? .max, after: cut?.isAfter ?? true) { key, _ in
      body(IndexEntry(value: .null, key: key))
    }
  }
}

/// The children that a query shows, and where they end.
struct Selection {
  var keys: [ChildKey] = []
  /// The query's range, narrowed to the shown children if they are as many as its limit.
  var shown: QueryRange

  /// What the query shows of a location.
  init(of children: OrderedChildren) {
    let query = children.query
    shown = query.range
    let range = shown
    var last: IndexEntry?
    children.walkOut(from: query.fromEnd ? range.upper : range.lower) { entry in
      guard range.contains(entry) else { return false }
      keys.append(entry.key)
      last = entry
      return keys.count != query.limit
    }
    if let last, keys.count == query.limit { shown.narrow(query, to: last) }
  }
}

extension QueryRange {
  /// Lets the range end right behind the last shown child, as seen from where the limit counts.
  mutating func narrow(_ query: Query, to last: IndexEntry) {
    if query.fromEnd { lower = Cut(before: last) } else { upper = Cut(after: last) }
  }

  /// Lets the range end right in front of the first child that is no longer shown.
  mutating func narrow(_ query: Query, before next: IndexEntry) {
    if query.fromEnd { lower = Cut(after: next) } else { upper = Cut(before: next) }
  }
}

/// What a query shows of a location, read once.
///
/// A filtered value is made of children only: a leaf shows nothing, and the location's own priority does not
/// show.
///
/// - Parameter index: The index of the query's order, in step with the location; without it the location is
///   walked.
package func filtered(_ location: Node, query: Query, index: ChildIndex?) -> Node {
  if query.isDefault { return location }
  guard location.isObject else { return .null }
  if query.limit == nil, query.index != .key, index == nil { return scanned(location, query: query) }
  return location.picking(Selection(of: OrderedChildren(of: location, query: query, index: index)).keys)
}

/// The children in a query's range, found by looking at each.
private func scanned(_ location: Node, query: Query) -> Node {
  let range = query.range
  var children: [(ChildKey, Node)] = []
  location.forEachChild { key, child in
    if range.contains(IndexEntry(value: query.index.value(of: child), key: key)) {
      children.append((key, child))
    }
    return true
  }
  return Node(children: children)
}

extension Node {
  /// An object of some of the children.
  func picking(_ keys: some Sequence<ChildKey>) -> Node {
    Node(children: keys.map { ($0, self[$0]) })
  }
}

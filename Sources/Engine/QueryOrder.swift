package import JSONTree

/// Where a child stands among its siblings: sorted by the value of an index, then by key.
package struct IndexEntry: Sendable, Equatable {
  /// What the child is sorted by, without priorities; one and the same object stands for all objects.
  package let value: Node
  package let key: ChildKey

  package init(value: Node, key: ChildKey) {
    self.value = value
    self.key = key
  }

  /// How two children of one location stand to each other.
  package static func order(_ a: IndexEntry, _ b: IndexEntry) -> Order {
    Node.indexOrder(a.value, b.value).then(ChildKey.order(a.key, b.key))
  }
}

/// A place between two neighbours in an order.
package struct Cut: Sendable, Equatable {
  package let value: Node
  package let key: QueryKey
  /// True if the place is right after the pair of value and key, false if it is right before.
  package let isAfter: Bool

  package init(value: Node, key: QueryKey, isAfter: Bool) {
    self.value = value
    self.key = key
    self.isAfter = isAfter
  }

  /// The place right before a child.
  package init(before entry: IndexEntry) {
    self.init(value: entry.value, key: .key(entry.key), isAfter: false)
  }

  /// The place right after a child.
  package init(after entry: IndexEntry) {
    self.init(value: entry.value, key: .key(entry.key), isAfter: true)
  }

  /// True if the child stands before this place.
  package func isAbove(_ entry: IndexEntry) -> Bool {
    switch Node.indexOrder(entry.value, value) {
    case .less: return true
    case .greater: return false
    case .equal: break
    }
    switch key {
    case .min: return false
    case .max: return true
    case .key(let key):
      switch ChildKey.order(entry.key, key) {
      case .less: return true
      case .greater: return false
      case .equal: return isAfter
      }
    }
  }
}

/// A run of neighbours in an order: what lies between two places.
package struct QueryRange: Sendable, Equatable {
  /// Where the run begins; nil for the first child.
  package var lower: Cut?
  /// Where the run ends; nil for the last child.
  package var upper: Cut?

  package init(lower: Cut? = nil, upper: Cut? = nil) {
    self.lower = lower
    self.upper = upper
  }

  /// True if the child stands between the two places.
  package func contains(_ entry: IndexEntry) -> Bool {
    if let lower, lower.isAbove(entry) { return false }
    if let upper, !upper.isAbove(entry) { return false }
    return true
  }

  /// True if there is a child and it stands between the two places.
  func contains(_ entry: IndexEntry?) -> Bool {
    entry.map { contains($0) } ?? false
  }
}

extension Query {
  /// What lies between the query's bounds, before any limit.
  package var range: QueryRange {
    QueryRange(
      lower: start.map { cut($0, isAfter: !$0.inclusive) },
      upper: end.map { cut($0, isAfter: $0.inclusive) })
  }

  private func cut(_ bound: Bound, isAfter: Bool) -> Cut {
    Cut(value: index == .key ? .null : bound.value, key: bound.key, isAfter: isAfter)
  }
}

extension Query.Index {
  /// The one object in all indexes: objects are equal in every order, and an index must not keep them alive.
  private static let anyObject = Node(children: [(ChildKey(unchecked: "0"), Node(true))])

  /// What a child is sorted by. In an order by key that is null for all.
  package func value(of child: Node) -> Node {
    let value: Node
    switch self {
    case .key: return .null
    case .priority: return child.priority
    case .value: value = child
    case .child(let path): value = child[path]
    }
    return value.isObject ? Query.Index.anyObject : value.withPriority(.null)
  }

  /// Where a child stands; nil for one that is not there.
  package func entry(_ key: ChildKey, _ child: Node) -> IndexEntry? {
    child.isNull ? nil : IndexEntry(value: value(of: child), key: key)
  }
}

extension Node {
  /// Calls `body` with the children after a place in the order by key, upwards, until it returns false.
  func walkUp(from key: QueryKey, after: Bool, _ body: (ChildKey, Node) -> Bool) {
    switch key {
    case .min: forEachChild(body)
    case .max: return
    case .key(let key): forEachChild(from: key) { $0 == key && after ? true : body($0, $1) }
    }
  }

  /// Calls `body` with the children before a place in the order by key, downwards, until it returns false.
  func walkDown(from key: QueryKey, after: Bool, _ body: (ChildKey, Node) -> Bool) {
    switch key {
    case .min: return
    case .max: forEachChildReversed(body)
    case .key(let key): forEachChildReversed(from: key) { $0 == key && !after ? true : body($0, $1) }
    }
  }
}

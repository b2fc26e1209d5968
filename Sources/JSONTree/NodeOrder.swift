extension Node: Hashable {
  /// True if both have the same content, priorities included. Shared parts are not looked into.
  package static func == (a: Node, b: Node) -> Bool {
    a.content == b.content
  }

  /// True if both share storage or are equal leaves: then they are equal. May be false for equal objects.
  package func isIdentical(to other: Node) -> Bool {
    content.isIdentical(to: other.content)
  }

  /// The order of two values as an index sees it: null, false, true, numbers, strings, objects.
  ///
  /// Objects are equal to one another, and priorities do not count.
  package static func indexOrder(_ a: Node, _ b: Node) -> Order {
    a.value.indexOrder(b.value)
  }

  /// The order of the priorities of two nodes: none, then numbers, then strings.
  package static func priorityOrder(_ a: Node, _ b: Node) -> Order {
    indexOrder(a.priority, b.priority)
  }
}

extension Node.Content: Equatable {
  static func == (a: Node.Content, b: Node.Content) -> Bool {
    switch (a, b) {
    case (.object(let x), .object(let y)): x === y || Block.equal(x, y)
    case (.prioritized(let x, let p), .prioritized(let y, let q)): p == q && x == y
    default: a.isIdentical(to: b)
    }
  }

  func isIdentical(to other: Node.Content) -> Bool {
    switch (self, other) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.integer(let x), .integer(let y)): x == y
    case (.double(let x), .double(let y)): x == y
    case (.short(let x), .short(let y)): x == y
    case (.long(let x), .long(let y)): x == y
    case (.object(let x), .object(let y)): x === y
    case (.prioritized(let x, let p), .prioritized(let y, let q)):
      p.isIdentical(to: q) && x.isIdentical(to: y)
    default: false
    }
  }

  /// The place of the kind in the order of values.
  private var rank: Int {
    switch self {
    case .null: 0
    case .bool(let value): value ? 2 : 1
    case .integer, .double: 3
    case .short, .long: 4
    case .object, .prioritized: 5
    }
  }

  func indexOrder(_ other: Node.Content) -> Order {
    switch (self, other) {
    case (.integer(let x), .integer(let y)): return Order(x, y)
    case (.double(let x), .double(let y)): return Order(x, y)
    case (.integer(let x), .double(let y)): return Node.Content.order(x, y)
    case (.double(let x), .integer(let y)): return Node.Content.order(y, x).reversed
    default: break
    }
    let ranks = Order(rank, other.rank)
    if ranks != .equal { return ranks }
    let texts = withStringUTF8 { x in other.withStringUTF8 { y in ByteOrder.text(x, y) } }
    return (texts ?? .equal) ?? .equal
  }

  /// The order of an integer and a double that is not one.
  ///
  /// The double has a fraction, so it is below 2^53 and rounding the integer keeps the order; or it is out of
  /// the integer's range, where rounding can meet 2^63 from below.
  private static func order(_ x: Int64, _ y: Double) -> Order {
    Double(x) < y || y >= 0x1p63 ? .less : .greater
  }
}

extension Node {
  /// Feeds the whole content to the hasher. Walks all of it.
  package func hash(into hasher: inout Hasher) {
    if hasPriority { priority.hash(into: &hasher) }
    switch value {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .double(let value): hasher.combine(value)
    case .short(let text): hasher.combine(text)
    case .long(let bytes): hasher.combine(bytes)
    case .object, .prioritized:
      hasher.combine(childCount)
      forEachChild { key, node in
        hasher.combine(key)
        hasher.combine(node)
        return true
      }
    }
  }
}

import Engine
import JSONTree

/// A second opinion on queries: looks at every child, sorts by rules spelled out once more, and cuts.
enum QueryModel {
  private struct Child {
    let key: ChildKey
    let node: Node
    let value: SortValue
    let name: SortKey

    func precedes(_ other: Child) -> Bool {
      let side = value.side(other.value)
      return (side == 0 ? name.side(other.name) : side) < 0
    }
  }

  /// What the query shows, in its order.
  static func children(_ location: Node, _ query: Query) -> [(key: ChildKey, node: Node)] {
    let start = query.start.map { Edge($0, query) }
    let end = query.end.map { Edge($0, query) }
    var all: [Child] = []
    location.forEachChild { key, node in
      let child = Child(key: key, node: node, value: SortValue(of: node, query), name: SortKey(key))
      if let start, !start.isAtOrBefore(child.value, child.name) { return true }
      if let end, !end.isAtOrAfter(child.value, child.name) { return true }
      all.append(child)
      return true
    }
    all.sort { $0.precedes($1) }
    guard let limit = query.limit else { return all.map { ($0.key, $0.node) } }
    return (query.fromEnd ? all.suffix(limit) : all.prefix(limit)).map { ($0.key, $0.node) }
  }

  /// What the query shows, as a value.
  static func value(_ location: Node, _ query: Query) -> Node {
    query.isDefault ? location : Node(children: children(location, query).map { ($0.key, $0.node) })
  }
}

/// A bound, taken apart once.
private struct Edge {
  let value: SortValue
  let key: QueryKey
  let name: SortKey?
  let inclusive: Bool

  init(_ bound: Bound, _ query: Query) {
    value = query.index == .key ? SortValue(.null) : SortValue(bound.value)
    key = bound.key
    inclusive = bound.inclusive
    if case .key(let key) = bound.key { name = SortKey(key) } else { name = nil }
  }

  func isAtOrBefore(_ value: SortValue, _ name: SortKey) -> Bool {
    let side = side(value, name)
    return side > 0 || (side == 0 && inclusive)
  }

  func isAtOrAfter(_ value: SortValue, _ name: SortKey) -> Bool {
    let side = side(value, name)
    return side < 0 || (side == 0 && inclusive)
  }

  private func side(_ value: SortValue, _ name: SortKey) -> Int {
    let side = value.side(self.value)
    if side != 0 { return side }
    return self.name.map(name.side) ?? (key == .min ? 1 : -1)
  }
}

/// What children are sorted by first.
private struct SortValue {
  var rank = 0
  var integer: Int64?
  var double = 0.0
  var units: [UInt16] = []

  init(of child: Node, _ query: Query) {
    switch query.index {
    case .key: self.init(.null)
    case .priority: self.init(child.priority)
    case .value: self.init(child)
    case .child(let path): self.init(path.keys.reduce(child) { $0[$1] })
    }
  }

  init(_ node: Node) {
    switch node.kind {
    case .null: rank = 0
    case .bool(let value): rank = value ? 2 : 1
    case .integer(let value): (rank, integer, double) = (3, value, Double(value))
    case .double(let value): (rank, double) = (3, value)
    case .string(let value): (rank, units) = (4, Array(value.utf16))
    case .object: rank = 5
    }
  }

  func side(_ other: SortValue) -> Int {
    if rank != other.rank { return order(rank, other.rank) }
    if let integer, let integer2 = other.integer { return order(integer, integer2) }
    return double == other.double ? order(units, other.units) : order(double, other.double)
  }
}

/// What children are sorted by second: names, those first that look like 32-bit integers.
private struct SortKey {
  let integer: Int32?
  let units: [UInt16]

  init(_ key: ChildKey) {
    units = Array(key.text.utf16)
    var digits = units[...]
    if digits.first == 45 { digits.removeFirst() }
    let isNumber = !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
    integer =
      isNumber && digits.drop { $0 == 48 }.count <= 10 ? Int(key.text).flatMap(Int32.init(exactly:)) : nil
  }

  func side(_ other: SortKey) -> Int {
    switch (integer, other.integer) {
    case (.some(let x), .some(let y)): x == y ? order(units.count, other.units.count) : order(x, y)
    case (.some, nil): -1
    case (nil, .some): 1
    case (nil, nil): order(units, other.units)
    }
  }
}

private func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int {
  a < b ? -1 : (a == b ? 0 : 1)
}

private func order(_ a: [UInt16], _ b: [UInt16]) -> Int {
  a.lexicographicallyPrecedes(b) ? -1 : (a == b ? 0 : 1)
}

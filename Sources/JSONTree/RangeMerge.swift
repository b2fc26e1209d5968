/// What a client that holds another value must put in place of a stretch of its leaves.
package struct RangeMerge: Sendable, Equatable {
  /// The way to the last leaf before the stretch; nil: the stretch begins with the first leaf.
  package let start: String?
  /// The way to the last leaf of the stretch; nil: it goes to the end.
  package let end: String?
  /// The value's leaves in the stretch; null if there are none.
  package let value: Node

  package init(start: String?, end: String?, value: Node) {
    self.start = start
    self.end = end
    self.value = value
  }
}

extension Node {
  /// Stretches are joined so often at most before all is taken to differ.
  private static let mostJoins = 4

  /// The stretches in which this value differs from what the client holds, in order; nil if that is all of
  /// it.
  ///
  /// Neighbours are joined. A client can't keep the priority of an object of which it is given no child, so a
  /// stretch in which a priority stands alone is joined with those beside it.
  package func rangeMerges(for hash: CompoundHash) -> [RangeMerge]? {
    var differs = zip(rangeHashes(of: hash), hash.hashes).map { $0 != $1 }
    for _ in 0..<Self.mostJoins {
      let merges = self.merges(for: hash, where: &differs)
      if differs.allSatisfy({ $0 }) { return nil }
      if let merges { return merges }
    }
    return nil
  }

  /// Nil if a stretch had to be joined with another: then `differs` says more than before.
  private func merges(for hash: CompoundHash, where differs: inout [Bool]) -> [RangeMerge]? {
    var merges: [RangeMerge] = []
    var isComplete = true
    var next = 0
    while let first = differs[next...].firstIndex(of: true) {
      let end = differs[first...].firstIndex(of: false) ?? differs.count
      var slice = LeafSlice(
        start: first == 0 ? nil : hash.posts[first - 1], end: end == differs.count ? nil : hash.posts[end - 1]
      )
      let value = slice.of(self)
      if slice.hasLonePriority {
        isComplete = false
        if first > 0 { differs[first - 1] = true }
        if end < differs.count { differs[end] = true }
      }
      merges.append(
        RangeMerge(
          start: slice.start.map(CompoundHash.text), end: slice.end.map(CompoundHash.text), value: value))
      next = min(end + 1, differs.count)
    }
    return isComplete ? merges : nil
  }
}

/// The part of a value whose leaves lie behind one place and not behind another.
struct LeafSlice {
  let start: CompoundHash.Post?
  let end: CompoundHash.Post?
  /// An object's priority lies in the part and none of its children do.
  private(set) var hasLonePriority = false

  init(start: CompoundHash.Post?, end: CompoundHash.Post?) {
    self.start = start
    self.end = end
  }

  mutating func of(_ value: Node) -> Node {
    part(of: value, depth: 0, start: start, end: end)
  }

  /// `start` and `end` are given as long as the way to `node` is the beginning of theirs.
  private mutating func part(
    of node: Node, depth: Int, start: CompoundHash.Post?, end: CompoundHash.Post?
  ) -> Node {
    if start == nil, end == nil { return node }
    guard node.isObject else { return start == nil ? node : .null }
    if let end, end.count == depth { return .null }
    let low = start.flatMap { $0.count > depth ? $0[depth] : nil }
    let high = end?[depth]
    var children: [(ChildKey, Node)] = []
    func visit(_ key: ChildKey, _ child: Node) -> Bool {
      if let high, high < key { return false }
      let part = part(
        of: child, depth: depth + 1, start: key == low ? start : nil, end: key == high ? end : nil)
      if !part.isNull { children.append((key, part)) }
      return true
    }
    if let low { node.forEachChild(from: low, visit) } else { node.forEachChild(visit) }
    let result = Node(children: children)
    let hasPriority = !node.priority.isNull && low ?? .priority <= .priority && low != .priority
    guard hasPriority, high.map({ .priority <= $0 }) ?? true else { return result }
    if children.isEmpty { hasLonePriority = true }
    return result.withPriority(node.priority)
  }
}

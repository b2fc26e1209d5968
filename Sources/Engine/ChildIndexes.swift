package import JSONTree

/// The child indexes of one database: one per location and order, shared by all that ask.
///
/// An index is built when it is first asked for, kept in step with every write from then on, and dropped by
/// `sweep` when no view has held it and no read has used it for a while.
package struct ChildIndexes {
  /// One index and who needs it.
  fileprivate struct Slot {
    var index: ChildIndex
    /// How many views follow it.
    var holders = 0
    var lastUsedMilliseconds: Int64
  }

  /// The indexes of one location and of the places below it.
  fileprivate struct Site {
    var slots: [Slot] = []
    var below: [ChildKey: Site] = [:]

    var isEmpty: Bool { slots.isEmpty && below.isEmpty }
  }

  private var root = Site()
  /// How many indexes there are.
  package private(set) var count = 0

  package init() {}

  /// The index that a query of a location needs: built from the tree unless it is there.
  ///
  /// Nil for queries that need none, because they show everything or go by key.
  ///
  /// - Parameter tree: The root of the database's tree, with which all indexes are in step.
  package mutating func index(
    for query: Query, at path: Path, in tree: Node, nowMilliseconds: Int64
  ) -> ChildIndex? {
    use(query, at: path, in: tree) { slot in
      slot.lastUsedMilliseconds = nowMilliseconds
      return slot.index
    }
  }

  /// As `index`, and keeps the index until it is released as often as it was held.
  package mutating func hold(
    for query: Query, at path: Path, in tree: Node, nowMilliseconds: Int64
  ) -> ChildIndex? {
    use(query, at: path, in: tree) { slot in
      slot.lastUsedMilliseconds = nowMilliseconds
      slot.holders += 1
      return slot.index
    }
  }

  /// Lets go of an index that was held. It stays until `sweep` finds it idle.
  package mutating func release(for query: Query, at path: Path, nowMilliseconds: Int64) {
    guard query.needsIndex else { return }
    root.visit(path.keys) { site in
      guard let i = site.slots.firstIndex(where: { $0.index.order == query.index }) else { return }
      precondition(site.slots[i].holders > 0, "released more often than held")
      site.slots[i].holders -= 1
      site.slots[i].lastUsedMilliseconds = nowMilliseconds
    }
  }

  /// The index that a query of a location uses, if it is there; for views that hold it.
  package func index(for query: Query, at path: Path) -> ChildIndex? {
    guard count > 0, query.needsIndex else { return nil }
    var site = root
    for key in path.keys {
      guard let next = site.below[key] else { return nil }
      site = next
    }
    return site.slots.first { $0.index.order == query.index }?.index
  }

  /// True if a query of a location needs an index that is not there, so that asking for it would build it.
  package func lacksIndex(for query: Query, at path: Path) -> Bool {
    query.needsIndex && index(for: query, at: path) == nil
  }

  /// Takes in an index that was built elsewhere, so that a large location need not hold up the database.
  ///
  /// - Parameters:
  ///   - location: What the index was built from: the location at any time before now.
  ///   - tree: The root of the database's tree as it is now.
  package mutating func install(
    _ index: ChildIndex, builtFrom location: Node, at path: Path, in tree: Node, nowMilliseconds: Int64
  ) {
    let isNew = root.visit(path.keys) { site in
      if site.slots.contains(where: { $0.index.order == index.order }) { return false }
      var current = index
      current.replace(location, by: tree[path.withoutPriority])
      site.slots.append(Slot(index: current, lastUsedMilliseconds: nowMilliseconds))
      return true
    }
    if isNew { count += 1 }
  }

  /// Follows one write.
  ///
  /// - Parameters:
  ///   - before: The root of the tree before the write.
  ///   - after: The root of the tree after the write.
  ///   - touched: What the write set. None is above another.
  package mutating func update(before: Node, after: Node, touched: [Path]) {
    guard count > 0 else { return }
    for path in touched { root.update(before, after, path.keys, isPriority: path.endsWithPriority) }
  }

  /// Drops the indexes that nobody holds and that were last used at or before a time.
  package mutating func sweep(idleSinceMilliseconds: Int64) {
    guard count > 0 else { return }
    count -= root.sweep(idleSinceMilliseconds)
  }

  private mutating func use(
    _ query: Query, at path: Path, in tree: Node, _ body: (inout Slot) -> ChildIndex
  ) -> ChildIndex? {
    guard query.needsIndex else { return nil }
    var isNew = false
    let index = root.visit(path.keys) { site in
      if let i = site.slots.firstIndex(where: { $0.index.order == query.index }) {
        return body(&site.slots[i])
      }
      isNew = true
      let index = ChildIndex(building: tree[path.withoutPriority], order: query.index)
      site.slots.append(Slot(index: index, lastUsedMilliseconds: 0))
      return body(&site.slots[site.slots.count - 1])
    }
    if isNew { count += 1 }
    return index
  }
}

extension ChildIndexes.Site {
  /// Calls `body` with the site at a path, which is made if need be.
  fileprivate mutating func visit<R>(
    _ keys: ArraySlice<ChildKey>, _ body: (inout ChildIndexes.Site) -> R
  ) -> R {
    guard let key = keys.first else { return body(&self) }
    return below[key, default: .init()].visit(keys.dropFirst(), body)
  }

  /// Follows a write to a path below this site.
  fileprivate mutating func update(
    _ before: Node, _ after: Node, _ keys: ArraySlice<ChildKey>, isPriority: Bool
  ) {
    if isEmpty || before.isIdentical(to: after) { return }
    guard let key = keys.first else {
      // A place's own priority stands in the index of the place above, which has seen it.
      if !isPriority { replace(before, by: after) }
      return
    }
    let old = before[key]
    let new = after[key]
    for i in slots.indices { slots[i].index.update(key, from: old, to: new, in: after) }
    guard !below.isEmpty else { return }
    below[key]?.update(old, new, keys.dropFirst(), isPriority: isPriority)
  }

  /// Follows a write of this place or of one above.
  private mutating func replace(_ before: Node, by after: Node) {
    if before.isIdentical(to: after) { return }
    for i in slots.indices { slots[i].index.replace(before, by: after) }
    for key in Array(below.keys) { below[key]?.replace(before[key], by: after[key]) }
  }

  /// Drops idle indexes and returns how many.
  fileprivate mutating func sweep(_ idleSinceMilliseconds: Int64) -> Int {
    let all = slots.count
    slots.removeAll { $0.holders == 0 && $0.lastUsedMilliseconds <= idleSinceMilliseconds }
    var dropped = all - slots.count
    for key in Array(below.keys) {
      guard let count = below[key]?.sweep(idleSinceMilliseconds) else { continue }
      dropped += count
      if below[key]?.isEmpty ?? true { below[key] = nil }
    }
    return dropped
  }
}

extension Query {
  /// True if the query's order is not the tree's own and is of consequence.
  package var needsIndex: Bool { index != .key && !isDefault }
}

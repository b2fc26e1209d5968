package import JSONTree

/// The order of the children of one location by priority, by value or by a path below each.
///
/// Kept in step with the location, it finds any place in the order in time that grows with the logarithm of
/// the number of children. An order by key needs none: the tree itself is sorted by key.
///
/// Children whose index value is null stand first, by key. While few children have a value (the usual case
/// for priorities) those without are not listed: the tree is walked in their place, passing over the few.
package struct ChildIndex: Sendable {
  package let order: Query.Index
  private(set) var listed = SortedEntries()
  /// True if children without an index value are listed as well.
  private(set) var listsNulls = false

  /// How many children with an index value there may be before all children are listed.
  static let sparseLimit = 256

  /// An index of the children that a location has.
  package init(building location: Node, order: Query.Index) {
    precondition(order != .key, "the tree is its own index by key")
    self.order = order
    build(location)
  }

  /// Takes note of a child that a write changed, added or removed. Harmless if repeated.
  ///
  /// - Parameter location: The location after the whole write.
  package mutating func update(_ key: ChildKey, from old: Node, to new: Node, in location: Node) {
    let before = order.entry(key, old)
    let after = order.entry(key, new)
    if let before, let after, Node.indexOrder(before.value, after.value) == .equal { return }
    if let before, isListed(before) { listed.remove(before) }
    if let after, isListed(after) { listed.insert(after) }
    if listsNulls {
      if listed.count == 0 { listsNulls = false }
    } else if listed.count > ChildIndex.sparseLimit {
      listNulls(of: location)
    }
  }

  /// Takes note of a write at or above the location.
  ///
  /// Children that both trees share are passed over; if most are new the index is built again.
  package mutating func replace(_ before: Node, by after: Node) {
    var changes: [(ChildKey, Node, Node)] = []
    let most = max(ChildIndex.sparseLimit, after.childCount / 4)
    Node.forEachDifference(before, after) { key, old, new in
      if changes.count <= most { changes.append((key, old, new)) }
    }
    if changes.count > most {
      build(after)
    } else {
      for (key, old, new) in changes { update(key, from: old, to: new, in: after) }
    }
  }

  private func isListed(_ entry: IndexEntry) -> Bool {
    listsNulls || !entry.value.isNull
  }

  /// Calls `body` with the children that stand after a place (from the first one without), upwards in the
  /// order, until it returns false.
  package func walkUp(from cut: Cut?, in location: Node, _ body: (IndexEntry) -> Bool) {
    if !listsNulls, cut?.value.isNull ?? true {
      var goesOn = true
      location.walkUp(from: cut?.key ?? .min, after: cut?.isAfter ?? false) { key, child in
        guard order.value(of: child).isNull else { return true }
        goesOn = body(IndexEntry(value: .null, key: key))
        return goesOn
      }
      if !goesOn { return }
    }
    _ = listed.walkUp(from: listed.position(of: cut), body)
  }

  /// Calls `body` with the children that stand before a place (from the last one without), downwards in the
  /// order, until it returns false.
  package func walkDown(from cut: Cut?, in location: Node, _ body: (IndexEntry) -> Bool) {
    let end = SortedEntries.Position(chunk: listed.chunks.count, offset: 0)
    guard listed.walkDown(from: cut.map { listed.position(of: $0) } ?? end, body), !listsNulls else { return }
    let isAmongNulls = cut?.value.isNull ?? false
    let key = isAmongNulls ? cut?.key ?? .max : .max
    location.walkDown(from: key, after: isAmongNulls && cut?.isAfter ?? true) { key, child in
      guard order.value(of: child).isNull else { return true }
      return body(IndexEntry(value: .null, key: key))
    }
  }
}

extension ChildIndex {
  private mutating func build(_ location: Node) {
    var entries = EntrySorter()
    location.forEachChild { key, child in
      let value = order.value(of: child)
      if !value.isNull { entries.append(IndexEntry(value: value, key: key)) }
      return true
    }
    listsNulls = false
    listed = SortedEntries(ascending: entries.sorted())
    if listed.count > ChildIndex.sparseLimit { listNulls(of: location) }
  }

  /// Lists the children without an index value too, now that passing over the others takes too long.
  private mutating func listNulls(of location: Node) {
    listsNulls = true
    if listed.count == location.childCount { return }
    var nulls: ContiguousArray<IndexEntry> = []
    nulls.reserveCapacity(max(0, location.childCount - listed.count))
    location.forEachChild { key, child in
      if order.value(of: child).isNull { nulls.append(IndexEntry(value: .null, key: key)) }
      return true
    }
    listed = SortedEntries(ascending: [Array(nulls)[...], listed.chunks.joined().map { $0 }[...]].joined())
  }
}

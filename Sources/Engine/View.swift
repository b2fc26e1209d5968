package import JSONTree

/// What one query shows of one location, kept in step with the location.
///
/// A view holds no children: it knows between which places in the query's order the shown ones stand, and how
/// many they are. So a write costs the number of children it touched times the logarithm of how many there
/// are, whatever the query shows.
///
/// An order that the rules do not index is not kept: such a view shows everything, and clients filter.
package struct View: Sendable {
  /// The location.
  package let path: Path
  package let query: Query
  /// False for an order by value or child that the rules do not list in `.indexOn`.
  package let isIndexed: Bool

  /// Between which places the shown children stand, and all that stand there are shown.
  ///
  /// This is the query's range; if as many children are shown as the limit allows, it is narrowed to them.
  private(set) var shown: QueryRange
  /// How many children are shown.
  private(set) var count = 0

  /// How many children a location without the index may have to be sorted for a limited view on every change.
  static let sortedWithoutIndex = 1_000

  package init(path: Path, query: Query, isIndexed: Bool) {
    self.path = path
    self.query = query
    self.isIndexed = isIndexed
    shown = query.range
  }

  /// True if the location shows whole, so that no index is ever asked for.
  package var showsAll: Bool { query.isDefault || !isIndexed }

  /// Begins with the location as it is, and returns what shows of it.
  ///
  /// - Parameter index: The index of the query's order, in step with the location; nil for an order by key
  ///   and for a view that shows all.
  package mutating func start(_ location: Node, index: ChildIndex?) -> Node {
    if query.isDefault { return location }
    guard location.isObject else {
      shown = query.range
      count = 0
      return .null
    }
    if !isIndexed { return location.withPriority(.null) }
    let selection = Selection(of: OrderedChildren(of: location, query: query, index: index))
    shown = selection.shown
    count = selection.keys.count
    return location.picking(selection.keys)
  }

  /// Follows one write, and returns what listeners must be told; nil if they see no difference.
  ///
  /// - Parameters:
  ///   - write: The write, which the other views of the location follow too.
  ///   - index: As for `start`, in step with the location after the write; rarely asked for.
  package mutating func update(
    _ write: inout LocationWrite, index: @autoclosure () -> ChildIndex?
  ) -> Change? {
    if write.isVoid { return nil }
    if write.isWhole { return replace(write.before, by: write.after, index: showsAll ? nil : index()) }
    var changes = ViewChanges()
    if query.isDefault {
      changes.staying = write.written
    } else if isIndexed {
      slide(over: write.moves(by: query.index), in: write.after, index, &changes)
    } else {
      showAll(write, &changes)
    }
    return changes.change(at: path, mergedAt: write.base, after: write.after)
  }

  /// As the other form, for a write that one view alone follows.
  package mutating func update(
    before: Node, after: Node, touched: [Path], mergedAt base: Path? = nil, index: ChildIndex?
  ) -> Change? {
    var write = LocationWrite(before: before, after: after, touched: touched, mergedAt: base)
    return update(&write, index: index)
  }

  /// Shows a location that was written as a whole.
  private mutating func replace(_ before: Node, by after: Node, index: ChildIndex?) -> Change? {
    let wasEmpty = showsAll ? !before.isObject : count == 0
    let value = start(after, index: index)
    return !query.isDefault && wasEmpty && value.isNull ? nil : .set(path, value)
  }
}

extension View {
  /// Moves the window over children that changed.
  ///
  /// The changed children first come and go between the places where the window stood. If it then holds more
  /// than the limit it ends earlier, if fewer it reaches further out.
  private mutating func slide(
    over moves: [ChildMove], in after: Node, _ index: () -> ChildIndex?, _ changes: inout ViewChanges
  ) {
    // Most writes concern few of a location's views: they come no further than this.
    guard moves.contains(where: { shown.contains($0.old) || shown.contains($0.new) }) else { return }
    let wereShown = moves.map { shown.contains($0.old) }
    for (move, wasShown) in zip(moves, wereShown) {
      if wasShown { count -= 1 }
      if shown.contains(move.new) { count += 1 }
    }
    if let limit = query.limit, count != limit {
      let passing = fit(OrderedChildren(of: after, query: query, index: index()), limit)
      let moved = passing.isEmpty ? [] : Set(moves.map(\.child.key))
      for entry in passing where !moved.contains(entry.key) {
        if shown.contains(entry) {
          changes.entering.append(entry.key)
        } else {
          changes.leaving.append(entry.key)
        }
      }
    }
    for (move, wasShown) in zip(moves, wereShown) {
      switch (wasShown, shown.contains(move.new)) {
      case (true, true): changes.staying.append(contentsOf: move.child.paths)
      case (true, false): changes.leaving.append(move.child.key)
      case (false, true): changes.entering.append(move.child.key)
      case (false, false): break
      }
    }
  }

  /// Makes the window as long as the limit allows, and returns the children that its end passed over.
  private mutating func fit(_ children: OrderedChildren, _ limit: Int) -> [IndexEntry] {
    let surplus = count - limit
    let range = query.range
    let far = query.fromEnd ? shown.lower : shown.upper
    var passing: [IndexEntry] = []
    if surplus > 0 {
      children.walkIn(from: far) { entry in
        passing.append(entry)
        return passing.count < surplus
      }
      if let last = passing.last { shown.narrow(query, before: last) }
      count = limit
    } else if shown != range {
      children.walkOut(from: far) { entry in
        guard range.contains(entry) else { return false }
        passing.append(entry)
        return passing.count < -surplus
      }
      count += passing.count
      shown = range
      if count == limit, let last = passing.last { shown.narrow(query, to: last) }
    }
    return passing
  }

  /// Shows every changed child whole: a client filters what it gets, so it may not have the child.
  ///
  /// For the same reason a child that moves up into a limit is sent, though it did not change; in a location
  /// of many children that would cost too much, and clients show fewer until the next change.
  private func showAll(_ write: LocationWrite, _ changes: inout ViewChanges) {
    let (before, after) = (write.before, write.after)
    for child in write.children {
      if after[child.key].isNull {
        changes.leaving.append(child.key)
      } else {
        changes.entering.append(child.key)
      }
    }
    let most = View.sortedWithoutIndex
    guard query.limit != nil, before.childCount <= most, after.childCount <= most else { return }
    let old = Selection(of: OrderedChildren(of: before, query: query, index: nil)).keys
    let new = Selection(of: OrderedChildren(of: after, query: query, index: nil)).keys
    let known = Set(old).union(write.children.map(\.key))
    changes.entering += new.filter { !known.contains($0) }
  }
}

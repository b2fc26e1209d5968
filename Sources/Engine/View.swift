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
  /// Values that are the same storage or equal leaves before and after are passed over; comparing more is the
  /// caller's choice.
  ///
  /// - Parameters:
  ///   - before: The location before the write.
  ///   - after: The location after the write.
  ///   - touched: What the write set, relative to the location; the root path if it set the location or a
  ///     place above. None is above another.
  ///   - base: For a merge the path its keys are relative to, itself relative to the location (the root path
  ///     if it lies above); nil for a write of one place.
  ///   - index: As for `start`, in step with `after`.
  package mutating func update(
    before: Node, after: Node, touched: [Path], mergedAt base: Path? = nil, index: ChildIndex?
  ) -> Change? {
    if before.isIdentical(to: after) { return nil }
    if touched.contains(.root) { return replace(before, by: after, index: index) }
    let written = touched.filter { !before[$0].isIdentical(to: after[$0]) }
    var changes = ViewChanges(staying: written)
    if !query.isDefault {
      let children = TouchedChild.all(in: written)
      changes = ViewChanges()
      if isIndexed {
        let ordered = OrderedChildren(of: after, query: query, index: index)
        slide(over: children, from: before, in: ordered, &changes)
      } else {
        showAll(children, before: before, after: after, &changes)
      }
    }
    return changes.change(at: path, mergedAt: base, after: after)
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
    over children: [TouchedChild], from before: Node, in after: OrderedChildren, _ changes: inout ViewChanges
  ) {
    let moves = children.map { child in
      let old = query.index.entry(child.key, before[child.key])
      let new = query.index.entry(child.key, after.location[child.key])
      return Move(child: child, wasShown: old.map(shown.contains) ?? false, new: new)
    }
    for move in moves {
      if move.wasShown { count -= 1 }
      if let new = move.new, shown.contains(new) { count += 1 }
    }
    let passing = fit(after)
    let touched = passing.isEmpty ? [] : Set(children.map(\.key))
    for entry in passing where !touched.contains(entry.key) {
      if shown.contains(entry) {
        changes.entering.append(entry.key)
      } else {
        changes.leaving.append(entry.key)
      }
    }
    for move in moves {
      let isShown = move.new.map(shown.contains) ?? false
      switch (move.wasShown, isShown) {
      case (true, true): changes.staying.append(contentsOf: move.child.paths)
      case (true, false): changes.leaving.append(move.child.key)
      case (false, true): changes.entering.append(move.child.key)
      case (false, false): break
      }
    }
  }

  /// Makes the window as long as the limit allows, and returns the children that its end passed over.
  private mutating func fit(_ children: OrderedChildren) -> [IndexEntry] {
    guard let limit = query.limit, count != limit else { return [] }
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
  private func showAll(
    _ children: [TouchedChild], before: Node, after: Node, _ changes: inout ViewChanges
  ) {
    for child in children {
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
    let known = Set(old).union(children.map(\.key))
    changes.entering += new.filter { !known.contains($0) }
  }

  /// A changed child on its way in, out or within the window.
  private struct Move {
    var child: TouchedChild
    var wasShown: Bool
    /// Where the child stands now, nil if it is gone.
    var new: IndexEntry?
  }
}

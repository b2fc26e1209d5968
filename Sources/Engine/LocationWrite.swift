package import JSONTree

/// One write as the views of one location see it.
///
/// What they have in common is worked out once, so that a write to a location with thousands of views costs
/// each but a look at where the changed children stand.
package struct LocationWrite {
  package let before: Node
  package let after: Node
  let base: Path?
  /// True if the write set the location itself or a place above.
  let isWhole: Bool
  /// The places below that the write set and that differ, relative to the location.
  let written: [Path]
  /// The children that hold these places.
  let children: [TouchedChild]
  private var moves: [(order: Query.Index, moves: [ChildMove])] = []

  /// A write as seen from a location.
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
  package init(before: Node, after: Node, touched: [Path], mergedAt base: Path? = nil) {
    self.before = before
    self.after = after
    self.base = base
    isWhole = touched.contains(.root)
    written = isWhole ? [] : touched.filter { !before[$0].isIdentical(to: after[$0]) }
    children = TouchedChild.all(in: written)
  }

  /// True if the location did not change.
  var isVoid: Bool { isWhole ? before.isIdentical(to: after) : written.isEmpty }

  /// Where the changed children stood and stand in an order.
  mutating func moves(by order: Query.Index) -> [ChildMove] {
    if let known = moves.first(where: { $0.order == order }) { return known.moves }
    let new = children.map { child in
      ChildMove(
        child: child, old: order.entry(child.key, before[child.key]),
        new: order.entry(child.key, after[child.key]))
    }
    moves.append((order, new))
    return new
  }
}

/// A child that a write changed, and the places that were set in it.
struct TouchedChild {
  let key: ChildKey
  /// The places, relative to the location.
  var paths: [Path]

  /// The children that hold the given places, in the order of the first place of each.
  static func all(in touched: [Path]) -> [TouchedChild] {
    var children: [TouchedChild] = []
    var positions: [ChildKey: Int] = [:]
    for path in touched where !path.isRoot {
      if let position = positions[path[0]] {
        children[position].paths.append(path)
      } else {
        if touched.count > 1 { positions[path[0]] = children.count }
        children.append(TouchedChild(key: path[0], paths: [path]))
      }
    }
    return children
  }
}

/// A changed child on its way in an order: nil for where it is not.
struct ChildMove {
  let child: TouchedChild
  let old: IndexEntry?
  let new: IndexEntry?
}

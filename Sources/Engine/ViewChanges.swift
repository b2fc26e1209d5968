import JSONTree

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

/// What a write did to the children that a view shows.
///
/// Clients that see a filtered location know only the children it shows, so a child that comes into sight is
/// sent whole, and one that leaves is sent as null. All is one change: there is no moment in between.
struct ViewChanges {
  /// Children that are no longer shown.
  var leaving: [ChildKey] = []
  /// Children that are now shown, or must be sent whole for another reason.
  var entering: [ChildKey] = []
  /// Places set in children that were shown and still are.
  var staying: [Path] = []

  /// The change that listeners are told, if there is any.
  ///
  /// - Parameter base: See `View.update`.
  func change(at path: Path, mergedAt base: Path?, after: Node) -> Change? {
    guard leaving.isEmpty, entering.isEmpty else {
      var entries = leaving.map { MergeEntry([$0], .null) }
      entries += entering.map { MergeEntry([$0], after[$0]) }
      entries += staying.map { MergeEntry($0, after[$0]) }
      return .merge(path, entries)
    }
    guard let first = staying.first else { return nil }
    if base == nil, staying.count == 1 { return .set(path.appending(first), after[first]) }
    var common = Path.root
    if let base, staying.allSatisfy(base.contains) { common = base }
    return .merge(path.appending(common), staying.map { MergeEntry($0.relative(to: common), after[$0]) })
  }
}

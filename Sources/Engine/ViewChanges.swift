import JSONTree

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
  /// - Parameter base: See `LocationWrite`.
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

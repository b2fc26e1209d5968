import Engine
import JSONTree

/// A client of one listen that treats pushes as official clients do.
///
/// A client of a filtered listen filters what it gets and forgets the rest, ignores a deep update of a child
/// it does not know, and of one merge handles the children it shows before the others.
struct ViewClient {
  let path: Path
  let query: Query
  private(set) var value: Node

  init(path: Path, query: Query, initial: Node) {
    self.path = path
    self.query = query
    value = QueryModel.value(initial, query)
  }

  mutating func apply(_ change: Change) {
    switch change {
    case .set(let place, let node):
      apply([MergeEntry(place.relative(to: path), node)])
    case .merge(let place, let entries):
      let base = place.relative(to: path)
      apply(entries.map { MergeEntry(base.appending($0.path), $0.value) })
    }
  }

  private mutating func apply(_ entries: [MergeEntry]) {
    if query.isDefault {
      for entry in entries { value.set(entry.value, at: entry.path) }
      return
    }
    let shown = value
    let isShown = { (entry: MergeEntry) in entry.path.keys.first.map { !shown[$0].isNull } ?? true }
    for entry in entries where isShown(entry) { overwrite(entry) }
    for entry in entries where !isShown(entry) { overwrite(entry) }
  }

  private mutating func overwrite(_ entry: MergeEntry) {
    if entry.path.isRoot {
      if !entry.path.endsWithPriority { value = QueryModel.value(entry.value, query) }
      return
    }
    let isDeep = entry.path.count > 1 || entry.path.endsWithPriority
    if isDeep, value[entry.path[0]].isNull { return }
    value.set(entry.value, at: entry.path)
    value = QueryModel.value(value, query)
  }
}

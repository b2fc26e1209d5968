import Engine
import JSONTree

extension Change {
  /// The same change in steps that each take about so many bytes, for clients that take no longer message.
  ///
  /// The last step leaves what the whole change would have left; a single leaf is never cut.
  func pieces(of bytes: Int) -> [Change] {
    var batches: [[MergeEntry]] = [[]]
    var size = 0
    func add(_ path: Path, _ value: Node) {
      let valueBytes = value.estimatedBytes
      if valueBytes > bytes, value.isObject {
        value.forEachChild { key, child in
          add(path.appending(key), child)
          return true
        }
        if !value.priority.isNull { add(path.priority, value.priority) }
        return
      }
      if size + valueBytes > bytes, size > 0 {
        batches.append([])
        size = 0
      }
      batches[batches.count - 1].append(MergeEntry(path, value))
      size += valueBytes
    }
    switch self {
    case .set(let path, let value):
      add(.root, value)
      let start = batches[0].reduce(into: Node.null) { $0.set($1.value, at: $1.path) }
      return [.set(path, start)] + batches.dropFirst().map { .merge(path, $0) }
    case .merge(let path, let entries):
      // A long value must replace what is there before it can be added to.
      let long = entries.filter { $0.value.isObject && $0.value.estimatedBytes > bytes }
      for entry in entries where !long.contains(where: { $0.path == entry.path }) {
        add(entry.path, entry.value)
      }
      return batches.filter { !$0.isEmpty }.map { .merge(path, $0) }
        + long.flatMap { Change.set(path.appending($0.path), $0.value).pieces(of: bytes) }
    }
  }
}

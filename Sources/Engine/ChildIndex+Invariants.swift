package import JSONTree

extension ChildIndex {
  /// What is wrong with the index of a location: nothing, unless there is a fault in this code. Walks all.
  package func fault(in location: Node) -> String? {
    if let fault = listed.fault { return fault }
    if !listsNulls, listed.count > ChildIndex.sparseLimit { return "children without a value are not listed" }
    var listable = 0
    location.forEachChild { key, child in
      if listsNulls || !order.value(of: child).isNull { listable += 1 }
      return true
    }
    if listed.count != listable { return "lists \(listed.count) children of \(listable)" }
    for entry in listed.chunks.joined() {
      guard let actual = order.entry(entry.key, location[entry.key]) else {
        return "\(entry.key) is not there"
      }
      if actual != entry { return "\(entry.key) stands at \(entry.value), not at \(actual.value)" }
    }
    return nil
  }
}

extension SortedEntries {
  /// What is wrong with the entries among themselves.
  var fault: String? {
    if count != chunks.reduce(0, { $0 + $1.count }) { return "the count is wrong" }
    var last: IndexEntry?
    for chunk in chunks {
      if chunk.isEmpty { return "a chunk is empty" }
      if chunk.count > SortedEntries.chunkCapacity { return "a chunk holds \(chunk.count) entries" }
      for entry in chunk {
        if let last, IndexEntry.order(last, entry) != .less {
          return "\(entry.key) does not stand after \(last.key)"
        }
        last = entry
      }
    }
    return nil
  }
}

extension ChildIndex {
  /// Of how many pieces the index is made.
  package var chunkCount: Int { listed.chunks.count }
}

package import JSONTree

extension View {
  /// What is wrong with the view of a location: nothing, unless there is a fault in this code. Walks all.
  package func fault(in location: Node) -> String? {
    if showsAll { return count == 0 ? nil : "counts children although it shows all" }
    let selection = Selection(of: OrderedChildren(of: location, query: query, index: nil))
    if count != selection.keys.count { return "counts \(count) children of \(selection.keys.count)" }
    if let limit = query.limit, count < limit, shown != query.range { return "ends before its limit" }
    let keys = Set(selection.keys)
    var fault: String?
    location.forEachChild { key, child in
      guard let entry = query.index.entry(key, child), shown.contains(entry) != keys.contains(key) else {
        return true
      }
      fault = keys.contains(key) ? "\(key) is not shown" : "\(key) is shown"
      return false
    }
    return fault
  }
}

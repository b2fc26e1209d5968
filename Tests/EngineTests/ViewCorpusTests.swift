import Engine
import JSONTree
import Testing

@Suite struct ViewCorpusTests {
  @Test func `every write of the corpus is told as it should be`() throws {
    for item in try QueryCorpus.cases("views/changes.json") {
      #expect(try told(item) == expected(item), "\(item["name"])")
    }
  }

  /// What the listen of a case is told about its write.
  private func told(_ item: Node) throws -> Change? {
    let location = try Path(item["at"].string ?? "")
    let query = try QueryCorpus.query(item["query"])
    var view = View(path: location, query: query, isIndexed: item["indexed"].bool ?? true)
    let before = item["tree"]
    var indexes = ChildIndexes()
    _ = view.start(
      before[location], index: indexes.hold(for: query, at: location, in: before, nowMilliseconds: 0))
    var base: Path?
    var entries: [MergeEntry]
    if let merge = item["merge"].string {
      let path = try Path(merge)
      entries = try QueryCorpus.entries(item["entries"])
      for i in entries.indices { entries[i].path = path.appending(entries[i].path) }
      base = path.seen(from: location)
    } else {
      entries = [MergeEntry(try Path(item["put"].string ?? "", allowsPriority: true), item["value"])]
    }
    var after = before
    for entry in entries { after.set(entry.value, at: entry.path) }
    indexes.update(before: before, after: after, touched: entries.map(\.path))
    return view.update(
      before: before[location], after: after[location],
      touched: entries.compactMap { $0.path.seen(from: location) },
      mergedAt: base, index: view.showsAll ? nil : indexes.index(for: query, at: location))
  }

  private func expected(_ item: Node) throws -> Change? {
    if let place = item["set"].string { return .set(try Path(place, allowsPriority: true), item["to"]) }
    guard let place = item["merged"].string else { return nil }
    return .merge(try Path(place), try QueryCorpus.entries(item["changes"]))
  }
}

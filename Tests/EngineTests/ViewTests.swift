import Engine
import TestSupport
import JSONTree
import Testing

@Suite struct ViewTests {
  @Test(arguments: UInt64(1)...12)
  func `clients of a view see what its query asks for after every write`(seed: UInt64) throws {
    var generator = ViewGenerator(random: SeededNumbers(seed: seed))
    let location = try Path(generator.random.pick(["", "harbor", "harbor/berths"]))
    var trial = try ViewTrial(location: location, views: 8, children: 10, &generator)
    for step in 0..<120 {
      try trial.write(&generator)
      let faults = trial.faults()
      #expect(faults.isEmpty, "seed \(seed), step \(step): \(faults.joined(separator: "\n"))")
      if !faults.isEmpty { return }
    }
  }

  @Test(arguments: UInt64(1)...2)
  func `views of many children stay right`(seed: UInt64) throws {
    var generator = ViewGenerator(random: SeededNumbers(seed: seed))
    generator.keys = (0..<700).map { ChildKey(unchecked: $0 % 3 == 0 ? "\($0)" : "-N\($0)") }
    var trial = try ViewTrial(location: [], views: 6, children: 900, &generator)
    for step in 0..<40 {
      try trial.write(&generator)
      let faults = trial.faults()
      #expect(faults.isEmpty, "seed \(seed), step \(step): \(faults.joined(separator: "\n"))")
      if !faults.isEmpty { return }
    }
  }
}

/// Some views of one location, and for each a client and a plain fold of its changes.
private struct ViewTrial {
  private struct Watcher {
    var view: View
    var client: ViewClient
    /// What the changes make of the initial value if taken literally.
    var literal: Node
    var changes: [Change] = []
  }

  private let location: Path
  private var tree: Node
  private var indexes = ChildIndexes()
  private var watchers: [Watcher] = []
  private var lastWrite: [MergeEntry] = []
  private var complaints: [String] = []

  init(location: Path, views: Int, children: Int, _ generator: inout ViewGenerator) throws {
    self.location = location
    tree = Node.null.setting(generator.location(count: children), at: location)
    for _ in 0..<views {
      let query = try generator.query()
      let isIndexed = query.index.declaredName == nil || !generator.random.chance(4)
      var view = View(path: location, query: query, isIndexed: isIndexed)
      let index = view.showsAll ? nil : indexes.hold(for: query, at: location, in: tree, nowMilliseconds: 0)
      let value = view.start(tree[location], index: index)
      let client = ViewClient(path: location, query: query, initial: value)
      watchers.append(Watcher(view: view, client: client, literal: value))
    }
  }

  mutating func write(_ generator: inout ViewGenerator) throws {
    let (base, entries) = generator.write(near: location, in: tree)
    let before = tree
    for entry in entries { tree.set(entry.value, at: entry.path) }
    lastWrite = entries
    indexes.update(before: before, after: tree, touched: entries.map(\.path))
    let touched = entries.compactMap { $0.path.seen(from: location) }
    guard !touched.isEmpty else { return }
    var write = LocationWrite(
      before: before[location], after: tree[location], touched: touched, mergedAt: base?.seen(from: location))
    for i in watchers.indices {
      let query = watchers[i].view.query
      let change = watchers[i].view.update(&write, index: indexes.index(for: query, at: location))
      guard let change else { continue }
      watchers[i].changes.append(change)
      check(change, watchers[i])
      watchers[i].client.apply(change)
      apply(change, to: &watchers[i].literal)
    }
  }

  /// A change of a filtered view must speak of shown children only, and whole of those that were not.
  private mutating func check(_ change: Change, _ watcher: Watcher) {
    guard !watcher.view.showsAll, case .merge(let place, let entries) = change else { return }
    let shown = filtered(tree[location], query: watcher.view.query, index: nil)
    let base = place.relative(to: location)
    for entry in entries {
      let path = base.appending(entry.path)
      if !entry.value.isNull, shown[path.prefix(1)].isNull { complaints.append("tells of \(path) unseen") }
      if path.count > 1, watcher.literal[path[0]].isNull {
        complaints.append("goes deep into unknown \(path)")
      }
    }
  }

  private func apply(_ change: Change, to value: inout Node) {
    switch change {
    case .set(let place, let node):
      value.set(node, at: place.relative(to: location))
    case .merge(let place, let entries):
      let base = place.relative(to: location)
      for entry in entries { value.set(entry.value, at: base.appending(entry.path)) }
    }
  }

  func faults() -> [String] {
    var faults = complaints
    for watcher in watchers {
      let query = watcher.view.query
      let expected = QueryModel.value(tree[location], query)
      let whole = query.isDefault ? tree[location] : tree[location].onlyChildren
      let index = indexes.index(for: query, at: location)
      let checks: [(String, Bool)] = [
        ("the client", watcher.client.value == expected),
        ("the literal fold", watcher.literal == (watcher.view.showsAll ? whole : expected)),
        ("reading once", filtered(tree[location], query: query, index: nil) == expected),
        ("reading by the index", filtered(tree[location], query: query, index: index) == expected),
      ]
      var wrong = checks.filter { !$0.1 }.map { "\($0.0) is wrong" }
      if let fault = watcher.view.fault(in: tree[location]) { wrong.append("the view " + fault) }
      if let fault = index?.fault(in: tree[location]) { wrong.append("the index: " + fault) }
      guard !wrong.isEmpty else { continue }
      faults += wrong
      faults.append("query: \(query)\nindexed: \(watcher.view.isIndexed)\nwrite: \(lastWrite)")
      faults.append("change: \(watcher.changes.suffix(1))\ntree: \(tree[location])\nexpected: \(expected)")
      faults.append("client: \(watcher.client.value)\nliteral: \(watcher.literal)")
    }
    return faults
  }
}

extension Node {
  /// The children without anything of the node's own; nothing for a leaf.
  fileprivate var onlyChildren: Node { isObject ? withPriority(.null) : .null }
}

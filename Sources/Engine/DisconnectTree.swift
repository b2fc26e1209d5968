import JSONTree

/// What one session wants written when it ends: a sparse tree of values, none of which stands above another.
struct DisconnectTree: Sendable {
  /// One remembered write.
  struct Record: Sendable {
    /// Its name in the log's state; numbers are never used twice in one session.
    var number: UInt64
    /// Where to write; may end in `.priority`.
    var path: Path
    var value: UnresolvedValue
    /// The size of its text, as it is kept.
    var bytes: Int
  }

  /// What an operation did to the records.
  struct Edits {
    var removed: [UInt64] = []
    var added: [Record] = []
    /// How many more bytes the records take.
    fileprivate var bytes = 0

    fileprivate mutating func add(_ record: Record) {
      added.append(record)
      bytes += record.bytes
    }

    fileprivate mutating func remove(_ record: Record) {
      removed.append(record.number)
      bytes -= record.bytes
    }
  }

  /// A place with a record at it, or with records below it.
  fileprivate struct Place: Sendable {
    var record: Record?
    /// A record for the place's priority alone.
    var priority: Record?
    var children: [ChildKey: Place] = [:]

    var isEmpty: Bool { record == nil && priority == nil && children.isEmpty }
  }

  private var root = Place()
  private var nextNumber: UInt64 = 1
  /// How many records there are, and how many bytes they take.
  private(set) var count = 0
  private(set) var bytes = 0

  var isEmpty: Bool { count == 0 }

  /// All records, parents before children.
  var records: [Record] {
    var all: [Record] = []
    DisconnectTree.collect(root, &all)
    return all
  }

  /// Carries out an operation; nil, with the tree in no state to be used, if there would be too many records.
  mutating func apply(_ operation: DisconnectOperation, recordLimit: Int = .max) -> Edits? {
    var edits = Edits()
    switch operation {
    case .put(let path, let value):
      remember(value, at: path, &edits)
    case .merge(let base, let changes):
      for (path, value) in changes where !base.endsWithPriority {
        remember(value, at: base.appending(path), &edits)
      }
    case .cancel(let path):
      guard forget(path, recordLimit, &edits) else { return nil }
    }
    bytes += edits.bytes
    // What was added and removed again by one operation was never there.
    let removed = Set(edits.removed)
    let fleeting = Set(edits.added.map(\.number)).intersection(removed)
    edits.added.removeAll { fleeting.contains($0.number) }
    edits.removed.removeAll { fleeting.contains($0) }
    count += edits.added.count - edits.removed.count
    return count <= recordLimit ? edits : nil
  }

  /// Puts a record back as it was kept.
  mutating func restore(_ record: Record) {
    nextNumber = max(nextNumber, record.number + 1)
    var edits = Edits()
    DisconnectTree.edit(&root, record.path.keys) { $0.replace(record, &edits) }
    count += 1
    bytes += record.bytes
  }

  private mutating func remember(_ value: UnresolvedValue, at path: Path, _ edits: inout Edits) {
    if let (place, record) = covering(path) {
      let changed = record.value.setting(value, at: path.relative(to: place))
      let renewed = make(place, changed)
      DisconnectTree.edit(&root, place.keys) { $0.replace(renewed, &edits) }
      edits.add(renewed)
    } else {
      let record = make(path, value)
      DisconnectTree.edit(&root, path.keys) { $0.replace(record, &edits) }
      edits.add(record)
    }
  }

  /// False if it would break a value up into more records than there may be.
  private mutating func forget(_ path: Path, _ recordLimit: Int, _ edits: inout Edits) -> Bool {
    // A remembered object above is broken up, level by level, down to the path.
    while let (place, record) = covering(path), place != path {
      guard record.value.node.isObject, !path.relative(to: place).isRoot else { return true }
      guard record.value.node.childCount <= recordLimit else { return false }
      DisconnectTree.edit(&root, place.keys) { $0.clear(&edits) }
      for (key, value) in record.value.children {
        let part = make(place.appending(key), value)
        DisconnectTree.edit(&root, part.path.keys) { $0.replace(part, &edits) }
        edits.add(part)
      }
    }
    DisconnectTree.edit(&root, path.keys) { place in
      if path.endsWithPriority {
        if let old = place.priority { edits.remove(old) }
        place.priority = nil
      } else {
        place.clear(&edits)
      }
    }
    return true
  }

  /// The record at a path or above it, which decides what is there.
  private func covering(_ path: Path) -> (place: Path, record: Record)? {
    var place = root
    for (depth, key) in path.keys.enumerated() {
      if let record = place.record { return (path.prefix(depth).withoutPriority, record) }
      guard let next = place.children[key] else { return nil }
      place = next
    }
    guard let record = place.record else { return nil }
    // A put of the place itself replaces its record; one of its priority changes it.
    return path.endsWithPriority ? (path.withoutPriority, record) : nil
  }

  private mutating func make(_ path: Path, _ value: UnresolvedValue) -> Record {
    defer { nextNumber += 1 }
    return Record(
      number: nextNumber, path: path, value: value, bytes: value.text.count + path.text.utf8.count)
  }

  /// Edits the place at a path and removes what is empty afterwards.
  private static func edit(_ place: inout Place, _ keys: ArraySlice<ChildKey>, _ body: (inout Place) -> Void)
  {
    guard let key = keys.first else { return body(&place) }
    var child = place.children.removeValue(forKey: key) ?? Place()
    edit(&child, keys.dropFirst(), body)
    if !child.isEmpty { place.children[key] = child }
  }

  private static func collect(_ place: Place, _ all: inout [Record]) {
    if let record = place.record { all.append(record) }
    if let record = place.priority { all.append(record) }
    for child in place.children.sorted(by: { $0.key < $1.key }) { collect(child.value, &all) }
  }
}

extension DisconnectTree.Place {
  /// Makes a record the only one at and below the place, or the one of its priority.
  fileprivate mutating func replace(_ record: DisconnectTree.Record, _ edits: inout DisconnectTree.Edits) {
    if record.path.endsWithPriority {
      if let old = priority { edits.remove(old) }
      priority = record
    } else {
      clear(&edits)
      self.record = record
    }
  }

  fileprivate mutating func clear(_ edits: inout DisconnectTree.Edits) {
    if let record { edits.remove(record) }
    if let priority { edits.remove(priority) }
    for key in Array(children.keys) { children[key]?.clear(&edits) }
    self = Self()
  }
}

extension UnresolvedValue {
  /// The value after another was written inside it, server values included.
  func setting(_ value: UnresolvedValue, at path: Path) -> UnresolvedValue {
    var result = self
    result.node.set(value.node, at: path)
    let isKept = value.node.isNull && value.serverValues.isEmpty && node[path].isNull
    if isKept { return result }
    result.serverValues.removeAll { old in
      path.contains(old.path) || path.priority == old.path
        || (!old.path.endsWithPriority && old.path.contains(path) && !path.endsWithPriority)
    }
    for (place, serverValue) in value.serverValues where place == .root || !path.endsWithPriority {
      result.serverValues.append((path.appending(place), serverValue))
    }
    return result
  }

  /// The children with the server values that lie in each.
  var children: [(ChildKey, UnresolvedValue)] {
    var inside: [ChildKey: [(path: Path, value: ServerValue)]] = [:]
    for (path, value) in serverValues {
      if let key = path.keys.first { inside[key, default: []].append((path.dropFirst(1), value)) }
    }
    var all: [(ChildKey, UnresolvedValue)] = []
    node.forEachChild { key, child in
      all.append((key, UnresolvedValue(node: child, serverValues: inside[key] ?? [])))
      return true
    }
    return all
  }
}

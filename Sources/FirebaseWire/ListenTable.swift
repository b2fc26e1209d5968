import Engine
import JSONTree

/// A listen of one connection.
struct Listen {
  enum Stage {
    /// The database has not answered yet.
    case asked
    /// The client hears of every change.
    case standing
    /// Over for the client, but its request is not answered yet.
    case ended
  }

  /// What is shown of the place, and the query's text as the client wrote it.
  final class Filter: Sendable {
    let query: Query
    let text: [UInt8]

    init(query: Query, text: [UInt8]) {
      self.query = query
      self.text = text
    }
  }

  let id: ListenID
  let path: Path
  /// None for a whole place, as most listens are.
  let filter: Filter?
  let tag: UInt32?
  /// The number of the request that began it.
  let number: Int64
  /// The hash of what the client holds, until the first value is known.
  var hash: String?
  var stage = Stage.asked

  var query: Query { filter?.query ?? .all }
}

/// The listens of one connection, by name and by what they show.
///
/// Invariant: of the listens that have not ended no two show the same with the same tag.
struct ListenTable {
  /// Up to this many listens a search is as good as an index, and an idle connection needs none.
  private static let searchedCount = 16

  private var listens: [ListenID: Listen] = [:]
  /// The listens at each path; nil while there are few.
  private var names: [Path: [ListenID]]?
  private var last: ListenID = 0

  var count: Int { listens.count }

  /// A name that no listen of this connection has had.
  mutating func nextID() -> ListenID {
    last += 1
    return last
  }

  subscript(id: ListenID) -> Listen? {
    get { listens[id] }
    set {
      guard let newValue else { return remove(id) }
      let isNew = listens.updateValue(newValue, forKey: id) == nil
      if isNew { index(newValue) }
    }
  }

  /// The listen that a client means by a path and a query; without a tag any listen of that query will do.
  func find(path: Path, query: Query, tag: UInt32?) -> Listen? {
    var found: Listen?
    for listen in candidates(path)
    where listen.path == path && listen.stage != .ended && listen.query == query {
      if listen.tag == tag { return listen }
      found = listen
    }
    return tag == nil && query != .all ? found : nil
  }

  private func candidates(_ path: Path) -> [Listen] {
    if let names { return (names[path] ?? []).compactMap { listens[$0] } }
    return Array(listens.values)
  }

  private mutating func index(_ listen: Listen) {
    if names != nil {
      names?[listen.path, default: []].append(listen.id)
    } else if listens.count > ListenTable.searchedCount {
      names = Dictionary(grouping: listens.values, by: \.path).mapValues { $0.map(\.id) }
    }
  }

  private mutating func remove(_ id: ListenID) {
    guard let listen = listens.removeValue(forKey: id) else { return }
    if listens.isEmpty {
      self = ListenTable(after: last)
      return
    }
    guard var ids = names?[listen.path] else { return }
    ids.removeAll { $0 == id }
    names?[listen.path] = ids.isEmpty ? nil : ids
  }

  init() {}

  private init(after last: ListenID) {
    self.last = last
  }
}

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

  /// What a client means when it ends a listen.
  struct Name: Hashable {
    let path: Path
    let query: Query
    let tag: UInt32?
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
  /// What the client holds, until the first value is known.
  var held: HeldValue?
  fileprivate(set) var stage = Stage.asked

  init(id: ListenID, path: Path, filter: Filter?, tag: UInt32?, number: Int64, held: HeldValue?) {
    self.id = id
    self.path = path
    self.filter = filter
    self.tag = tag
    self.number = number
    self.held = held
  }

  var name: Name { Name(path: path, query: filter?.query ?? .all, tag: tag) }
}

/// The listens of one connection, by the names they have here and by the names that the client calls them.
///
/// Invariant: of the listens that have not ended no two have the same name.
struct ListenTable {
  /// Up to this many listens a search is as good as an index, and an idle connection needs none.
  private static let searchedCount = 8

  private var listens: [ListenID: Listen] = [:]
  /// The listens that have not ended; nil while there are few.
  private var names: [Listen.Name: ListenID]?
  private var last: ListenID = 0

  /// A name that no listen of this connection has had.
  mutating func nextID() -> ListenID {
    last += 1
    return last
  }

  /// A listen, whatever its stage.
  subscript(id: ListenID) -> Listen? { listens[id] }

  /// The listen that a client means, if it has not ended.
  subscript(name: Listen.Name) -> Listen? {
    if let names { return names[name].flatMap { listens[$0] } }
    return listens.values.first { $0.path == name.path && $0.stage != .ended && $0.name == name }
  }

  mutating func add(_ listen: Listen) {
    listens[listen.id] = listen
    if names != nil {
      names?[listen.name] = listen.id
    } else if listens.count > ListenTable.searchedCount {
      names = Dictionary(
        listens.values.filter { $0.stage != .ended }.map { ($0.name, $0.id) }, uniquingKeysWith: { $1 })
    }
  }

  /// Forgets what the client held before the listen.
  mutating func forgetHeld(_ id: ListenID) {
    listens[id]?.held = nil
  }

  /// The database has answered: the listen stands, or what was left of it goes.
  mutating func stand(_ id: ListenID) {
    if listens[id]?.stage == .ended { remove(id) } else { listens[id]?.stage = .standing }
  }

  /// Ends a listen; while it is not answered it is kept for that.
  mutating func end(_ id: ListenID) {
    guard let listen = listens[id] else { return }
    if listen.stage == .standing { return remove(id) }
    listens[id]?.stage = .ended
    names?[listen.name] = nil
  }

  mutating func remove(_ id: ListenID) {
    guard let listen = listens.removeValue(forKey: id) else { return }
    if listen.stage != .ended { names?[listen.name] = nil }
    if listens.isEmpty { self = ListenTable(after: last) }
  }

  init() {}

  private init(after last: ListenID) {
    self.last = last
  }
}

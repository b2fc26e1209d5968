import JSONTree

/// Everything a database knows at one place of its log: the users' tree, and what the engine keeps beside it.
struct State: Sendable {
  /// What users read and write.
  var data: Node
  /// `rules` (the rules text), `settings/…` and `disconnect/<session>/…` (`DisconnectTree`), as leaves.
  var meta: Node

  static let empty = State(data: .null, meta: .null)

  private static let dataKey = ChildKey(unchecked: "data")
  private static let metaKey = ChildKey(unchecked: "meta")

  init(data: Node, meta: Node) {
    self.data = data
    self.meta = meta
  }

  init(root: Node) {
    data = root[State.dataKey]
    meta = root[State.metaKey]
  }

  /// Both as one tree, the form that checkpoints have.
  var root: Node {
    Node(children: [(State.dataKey, data), (State.metaKey, meta)])
  }

  mutating func apply(_ set: ResolvedSet) {
    switch set.part {
    case .data: data.set(set.value, at: set.path)
    case .meta: meta.set(set.value, at: set.path)
    }
  }
}

/// One overwrite, with nothing left to decide.
struct ResolvedSet: Sendable, Equatable {
  enum Part: Sendable { case data, meta }
  var part: Part
  var path: Path
  var value: Node

  init(_ part: Part, _ path: Path, _ value: Node) {
    self.part = part
    self.path = path
    self.value = value
  }
}

/// Where the engine's own records stand in `State.meta`.
enum MetaPath {
  private static let rulesKey = ChildKey(unchecked: "rules")
  static let disconnectKey = ChildKey(unchecked: "disconnect")
  /// Under a session: the identity its operations run with. All other keys there are record numbers.
  static let callerKey = ChildKey(unchecked: "caller")

  static let rules = Path([rulesKey])

  static func setting(_ name: ChildKey) -> Path { Path([ChildKey(unchecked: "settings"), name]) }

  static func session(_ id: ChildKey) -> Path { Path([disconnectKey, id]) }
  static func caller(of id: ChildKey) -> Path { Path([disconnectKey, id, callerKey]) }
  static func record(_ number: UInt64, of id: ChildKey) -> Path {
    Path([disconnectKey, id, ChildKey(unchecked: String(number))])
  }
}

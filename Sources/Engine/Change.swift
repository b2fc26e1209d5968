package import JSONTree

/// What one listen must be told about one write. Paths are absolute in the database.
package enum Change: Sendable, Equatable {
  /// Overwrite everything at the path (which may end in `.priority`); null deletes.
  case set(Path, Node)
  /// At the path: overwrite each relative path. Never empty, and no entry is above another.
  case merge(Path, [MergeEntry])

  /// The place that the change is about.
  package var path: Path {
    switch self {
    case .set(let path, _), .merge(let path, _): path
    }
  }
}

/// One overwrite inside a merge, relative to the merge's path.
package struct MergeEntry: Sendable, Equatable {
  package var path: Path
  package var value: Node

  package init(_ path: Path, _ value: Node) {
    self.path = path
    self.value = value
  }
}

/// The name of a listen, chosen by the wire, unique among its client's listens.
package typealias ListenID = UInt64

/// Something that one client alone must hear, to be encoded on the client's loop.
package enum ListenEvent: Sendable {
  /// The value when the listen began (filtered by its query); always before the listen's answer and its first
  /// change.
  case initial(ListenID, Node)
  /// One change, for a listen with `sendsLocally`.
  case change(ListenID, Change)
  /// What each listen that hears for itself shows now, after changes that its client has let go by. Every
  /// change that follows is a later one.
  case refreshed([(listen: ListenID, value: Node)])
  /// The listen has ended because it is no longer allowed.
  case revoked(ListenID, EngineError)
  /// The client's credential is worth nothing any more, so it is nobody from now on. What its listens lose by
  /// that is told after this.
  case dismissed(AuthenticationError.Reason)
}

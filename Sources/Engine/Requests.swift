package import JSONTree

/// A put or an update, with the server values still in it.
package struct WriteRequest: Sendable {
  package enum Kind: Sendable {
    /// Overwrite everything at the path (which may end in `.priority`); a null value deletes.
    case put(Path, UnresolvedValue)
    /// At the path: overwrite each relative path, all or nothing. The paths must not overlap.
    case merge(Path, [(path: Path, value: UnresolvedValue)])
  }

  package var kind: Kind
  /// What must hold at the put's path, or nothing is written. Puts only.
  package var condition: Condition?
  /// The answer shall carry the resolved values.
  package var wantsValue: Bool
  /// Refuse with `tooBig` when the resolved values are larger than this.
  package var sizeLimitBytes: Int?

  package init(
    _ kind: Kind, condition: Condition? = nil, wantsValue: Bool = false, sizeLimitBytes: Int? = nil
  ) {
    self.kind = kind
    self.condition = condition
    self.wantsValue = wantsValue
    self.sizeLimitBytes = sizeLimitBytes
  }

  /// An unconditional put.
  package static func put(_ path: Path, _ value: Node) -> WriteRequest {
    WriteRequest(.put(path, UnresolvedValue(value)))
  }
}

/// What a conditional put demands of the present value.
package enum Condition: Sendable, Equatable {
  /// The value's hash in one of the dialects is this; `""` is the hash of nothing.
  case hash(String, dialects: [HashDialect])
  /// There is nothing there.
  case absent
  /// There is something there; for a priority, something that can have one.
  case present
}

/// Please tell me what is at a path, and from then on every change.
package struct ListenRequest: Sendable {
  package var path: Path
  package var query: Query
  /// How this listen's pushes look; listens of one view and form share one encoding.
  package var form: PushForm
  package var listen: ListenID
  /// Changes come as `ListenEvent.change` instead of frames; `form` still tells which listens shadow each
  /// other.
  package var sendsLocally: Bool
  /// Up to where the client knows the place. If what was written since is known and the listen is of a whole
  /// place, only that is told, as a change, instead of the `.initial` event.
  package var since: LogMark?

  package init(
    path: Path, query: Query = .all, form: PushForm, listen: ListenID, sendsLocally: Bool = false,
    since: LogMark? = nil
  ) {
    self.since = since
    self.path = path
    self.query = query
    self.form = form
    self.listen = listen
    self.sendsLocally = sendsLocally
  }
}

/// What shall happen when a session ends.
package enum DisconnectOperation: Sendable {
  /// Remember to put this value.
  case put(Path, UnresolvedValue)
  /// Remember to put each of these values, relative to the path.
  case merge(Path, [(path: Path, value: UnresolvedValue)])
  /// Forget everything remembered at and below the path.
  case cancel(Path)
}

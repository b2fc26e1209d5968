package import JSONTree
package import Rules

/// Why a request was refused or a listen ended. Texts for clients are the wires'.
package struct EngineError: Error, Sendable, Equatable {
  package enum Reason: Sendable, Equatable {
    /// The rules said no; the explanation is there if the client may be told.
    case permissionDenied(Explanation?)
    /// The query needs `.indexOn: index` at the path (`index` is a child path, or `.value`).
    case noIndex(index: String, path: Path)
    /// The value read or written is larger than a limit.
    case tooBig
    /// The request makes no sense; the text says why.
    case invalid(String)
    /// The log can't take writes now; the text is for the operator.
    case unavailable(String)
    /// A queue is full: try again later.
    case overloaded
    /// The database is closing or closed.
    case closed
  }

  package let reason: Reason

  package init(_ reason: Reason) {
    self.reason = reason
  }
}

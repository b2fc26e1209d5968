package import JSONTree

/// The one answer to one request.
package struct Answer: Sendable {
  /// The request's tag, as the wire gave it.
  package let tag: UInt64
  package let outcome: Outcome

  package init(tag: UInt64, outcome: Outcome) {
    self.tag = tag
    self.outcome = outcome
  }
}

/// How a request ended.
package enum Outcome: Sendable {
  /// Durable, and its pushes have gone before. Holds what was set, server values resolved, when the request
  /// wanted it (absolute paths).
  case written([MergeEntry]?)
  /// What a get found, filtered by its query.
  case value(Node)
  /// The listen stands; its `.initial` event has gone before. `noIndex`: nothing is filtered, for want of an
  /// index.
  case listening(noIndex: Bool)
  /// Done, and nothing to tell.
  case done
  /// The condition of a conditional write did not hold; what is there instead.
  case stale(current: Node)
  case failed(EngineError)
}

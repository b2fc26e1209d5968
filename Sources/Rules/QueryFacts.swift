package import JSONTree

/// What rules may ask about the query of a read: the fields of the variable `query`.
package struct QueryFacts: Sendable, Equatable {
  package var orderByKey = false
  package var orderByValue = false
  package var orderByPriority = false
  /// The child path that orders the query; nil for the other orders.
  package var orderByChild: String?
  /// Bounds as values; nil when the query has none. An end of null is `.some(.null)`.
  package var startAt: Node?
  package var endAt: Node?
  package var equalTo: Node?
  package var limitToFirst: Int?
  package var limitToLast: Int?

  package init() {}
}

/// What the rules say of one operation.
package enum Decision: Sendable, Equatable {
  case allowed
  case denied(Explanation)

  /// The operation may go ahead.
  package var isAllowed: Bool { self == .allowed }
}

/// Why an operation was refused, for logs and for admins; clients in production never see it.
package struct Explanation: Sendable, Equatable {
  /// `.read`, `.write` or `.validate`.
  package var rule: String
  /// The data path that was asked for, without a leading slash.
  package var path: String
  /// One sentence: which rule, at which line of the rules, said no, or that no rule applies.
  package var reason: String

  package init(rule: String, path: String, reason: String) {
    self.rule = rule
    self.path = path
    self.reason = reason
  }
}

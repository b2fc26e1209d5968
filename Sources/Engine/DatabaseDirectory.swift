package import JSONTree
package import NIOCore
package import Rules

/// Finds, opens and, where that is allowed, creates databases by name.
package protocol DatabaseDirectory: Sendable {
  /// Calls `completion` on `eventLoop`, at once when the database is open and this is that loop.
  func database(
    named name: String, on eventLoop: any EventLoop,
    completion: @escaping @Sendable (Result<Database, DirectoryError>) -> Void)
}

/// Why there is no database to talk to.
package enum DirectoryError: Error, Equatable, Sendable {
  /// No such database, or no such name.
  case unknown
  /// Switched off by the operator, with the reason to tell.
  case disabled(String)
  /// It could not be opened; the text is for the operator.
  case failed(String)
}

/// Turns a credential into a caller.
package protocol Authenticator: Sendable {
  /// Whoever was accepted is accepted again until it ends, as long as this stays the same; nil if nothing can
  /// be said.
  var generation: UInt64? { get }

  /// The answer by what is known now.
  func authenticate(_ credential: String, database: DatabaseID, nowSeconds: Int64)
    -> Result<Authentication, AuthenticationError>

  /// The answer, or nil when something has to be fetched for it: then `later` is called once, on any thread.
  func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64,
    later: @escaping @Sendable (Result<Authentication, AuthenticationError>) -> Void
  ) -> Result<Authentication, AuthenticationError>?
}

extension Authenticator {
  package var generation: UInt64? { nil }

  package func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64,
    later: @escaping @Sendable (Result<Authentication, AuthenticationError>) -> Void
  ) -> Result<Authentication, AuthenticationError>? {
    authenticate(credential, database: database, nowSeconds: nowSeconds)
  }
}

/// An accepted credential.
package struct Authentication: Sendable, Equatable {
  package var caller: Caller
  /// What the client is told of itself: the rules variable `auth`, null for an operator.
  package var payload: Node

  package init(caller: Caller, payload: Node) {
    self.caller = caller
    self.payload = payload
  }
}

/// Why a credential was not accepted, with a text for the client.
package struct AuthenticationError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable { case invalid, expired }
  package let reason: Reason
  package let text: String

  package init(_ reason: Reason, _ text: String) {
    self.reason = reason
    self.text = text
  }
}

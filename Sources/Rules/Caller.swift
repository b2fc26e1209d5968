package import JSONTree

/// Who is asking: what rules see as `auth`, and whether rules are asked at all.
package struct Caller: Sendable, Equatable {
  /// The rules variable `auth`: an object with `uid`, `provider` and `token`, or null when signed out.
  package var auth: Node
  /// Rules are bypassed (indexes are still needed).
  package var isAdmin: Bool
  /// When the credential ends, in seconds since 1970; nil when it does not.
  package var expiresAtSeconds: Int64?

  /// Bypasses the rules of its own database, and has no say about others or about the server.
  package var isConfined = false

  /// An operator in somebody else's name: denials are explained to them.
  package var isOperator = false

  /// What can be taken away from under the credential before it ends; nil when nothing can.
  package var grounds: Grounds?

  package init(auth: Node, isAdmin: Bool = false, expiresAtSeconds: Int64? = nil) {
    self.auth = auth
    self.isAdmin = isAdmin
    self.expiresAtSeconds = expiresAtSeconds
  }

  /// Nobody: no credential was presented.
  package static let anonymous = Caller(auth: .null)
  /// The operator of the server: the admin secret, or `owner` in dev mode.
  package static let admin = Caller(auth: .null, isAdmin: true)
  /// The operator of one database: one of its secrets.
  package static let databaseAdmin = {
    var caller = admin
    caller.isConfined = true
    return caller
  }()
}

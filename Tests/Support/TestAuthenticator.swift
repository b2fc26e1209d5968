package import Engine
import JSONTree
import Rules

/// Knows `owner`, `user:NAME`, `user:NAME:SECOND` (where it ends) and `expired`.
package struct TestAuthenticator: Authenticator {
  package init() {}

  package func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64
  ) -> Result<Authentication, AuthenticationError> {
    if credential == "owner" { return .success(Authentication(caller: .admin, payload: .null)) }
    if credential == "expired" {
      return .failure(AuthenticationError(.expired, "Auth token is expired."))
    }
    let parts = credential.split(separator: ":").map(String.init)
    guard parts.count >= 2, parts[0] == "user" else {
      return .failure(AuthenticationError(.invalid, "Could not parse auth token."))
    }
    let auth = Node(children: [
      (ChildKey(unchecked: "provider"), Node("custom")), (ChildKey(unchecked: "uid"), Node(parts[1])),
    ])
    let second = parts.count > 2 ? Int64(parts[2]) : nil
    return .success(
      Authentication(caller: Caller(auth: auth, expiresAtSeconds: second), payload: auth))
  }
}

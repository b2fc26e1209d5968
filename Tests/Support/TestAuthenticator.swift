package import Engine
import JSONTree
import Rules
import Synchronization

/// Answers that wait for something to be fetched.
package final class FetchedAnswers: Sendable {
  private let waiting = Mutex<[@Sendable () -> Void]>([])

  package init() {}

  func wait(_ answer: @escaping @Sendable () -> Void) { waiting.withLock { $0.append(answer) } }

  /// What was to be fetched is there.
  package func arrive() {
    let answers = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for answer in answers { answer() }
  }
}

/// Knows `owner`, `user:NAME`, `user:NAME:SECOND` (where it ends) and `expired`; what begins with `fetch:`
/// has to wait for something.
package struct TestAuthenticator: Authenticator {
  private let fetching: FetchedAnswers

  package init(fetching: FetchedAnswers = FetchedAnswers()) {
    self.fetching = fetching
  }

  package func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64,
    later: @escaping @Sendable (Result<Authentication, AuthenticationError>) -> Void
  ) -> Result<Authentication, AuthenticationError>? {
    guard credential.hasPrefix("fetch:") else {
      return authenticate(credential, database: database, nowSeconds: nowSeconds)
    }
    let rest = String(credential.dropFirst("fetch:".utf8.count))
    fetching.wait { later(authenticate(rest, database: database, nowSeconds: nowSeconds)) }
    return nil
  }

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

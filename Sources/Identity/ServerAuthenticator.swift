import Crypto
package import Engine
import JSONTree
import Rules

/// Decides who a credential stands for, for all databases of a server.
///
/// The admin secret and a database's own secrets make operators; signed tokens are checked against the
/// keyring. With `isDevelopment`, `owner` is the operator too, and tokens are believed unsigned.
package struct ServerAuthenticator: Authenticator {
  private let secret: AdminSecret?
  private let isDevelopment: Bool
  private let keyring: Keyring
  private let verified = VerifiedTokens()
  private let clock: any Clock

  package init(
    secret: AdminSecret?, isDevelopment: Bool, keyring: Keyring = Keyring(), clock: any Clock = SystemClock()
  ) {
    self.secret = secret
    self.isDevelopment = isDevelopment
    self.keyring = keyring
    self.clock = clock
  }

  package var generation: UInt64? { keyring.generation }

  package func authenticate(_ credential: String, database: DatabaseID, nowSeconds: Int64)
    -> Result<Authentication, AuthenticationError>
  {
    switch look(at: credential, database, nowSeconds) {
    case .known(let result): return result
    case .needsKeys(let provider):
      provider.refresh(nowSeconds: nowSeconds)
      return .failure(Self.unreadable)
    }
  }

  package func authenticate(
    _ credential: String, database: DatabaseID, nowSeconds: Int64,
    later: @escaping @Sendable (Result<Authentication, AuthenticationError>) -> Void
  ) -> Result<Authentication, AuthenticationError>? {
    switch look(at: credential, database, nowSeconds) {
    case .known(let result): return result
    case .needsKeys(let provider):
      let isWaiting = provider.refresh(nowSeconds: nowSeconds) {
        switch look(at: credential, database, clock.nowMilliseconds() / 1000) {
        case .known(let result): later(result)
        case .needsKeys: later(.failure(Self.unreadable))
        }
      }
      return isWaiting ? nil : .failure(Self.unreadable)
    }
  }

  private enum Finding {
    case known(Result<Authentication, AuthenticationError>)
    case needsKeys(IdentityProvider)
  }

  private func look(at credential: String, _ database: DatabaseID, _ now: Int64) -> Finding {
    guard credential.utf8.count <= IdentityLimits.tokenBytes else { return .known(.failure(Self.unreadable)) }
    var credential = credential
    let digest = credential.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
    // First what is asked for most: a caller whose token was verified before.
    let generation = keyring.generation
    let known = verified.authentication(
      of: digest, in: database, generation: generation, nowSeconds: now)
    if let known { return .known(.success(known)) }
    if let secret, secret.matches(digest) { return .known(.success(Self.operator)) }
    if let id = keyring.secretID(digest, of: database.name) {
      return .known(.success(Self.databaseAdmin(.secret(id))))
    }
    if isDevelopment { return .known(believe(credential, now)) }
    switch TokenVerifier(keyring: keyring).verify(credential, database: database.name, nowSeconds: now) {
    case .needsKeys(let provider): return .needsKeys(provider)
    case .refused(.expired): return .known(.failure(Self.expired))
    case .refused: return .known(.failure(Self.unreadable))
    case .verified(let token):
      let authentication = Self.authentication(by: token)
      verified.remember(
        authentication, of: digest, in: database, bytes: credential.utf8.count, generation: generation)
      return .known(.success(authentication))
    }
  }

  private static let `operator` = Authentication(caller: .admin, payload: .null)
  private static let unreadable = AuthenticationError(.invalid, "Could not parse auth token.")
  private static let expired = AuthenticationError(.expired, "Auth token is expired.")

  private static func databaseAdmin(_ grounds: Grounds?, expiresAtSeconds: Int64? = nil) -> Authentication {
    var caller = Caller.databaseAdmin
    caller.expiresAtSeconds = expiresAtSeconds
    caller.grounds = grounds
    return Authentication(caller: caller, payload: .null)
  }

  private static func authentication(by token: TokenVerifier.Verified) -> Authentication {
    let claims = token.claims
    if token.kind == .service || token.kind == .custom && claims.isAdmin {
      return databaseAdmin(token.grounds, expiresAtSeconds: claims.expiresAtSeconds)
    }
    let auth = (token.kind == .custom ? claims.customAuth : claims.identityAuth) ?? .null
    var caller = Caller(auth: auth, expiresAtSeconds: claims.expiresAtSeconds)
    caller.isOperator = token.kind == .custom && claims.isDebug
    caller.grounds = token.grounds
    return Authentication(caller: caller, payload: auth)
  }

  /// Development: `owner`, and every token as it says of itself.
  private func believe(_ credential: String, _ now: Int64) -> Result<Authentication, AuthenticationError> {
    if credential == "owner" { return .success(Self.operator) }
    guard let claims = Token(credential)?.claims else { return .failure(Self.unreadable) }
    if let end = claims.expiresAtSeconds, end <= now { return .failure(Self.expired) }
    if let start = claims.beginsAtSeconds, start > now { return .failure(Self.unreadable) }
    if claims.isAdmin { return .success(Self.databaseAdmin(nil, expiresAtSeconds: claims.expiresAtSeconds)) }
    guard let auth = claims.anyAuth else { return .failure(Self.unreadable) }
    let caller = Caller(auth: auth, expiresAtSeconds: claims.expiresAtSeconds)
    return .success(Authentication(caller: caller, payload: auth))
  }
}

package import Engine
import JSONTree
import Rules

/// Decides who a credential stands for, for all databases of a server.
///
/// With `isDevelopment`, `owner` is the operator and tokens are believed unsigned. Without it the admin
/// secret is the only credential there is: signed tokens are refused until their verification exists.
package struct ServerAuthenticator: Authenticator {
  private let secret: AdminSecret?
  private let isDevelopment: Bool

  package init(secret: AdminSecret?, isDevelopment: Bool) {
    self.secret = secret
    self.isDevelopment = isDevelopment
  }

  package func authenticate(_ credential: String, database: DatabaseID, nowSeconds: Int64)
    -> Result<Authentication, AuthenticationError>
  {
    if let secret, secret.matches(credential) { return .success(Self.admin()) }
    guard isDevelopment else { return .failure(Self.unreadable) }
    if credential == "owner" { return .success(Self.admin()) }
    guard let claims = UnsignedToken.claims(of: credential) else { return .failure(Self.unreadable) }
    return Self.authentication(by: claims, nowSeconds: nowSeconds)
  }

  private static let unreadable = AuthenticationError(.invalid, "Could not parse auth token.")
  private static let expired = AuthenticationError(.expired, "Auth token is expired.")

  private static func admin(expiresAtSeconds: Int64? = nil) -> Authentication {
    var caller = Caller.admin
    caller.expiresAtSeconds = expiresAtSeconds
    return Authentication(caller: caller, payload: .null)
  }

  private static func authentication(by claims: Claims, nowSeconds: Int64)
    -> Result<Authentication, AuthenticationError>
  {
    if let end = claims.expiresAtSeconds, end <= nowSeconds { return .failure(expired) }
    if let start = claims.beginsAtSeconds, start > nowSeconds { return .failure(unreadable) }
    if claims.isAdmin { return .success(admin(expiresAtSeconds: claims.expiresAtSeconds)) }
    guard let auth = claims.auth else { return .failure(unreadable) }
    let caller = Caller(auth: auth, expiresAtSeconds: claims.expiresAtSeconds)
    return .success(Authentication(caller: caller, payload: auth))
  }
}

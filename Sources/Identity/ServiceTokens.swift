import JSONTree

/// Tokens for the operator's own services: they sign an assertion with their service account's key, as
/// Google's libraries do, and get a token that makes them the operator of their database for an hour.
package struct ServiceTokens: Sendable {
  private let keys: OwnKeys
  private let keyring: Keyring

  package init(keys: OwnKeys, keyring: Keyring) {
    self.keys = keys
    self.keyring = keyring
  }

  /// What an operator's token has as `aud`: no user's token has that.
  static func audience(of database: String) -> String { "\(database)#operator" }

  /// What Google's libraries always sign for, whatever `token_uri` says. The keys are ours alone, so nobody
  /// else can be meant.
  private static let libraryAudience = "https://oauth2.googleapis.com/token"

  /// The token for an assertion that was signed for the address of this endpoint.
  package func exchange(assertion: String, endpoint: String, nowSeconds now: Int64) throws -> (
    token: String, seconds: Int64
  ) {
    guard let token = Token(assertion), token.algorithm == SignatureAlgorithm.rs256.rawValue,
      let account = token.claims.all["iss"].string, let database = ServiceAccounts.database(of: account)
    else { throw AccountError.invalidCustomToken }
    let keys = keyring.serviceKeys(of: account, in: database)
      .filter { token.keyID == nil || token.keyID == $0.id }
    guard let key = keys.first(where: { $0.verifies(token.signature, of: token.signed) })?.id,
      token.claims.audiences.count == 1,
      token.claims.audiences[0].hasSuffix(endpoint) || token.claims.audiences[0] == Self.libraryAudience
    else { throw AccountError.invalidCustomToken }
    guard let issued = token.claims.seconds("iat"), let end = token.claims.seconds("exp"),
      issued <= now + IdentityLimits.clockSkewSeconds, issued <= end, end - issued <= 3600
    else { throw AccountError.invalidCustomToken }
    guard end > now else { throw AccountError.expiredCustomToken }
    return (try mint(account, key, database, now), IdentityLimits.tokenSeconds)
  }

  /// In an operator's token, the key of the service account: without that key the token is worth nothing.
  static let accountKeyClaim = "account_key"

  private func mint(_ account: String, _ key: String, _ database: String, _ now: Int64) throws -> String {
    let members: [(String, Node)] = [
      ("iss", Node(keyring.issuer(of: database))), ("aud", Node(Self.audience(of: database))),
      ("sub", Node(account)), (Self.accountKeyClaim, Node(key)), ("iat", Node(now)),
      ("exp", Node(now + IdentityLimits.tokenSeconds)),
    ]
    let payload = Node(children: members.map { (ChildKey(unchecked: $0.0), $0.1) })
    return try keys.sign(Array(payload.text(.value).utf8))
  }
}

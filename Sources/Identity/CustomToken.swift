import JSONTree

/// A token that the operator's own service made for one of its users, to be exchanged for one of ours.
struct CustomToken {
  let uid: String
  /// What rules shall see in `auth.token`, a JSON object.
  let claims: String?

  /// The audience of the custom tokens that Firebase's Admin SDKs make.
  static let audience =
    "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"

  /// Made with one of the database's secrets (either dialect), or with the private key of one of its service
  /// accounts, as Firebase's Admin SDKs do. In development unsigned ones are believed.
  static func read(
    _ text: String, database: String, keyring: Keyring, nowSeconds: Int64, isDevelopment: Bool
  ) throws(AccountError) -> CustomToken {
    guard let token = Token(text) else { throw .invalidCustomToken }
    if isDevelopment {
      if let end = token.claims.expiresAtSeconds, end <= nowSeconds { throw .expiredCustomToken }
      return try CustomToken(token.claims)
    }
    if token.algorithm == SignatureAlgorithm.rs256.rawValue {
      try check(token, by: keyring, database, nowSeconds)
      return try CustomToken(token.claims)
    }
    let verifier = TokenVerifier(keyring: keyring)
    switch verifier.verify(text, database: database, nowSeconds: nowSeconds) {
    case .verified(let verified) where verified.kind == .custom:
      // The operator's own token is used as it is; exchanged it would be a user's.
      guard !verified.claims.isAdmin else { throw .invalidCustomToken }
      return try CustomToken(verified.claims)
    case .refused(.expired): throw .expiredCustomToken
    case .verified, .refused, .needsKeys: throw .invalidCustomToken
    }
  }

  private static func check(
    _ token: Token, by keyring: Keyring, _ database: String, _ now: Int64
  ) throws(AccountError) {
    let claims = token.claims
    guard let issuer = claims.all["iss"].string, issuer == claims.all["sub"].string,
      claims.audiences == [audience]
    else { throw .invalidCustomToken }
    let keys = keyring.serviceKeys(of: issuer, in: database)
      .filter { token.keyID == nil || token.keyID == $0.id }
    guard keys.contains(where: { $0.verifies(token.signature, of: token.signed) }) else {
      throw .invalidCustomToken
    }
    guard let issued = claims.seconds("iat"), let end = claims.seconds("exp"),
      issued <= now + IdentityLimits.clockSkewSeconds, issued <= end, end - issued <= 3600
    else { throw .invalidCustomToken }
    guard end > now else { throw .expiredCustomToken }
  }

  private init(_ claims: Claims) throws(AccountError) {
    let ready = claims.all["d"]
    let uid = ready.isObject ? ready["uid"].string : claims.all["uid"].string
    guard let uid, (1...IdentityLimits.uidBytes).contains(uid.utf8.count) else { throw .invalidCustomToken }
    self.uid = uid
    var own = claims.all["claims"]
    if ready.isObject { own = ready.setting(.null, at: Path([ChildKey(unchecked: "uid")])) }
    guard own.isObject else {
      self.claims = nil
      return
    }
    let text = own.text(.value)
    guard text.utf8.count <= IdentityLimits.claimsBytes, own.isObject else { throw .invalidCustomToken }
    self.claims = text
  }
}

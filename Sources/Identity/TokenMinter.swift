import JSONTree

/// Makes this server's own tokens: who a user is, in the form of Firebase's ID tokens.
struct TokenMinter: Sendable {
  let keys: OwnKeys
  let keyring: Keyring

  /// What one sign-in puts into every token that comes of it.
  struct SignIn: Codable, Sendable, Equatable {
    /// `password`, `anonymous`, `custom`, `phone`, `weapp`.
    var provider: String
    /// The second of the sign-in.
    var atSeconds: Int64
    /// The claims of a custom token, a JSON object.
    var claims: String?
    /// How long its tokens are good.
    var tokenSeconds: Int64
  }

  func mint(_ account: Account, _ signIn: SignIn, database: String, nowSeconds: Int64) throws -> String {
    var payload = Node.null
    for text in [account.claims, signIn.claims] {
      guard let text, let claims = Claims(payload: Array(text.utf8)) else { continue }
      claims.all.forEachChild { key, value in
        payload.set(value, at: Path([key]))
        return true
      }
    }
    for name in Self.reserved { payload.set(.null, at: Path([ChildKey(unchecked: name)])) }
    for (name, value) in standard(account, signIn, database, nowSeconds) {
      payload.set(value, at: Path([ChildKey(unchecked: name)]))
    }
    return try keys.sign(Array(payload.text(.value).utf8))
  }

  /// What this server says itself, and what other tokens mean something special by: claims can't pretend to
  /// be any of these.
  private static let reserved: Set = [
    "iss", "aud", "sub", "user_id", "uid", "iat", "exp", "nbf", "auth_time", "firebase", "provider", "d", "v",
    "admin", "debug", "email", "email_verified", "phone_number", "phone_number_verified", "name", "picture",
  ]

  /// The claims of a custom token, of which a token was made here, as far as they are not the account's.
  static func ownClaims(of claims: Claims, _ account: Account) -> String? {
    let known = account.claims.flatMap { Claims(payload: Array($0.utf8)) }?.all ?? .null
    var own: [(ChildKey, Node)] = []
    claims.all.forEachChild { key, value in
      if !reserved.contains(key.text), known[key].isNull { own.append((key, value)) }
      return true
    }
    return own.isEmpty ? nil : Node(children: own).text(.value)
  }

  private func standard(
    _ account: Account, _ signIn: SignIn, _ database: String, _ now: Int64
  ) -> [(String, Node)] {
    let text = { (text: String?) in text.map { Node($0) } ?? .null }
    var identities: [(ChildKey, Node)] = []
    let list = { (value: String) in Node(children: [(ChildKey(index: 0), Node(value))]) }
    if let email = account.email { identities.append((ChildKey(unchecked: "email"), list(email))) }
    if let phone = account.phone { identities.append((ChildKey(unchecked: "phone"), list(phone))) }
    for (provider, id) in account.federated {
      identities.append((ChildKey(unchecked: provider), list(id)))
    }
    let firebase = Node(children: [
      (ChildKey(unchecked: "identities"), Node(children: identities)),
      (ChildKey(unchecked: "sign_in_provider"), Node(signIn.provider)),
    ])
    return [
      ("iss", Node(keyring.issuer(of: database))), ("aud", Node(database)), ("sub", Node(account.uid)),
      ("user_id", Node(account.uid)), ("iat", Node(now)), ("exp", Node(now + signIn.tokenSeconds)),
      ("auth_time", Node(signIn.atSeconds)), ("firebase", firebase),
      ("email", text(account.email)),
      ("email_verified", account.email == nil ? .null : Node(account.isEmailVerified)),
      ("phone_number", text(account.phone)),
      ("phone_number_verified", account.phone == nil ? .null : Node(account.isPhoneVerified)),
      ("name", text(account.displayName)), ("picture", text(account.photoURL)),
    ]
  }
}

import Engine
import JSONTree

/// What a user may change of their own account; nil leaves it as it is, an empty text removes it.
package struct AccountChanges: Sendable {
  package var email: String?
  package var phone: String?
  package var password: String?
  package var displayName: String?
  package var photoURL: String?
  /// Sign-ins to be taken off.
  package var unlinked: [String] = []

  package init() {}

  /// Whether a sign-in of long ago is not enough.
  var isSensitive: Bool { email != nil || phone != nil || password != nil }
}

extension Accounts {
  /// Who an ID token of this server is for, and how they signed in.
  struct Bearer {
    let account: Account
    let signIn: TokenMinter.SignIn
    let issuedSeconds: Int64
  }

  /// Checks an ID token of this server for a call about the bearer's own account.
  func bearer(of idToken: String, in database: String) async throws -> Bearer {
    let outcome = TokenVerifier(keyring: keyring)
      .verify(idToken, database: database, nowSeconds: nowSeconds)
    let claims: Claims
    switch outcome {
    case .verified(let token) where token.kind == .identity: claims = token.claims
    case .refused(.expired): throw AccountError.tokenExpired
    case .verified, .refused, .needsKeys: throw AccountError.invalidToken
    }
    guard claims.all["iss"].string == keyring.issuer(of: database), let uid = claims.all["sub"].string,
      let signedIn = claims.seconds("auth_time")
    else { throw AccountError.invalidToken }
    guard let account = try await account(uid, in: database) else { throw AccountError.userNotFound }
    guard !account.isDisabled else { throw AccountError.userDisabled }
    guard signedIn >= account.validSinceSeconds else { throw AccountError.tokenExpired }
    let issued = claims.seconds("iat") ?? 0
    let end = claims.seconds("exp") ?? issued
    let signIn = TokenMinter.SignIn(
      provider: claims.all["firebase"]["sign_in_provider"].string ?? account.origin, atSeconds: signedIn,
      claims: TokenMinter.ownClaims(of: claims, account), tokenSeconds: end - issued)
    return Bearer(account: account, signIn: signIn, issuedSeconds: issued)
  }

  /// The bearer's account.
  package func lookUp(idToken: String, in database: String) async throws -> Account {
    try await bearer(of: idToken, in: database).account
  }

  /// A new ID token for a refresh token, which stays good.
  ///
  /// Nobody is slowed down here: refresh tokens can't be guessed, and many users may share an address.
  package func refresh(_ refreshToken: String, _ call: SignInCall) async throws -> SignedIn {
    guard let (uid, signIn) = try await RefreshTokens(store: store).find(refreshToken, in: call.database),
      let account = try await account(uid, in: call.database)
    else { throw AccountError.invalidRefreshToken }
    guard !account.isDisabled else { throw AccountError.userDisabled }
    guard signIn.atSeconds >= account.validSinceSeconds else { throw AccountError.tokenExpired }
    return SignedIn(
      account: account,
      idToken: try minter.mint(account, signIn, database: call.database, nowSeconds: nowSeconds),
      refreshToken: refreshToken, expiresInSeconds: signIn.tokenSeconds, isNew: false,
      provider: signIn.provider)
  }

  /// Changes the bearer's account. A new password ends all other sign-ins; what is changed shows in the new
  /// tokens that this gives.
  package func update(idToken: String, _ changes: AccountChanges, _ call: SignInCall) async throws -> SignedIn
  {
    if changes.password != nil { try allow(.password) }
    try throttleAttempt(call)
    let bearer = try await bearer(of: idToken, in: call.database)
    let now = nowSeconds
    let isLinking = bearer.account.isAnonymous || bearer.account.password == nil
    if changes.isSensitive, !isLinking, now - bearer.signIn.atSeconds > IdentityLimits.recentSignInSeconds {
      throw AccountError.recentSignInNeeded
    }
    let hash = try await newPassword(changes)
    let email = try changes.email.map(ProfileCheck.email)
    let phone = try changes.phone.map(ProfileCheck.phone)
    let uid = bearer.account.uid
    let account = try await change(uid, in: call.database) { account in
      try Self.apply(changes, email: email, phone: phone, hash: hash, to: &account, now)
    }
    var signIn = bearer.signIn
    signIn.tokenSeconds = call.tokenSeconds
    guard hash != nil else { return try await session(account, signIn, in: call.database) }
    // One look at the clock for both: a hash takes a while, and the new sign-in must not end with the others.
    signIn.atSeconds = nowSeconds
    if !isLinking {
      try await endSignIns(
        of: uid, in: call.database, before: signIn.atSeconds, sparing: bearer.issuedSeconds)
    }
    if isLinking { signIn.provider = "password" }
    return try await session(account, signIn, in: call.database)
  }

  private func newPassword(_ changes: AccountChanges) async throws -> String? {
    guard let password = changes.password else { return nil }
    try ProfileCheck.password(password)
    return try await passwords.hash(password)
  }

  private static func apply(
    _ changes: AccountChanges, email: String?, phone: String?, hash: String?, to account: inout Account,
    _ now: Int64
  ) throws(AccountError) {
    if let email, email != account.email {
      account.email = email
      account.isEmailVerified = false
    }
    if let phone, phone != account.phone {
      account.phone = phone
      account.isPhoneVerified = false
    }
    if let hash {
      account.password = hash
      account.passwordChangedSeconds = now
    }
    if let name = changes.displayName { account.displayName = try ProfileCheck.displayName(name) }
    if let url = changes.photoURL { account.photoURL = try ProfileCheck.photoURL(url) }
    unlink(changes.unlinked, from: &account)
  }

  /// Adds a WeChat sign-in to the bearer's account.
  package func linkWeChat(idToken: String, code: String, _ call: SignInCall) async throws -> SignedIn {
    try allow(.weapp)
    try throttleAttempt(call)
    guard let weChat else { throw AccountError.notConfigured("--wechat-appid") }
    let bearer = try await bearer(of: idToken, in: call.database)
    let session = try await weChat.session(code: code)
    let account = try await change(bearer.account.uid, in: call.database) { account in
      account.federated["weapp"] = session.openID
    }
    return try await self.session(account, bearer.signIn, in: call.database)
  }

  /// Removes the bearer's account. Needs a recent sign-in, but for accounts that nobody could sign in to
  /// again.
  package func delete(idToken: String, _ call: SignInCall) async throws {
    try throttleAttempt(call)
    let bearer = try await bearer(of: idToken, in: call.database)
    let age = nowSeconds - bearer.signIn.atSeconds
    guard bearer.account.isAnonymous || age <= IdentityLimits.recentSignInSeconds else {
      throw AccountError.recentSignInNeeded
    }
    try await remove(bearer.account.uid, in: call.database)
  }
}

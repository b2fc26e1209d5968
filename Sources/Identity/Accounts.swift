import Crypto
package import Engine

/// The users of all databases: how they sign in. Everything is kept in the store; this holds no state but
/// throttles.
package struct Accounts: Sendable {
  let store: any IdentityStore
  let keyring: Keyring
  let minter: TokenMinter
  let passwords: PasswordHasher
  let throttles: SignInThrottles
  let clock: any Clock
  let weChat: (any WeChatExchange)?
  let messages: (any MessageSender)?
  /// The ways to sign in that are allowed.
  let methods: Set<SignInMethod>
  /// Custom tokens are believed unsigned.
  let isDevelopment: Bool

  package init(
    store: any IdentityStore, keys: OwnKeys, keyring: Keyring, passwords: PasswordHasher,
    throttles: SignInThrottles = SignInThrottles(), clock: any Clock = SystemClock(),
    weChat: (any WeChatExchange)? = nil, messages: (any MessageSender)? = nil,
    methods: Set<SignInMethod> = Set(SignInMethod.allCases), isDevelopment: Bool = false
  ) {
    self.store = store
    self.keyring = keyring
    minter = TokenMinter(keys: keys, keyring: keyring)
    self.passwords = passwords
    self.throttles = throttles
    self.clock = clock
    self.weChat = weChat
    self.messages = messages
    self.methods = methods
    self.isDevelopment = isDevelopment
  }

  var nowMilliseconds: Int64 { clock.nowMilliseconds() }
  var nowSeconds: Int64 { clock.nowMilliseconds() / 1000 }

  // MARK: Signing in

  /// Makes an account that nobody can sign in to again.
  package func signUpAnonymously(_ call: SignInCall) async throws -> SignedIn {
    try allow(.anonymous)
    try throttleSignUp(call)
    let account = Account(uid: Self.newUID(), origin: "anonymous", nowSeconds: nowSeconds)
    try await create(account, in: call.database)
    return try await session(account, "anonymous", call, isNew: true)
  }

  /// Makes an account with an address of mail, or a phone number, and a password.
  package func signUp(
    email: String?, phone: String? = nil, password: String, displayName: String? = nil, _ call: SignInCall
  ) async throws -> SignedIn {
    try allow(.password)
    try throttleSignUp(call)
    try ProfileCheck.password(password)
    var account = Account(
      uid: Self.newUID(), origin: email == nil ? "phone" : "password", nowSeconds: nowSeconds)
    account.email = try email.map(ProfileCheck.email)
    account.phone = try phone.map(ProfileCheck.phone)
    account.displayName = try displayName.flatMap(ProfileCheck.displayName)
    account.password = try await passwords.hash(password)
    account.passwordChangedSeconds = nowSeconds
    try await create(account, in: call.database)
    return try await session(account, account.origin, call, isNew: true)
  }

  /// Signs in with a password. A wrong one and an account that is not there look the same, and take as long.
  package func signIn(email: String?, phone: String? = nil, password: String, _ call: SignInCall) async throws
    -> SignedIn
  {
    try allow(.password)
    try throttleAttempt(call)
    let login: String
    if let email {
      login = LoginKey.email(email)
    } else {
      login = LoginKey.phone(phone ?? "")
    }
    guard login.utf8.count <= 320 else { throw AccountError.invalidCredentials }
    let name = "\(call.database)/\(login)"
    // Taken before it is known how it ends, so that many at once count as many.
    guard throttles.failures.take(name, nowMilliseconds: nowMilliseconds) else {
      throw AccountError.tooManyAttempts
    }
    let account = try await account(login: login, in: call.database)
    guard try await passwords.verify(password, hash: account?.password), let account else {
      throw AccountError.invalidCredentials
    }
    guard !account.isDisabled else { throw AccountError.userDisabled }
    throttles.failures.forgive(name)
    let isOutdated = account.password.map(passwords.isOutdated) ?? false
    let fresh = isOutdated ? try await passwords.hash(password) : nil
    let now = nowSeconds
    let updated = try await change(account.uid, in: call.database) { account in
      account.lastSignInSeconds = now
      if let fresh { account.password = fresh }
    }
    return try await session(updated, email == nil ? "phone" : "password", call)
  }

  /// Signs in the user that a token made by the operator's own service names; makes the account if need be.
  package func signIn(customToken: String, _ call: SignInCall) async throws -> SignedIn {
    try allow(.custom)
    try throttleAttempt(call)
    let custom = try CustomToken.read(
      customToken, database: call.database, keyring: keyring, nowSeconds: nowSeconds,
      isDevelopment: isDevelopment)
    let now = nowSeconds
    if let account = try await account(custom.uid, in: call.database) {
      guard !account.isDisabled else { throw AccountError.userDisabled }
      let updated = try await change(custom.uid, in: call.database) { $0.lastSignInSeconds = now }
      return try await session(updated, "custom", call, claims: custom.claims)
    }
    let account = Account(uid: custom.uid, origin: "custom", nowSeconds: now)
    do {
      try await create(account, in: call.database)
    } catch AccountError.linkedElsewhere {
      // Somebody was faster.
      guard let account = try await self.account(custom.uid, in: call.database) else {
        throw AccountError.unavailable("the account is being changed")
      }
      return try await session(account, "custom", call, claims: custom.claims)
    }
    return try await session(account, "custom", call, claims: custom.claims, isNew: true)
  }

  /// Signs in the user of a WeChat mini-program.
  ///
  /// `rawData` and `signature` are what `wx.getUserInfo` gave; with them the profile is taken over.
  package func signIn(
    weChatCode code: String, rawData: String?, signature: String?, _ call: SignInCall
  ) async throws -> SignedIn {
    try allow(.weapp)
    try throttleAttempt(call)
    guard let weChat else { throw AccountError.notConfigured("--wechat-appid") }
    guard (1...512).contains(code.utf8.count) else { throw AccountError.weChatRefused }
    let session = try await weChat.session(code: code)
    let profile = try WeChatProfile(rawData: rawData, signature: signature, sessionKey: session.sessionKey)
    let now = nowSeconds
    if let account = try await account(
      login: LoginKey.federated("weapp", session.openID), in: call.database)
    {
      guard !account.isDisabled else { throw AccountError.userDisabled }
      let updated = try await change(account.uid, in: call.database) { account in
        account.lastSignInSeconds = now
        profile.fill(&account)
      }
      return try await self.session(updated, "weapp", call)
    }
    try throttleSignUp(call)
    var account = Account(uid: Self.newUID(), origin: "weapp", nowSeconds: now)
    account.federated["weapp"] = session.openID
    profile.fill(&account)
    try await create(account, in: call.database)
    return try await self.session(account, "weapp", call, isNew: true)
  }

  // MARK: Parts

  /// A name that nobody can guess; the alphabet of Firebase's.
  static func newUID() -> String { RandomText.plain(characterCount: 28) }

  func allow(_ method: SignInMethod) throws(AccountError) {
    guard methods.contains(method) else { throw .methodDisabled(method) }
  }

  func throttleAttempt(_ call: SignInCall) throws(AccountError) {
    guard throttles.attempts.take(call.address, nowMilliseconds: nowMilliseconds) else {
      throw .tooManyAttempts
    }
  }

  func throttleSignUp(_ call: SignInCall) throws(AccountError) {
    try throttleAttempt(call)
    guard throttles.signUps.take(call.address, nowMilliseconds: nowMilliseconds) else {
      throw .tooManyAttempts
    }
  }

  /// A token for an account that has just proved to be the caller's.
  func session(
    _ account: Account, _ provider: String, _ call: SignInCall, claims: String? = nil, isNew: Bool = false
  ) async throws -> SignedIn {
    let signIn = TokenMinter.SignIn(
      provider: provider, atSeconds: nowSeconds, claims: claims, tokenSeconds: call.tokenSeconds)
    return try await session(account, signIn, in: call.database, isNew: isNew)
  }

  func session(
    _ account: Account, _ signIn: TokenMinter.SignIn, in database: String, isNew: Bool = false
  ) async throws -> SignedIn {
    SignedIn(
      account: account,
      idToken: try minter.mint(account, signIn, database: database, nowSeconds: nowSeconds),
      refreshToken: try await RefreshTokens(store: store).make(
        for: account.uid, signIn, in: database),
      expiresInSeconds: signIn.tokenSeconds, isNew: isNew, provider: signIn.provider)
  }
}

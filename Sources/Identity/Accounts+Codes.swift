import Crypto
import Engine

/// A code that was sent to somebody; of the code itself only the digest is kept.
struct SentCode: Codable {
  let uid: String
  let type: AccountMessage.Kind
  let target: String
  let expiresAtSeconds: Int64
  /// For codes short enough to be guessed: the digest, and how often it was.
  var digest: String?
  var guesses = 0

  static func isOver(_ record: [UInt8], nowSeconds: Int64) throws -> Bool {
    try RecordText.decode(SentCode.self, record).expiresAtSeconds <= nowSeconds
  }
}

// Codes that prove an address of mail or a phone number. All of them are good once.
extension Accounts {
  // MARK: By mail

  /// Sends a code with which the owner of an address can set a new password. Whether there is such an account
  /// can't be told from the outside.
  package func sendPasswordReset(email: String, _ call: SignInCall) async throws {
    try throttleAttempt(call)
    guard let messages else { throw AccountError.notConfigured("--auth-webhook") }
    let email = try ProfileCheck.email(email)
    try throttleMessage(email, call)
    guard let account = try await account(login: LoginKey.email(email), in: call.database) else { return }
    try await mail(.resetPassword, to: email, account, call, messages)
  }

  /// Sends the bearer a code that proves that their address is theirs.
  package func sendEmailVerification(idToken: String, _ call: SignInCall) async throws -> String {
    try throttleAttempt(call)
    guard let messages else { throw AccountError.notConfigured("--auth-webhook") }
    let account = try await bearer(of: idToken, in: call.database).account
    guard let email = account.email else { throw AccountError.missing("email") }
    try throttleMessage(email, call)
    try await mail(.verifyEmail, to: email, account, call, messages)
    return email
  }

  private func mail(
    _ type: AccountMessage.Kind, to email: String, _ account: Account, _ call: SignInCall,
    _ messages: any MessageSender
  ) async throws {
    let code = RandomText.make(byteCount: 24)
    let sent = SentCode(
      uid: account.uid, type: type, target: email,
      expiresAtSeconds: nowSeconds + IdentityLimits.mailedCodeSeconds)
    let change = IdentityChange(
      realm: call.database, kind: .code, key: Self.digest(code), from: nil, to: try RecordText.encode(sent))
    guard try await store.apply([change]) else { throw AccountError.unavailable("no code") }
    messages.send(
      AccountMessage(
        type: type, database: call.database, email: email, code: code,
        expiresInSeconds: IdentityLimits.mailedCodeSeconds))
  }

  /// What a code from a mail is for: its address; the code stays good.
  package func inspect(code: String, _ call: SignInCall) async throws -> (AccountMessage.Kind, email: String)
  {
    try throttleAttempt(call)
    let (_, sent) = try await mailed(code, in: call.database)
    return (sent.type, sent.target)
  }

  /// Sets a new password with a code from a mail, and ends all sign-ins.
  package func resetPassword(code: String, password: String, _ call: SignInCall) async throws -> Account {
    try throttleAttempt(call)
    try ProfileCheck.password(password)
    let (record, sent) = try await mailed(code, in: call.database)
    guard sent.type == .resetPassword else { throw AccountError.invalidCode }
    return try await setPassword(password, sent, using: record, key: Self.digest(code), call)
  }

  /// Marks an address as proved, with a code from a mail.
  package func verifyEmail(code: String, _ call: SignInCall) async throws -> Account {
    try throttleAttempt(call)
    let (record, sent) = try await mailed(code, in: call.database)
    guard sent.type == .verifyEmail else { throw AccountError.invalidCode }
    return try await change(
      sent.uid, in: call.database, also: [use(record, Self.digest(code), call)]
    ) { account in
      guard account.email == sent.target else { throw AccountError.invalidCode }
      account.isEmailVerified = true
    }
  }

  private func mailed(_ code: String, in database: String) async throws -> ([UInt8], SentCode) {
    guard (1...128).contains(code.utf8.count) else { throw AccountError.invalidCode }
    let record = try await store.value(
      realm: database, kind: RecordKind.code.name, key: Self.digest(code))
    guard let record else { throw AccountError.invalidCode }
    let sent = try RecordText.decode(SentCode.self, record)
    guard sent.expiresAtSeconds > nowSeconds else { throw AccountError.expiredCode }
    return (record, sent)
  }

  // MARK: By SMS

  /// Sends a code to a phone number: to prove that it is the account's, or to set a new password.
  package func sendSMS(_ type: AccountMessage.Kind, phone: String, _ call: SignInCall) async throws {
    try throttleAttempt(call)
    guard let messages else { throw AccountError.notConfigured("--auth-webhook") }
    let phone = try ProfileCheck.phone(phone)
    try throttleMessage(phone, call)
    guard let account = try await account(login: LoginKey.phone(phone), in: call.database) else { return }
    let code = RandomText.digits(count: 6)
    var sent = SentCode(
      uid: account.uid, type: type, target: phone,
      expiresAtSeconds: nowSeconds + IdentityLimits.smsCodeSeconds)
    sent.digest = Self.digest(code)
    let key = Self.smsKey(type, phone)
    let old = try await store.value(realm: call.database, kind: RecordKind.code.name, key: key)
    let change = IdentityChange(
      realm: call.database, kind: .code, key: key, from: old, to: try RecordText.encode(sent))
    guard try await store.apply([change]) else { throw AccountError.tooManyAttempts }
    messages.send(
      AccountMessage(
        type: type, database: call.database, phoneNumber: phone, code: code,
        expiresInSeconds: IdentityLimits.smsCodeSeconds))
  }

  /// Marks a phone number as proved.
  package func verifyPhone(_ phone: String, code: String, _ call: SignInCall) async throws -> Account {
    try throttleAttempt(call)
    let (key, record, sent) = try await guess(.verifyPhone, phone, code, call)
    return try await change(sent.uid, in: call.database, also: [use(record, key, call)]) { account in
      guard account.phone == sent.target else { throw AccountError.invalidCode }
      account.isPhoneVerified = true
    }
  }

  /// Sets a new password with a code from an SMS, and ends all sign-ins.
  package func resetPassword(phone: String, code: String, password: String, _ call: SignInCall) async throws {
    try throttleAttempt(call)
    try ProfileCheck.password(password)
    let (key, record, sent) = try await guess(.resetPasswordByPhone, phone, code, call)
    _ = try await setPassword(password, sent, using: record, key: key, call)
  }

  /// Checks a code that is short enough to be guessed: each try is counted before it is looked at.
  private func guess(_ type: AccountMessage.Kind, _ phone: String, _ code: String, _ call: SignInCall)
    async throws -> (key: String, [UInt8], SentCode)
  {
    let key = Self.smsKey(type, try ProfileCheck.phone(phone))
    let stored = try await store.value(realm: call.database, kind: RecordKind.code.name, key: key)
    guard let stored else { throw AccountError.invalidCode }
    var sent = try RecordText.decode(SentCode.self, stored)
    guard sent.expiresAtSeconds > nowSeconds else { throw AccountError.expiredCode }
    guard sent.guesses < IdentityLimits.smsCodeGuesses else { throw AccountError.tooManyAttempts }
    sent.guesses += 1
    let counted = try RecordText.encode(sent)
    let change = IdentityChange(realm: call.database, kind: .code, key: key, from: stored, to: counted)
    guard try await store.apply([change]) else { throw AccountError.tooManyAttempts }
    let claimed = SHA256.hash(data: Array(code.utf8))
    let expected = sent.digest.flatMap { Base64URL.decode($0.utf8) } ?? []
    guard code.utf8.count <= 32, claimed == expected else { throw AccountError.invalidCode }
    return (key, counted, sent)
  }

  // MARK: Parts

  private func setPassword(
    _ password: String, _ sent: SentCode, using record: [UInt8], key: String, _ call: SignInCall
  ) async throws -> Account {
    let hash = try await passwords.hash(password)
    let now = nowSeconds
    let account = try await change(sent.uid, in: call.database, also: [use(record, key, call)]) { account in
      let isTheirs = account.email == sent.target || account.phone == sent.target
      guard isTheirs, !account.isDisabled else { throw AccountError.invalidCode }
      account.password = hash
      account.passwordChangedSeconds = now
      // Whoever reads mail there has just shown it.
      if account.email == sent.target { account.isEmailVerified = true }
      if account.phone == sent.target { account.isPhoneVerified = true }
    }
    try await endSignIns(of: sent.uid, in: call.database)
    throttles.failures.forgive("\(call.database)/\(LoginKey.email(sent.target))")
    return account
  }

  private func use(_ record: [UInt8], _ key: String, _ call: SignInCall) -> IdentityChange {
    IdentityChange(realm: call.database, kind: .code, key: key, from: record, to: nil)
  }

  private func throttleMessage(_ target: String, _ call: SignInCall) throws(AccountError) {
    let name = "\(call.database)/\(target)"
    guard throttles.messages.take(name, nowMilliseconds: nowMilliseconds) else { throw .tooManyAttempts }
  }

  private static func smsKey(_ type: AccountMessage.Kind, _ phone: String) -> String {
    "sms:\(type.rawValue):\(phone)"
  }

  private static func digest(_ code: String) -> String {
    Base64URL.encode(SHA256.hash(data: Array(code.utf8)))
  }
}

import Engine

extension Accounts {
  /// The account of a uid, nil when there is none.
  package func account(_ uid: String, in database: String) async throws -> Account? {
    try await record(uid, in: database).map { try RecordText.decode(Account.self, $0) }
  }

  private func record(_ uid: String, in database: String) async throws -> [UInt8]? {
    try await store.value(realm: database, kind: RecordKind.account.name, key: uid)
  }

  /// The account that a login leads to.
  func account(login: String, in database: String) async throws -> Account? {
    let uid = try await store.value(realm: database, kind: RecordKind.login.name, key: login)
    guard let uid else { return nil }
    return try await account(String(decoding: uid, as: UTF8.self), in: database)
  }

  /// Adds an account with its logins, if neither is taken.
  func create(_ account: Account, in database: String) async throws {
    var changes = [
      IdentityChange(
        realm: database, kind: .account, key: account.uid, from: nil, to: try RecordText.encode(account))
    ]
    changes += account.loginKeys.map {
      IdentityChange(realm: database, kind: .login, key: $0, from: nil, to: Array(account.uid.utf8))
    }
    guard try await store.apply(changes) else { throw try await conflict(account, in: database) }
  }

  /// Changes an account, together with the logins that lead to it.
  @discardableResult
  func change(
    _ uid: String, in database: String, also others: [IdentityChange] = [],
    _ body: (inout Account) throws -> Void
  ) async throws -> Account {
    for _ in 0..<Self.changeAttempts {
      guard let old = try await record(uid, in: database) else { throw AccountError.userNotFound }
      let before = try RecordText.decode(Account.self, old)
      var after = before
      try body(&after)
      if after == before, others.isEmpty { return after }
      var changes = others
      changes.append(
        IdentityChange(
          realm: database, kind: .account, key: uid, from: old, to: try RecordText.encode(after)))
      let (former, present) = (Set(before.loginKeys), Set(after.loginKeys))
      for login in present.subtracting(former).sorted() {
        changes.append(
          IdentityChange(realm: database, kind: .login, key: login, from: nil, to: Array(uid.utf8)))
      }
      for login in former.subtracting(present).sorted() {
        changes.append(
          IdentityChange(realm: database, kind: .login, key: login, from: Array(uid.utf8), to: nil))
      }
      if try await store.apply(changes) { return after }
      if try await record(uid, in: database) == old {
        throw others.isEmpty ? try await conflict(after, in: database) : AccountError.invalidCode
      }
    }
    throw AccountError.unavailable("the account is being changed by others all the time")
  }

  private static let changeAttempts = 8

  /// Removes an account and all that leads to it.
  func remove(_ uid: String, in database: String) async throws {
    for _ in 0..<Self.changeAttempts {
      guard let old = try await record(uid, in: database) else { throw AccountError.userNotFound }
      let account = try RecordText.decode(Account.self, old)
      var changes = [IdentityChange(realm: database, kind: .account, key: uid, from: old, to: nil)]
      changes += account.loginKeys.map {
        IdentityChange(realm: database, kind: .login, key: $0, from: Array(uid.utf8), to: nil)
      }
      changes += try await RefreshTokens(store: store).removal(of: uid, in: database)
      if try await store.apply(changes) {
        // Those of this very second too: there is no account that could have newer ones.
        return try await refuseTokens(of: uid, in: database, issuedBefore: nowSeconds + 1)
      }
    }
    throw AccountError.unavailable("the account is being changed by others all the time")
  }

  /// Which login is somebody else's.
  private func conflict(_ account: Account, in database: String) async throws -> AccountError {
    for login in account.loginKeys {
      let owner = try await store.value(realm: database, kind: RecordKind.login.name, key: login)
      guard let owner, owner != Array(account.uid.utf8) else { continue }
      if login.hasPrefix("email:") { return .emailExists }
      return login.hasPrefix("phone:") ? .phoneExists : .linkedElsewhere
    }
    return .linkedElsewhere
  }

  // MARK: Ending sign-ins

  /// Ends all sign-ins of a user: refresh tokens are gone, ID tokens issued before now are refused.
  package func endSignIns(of uid: String, in database: String) async throws {
    try await endSignIns(of: uid, in: database, before: nowSeconds)
  }

  /// Ends the sign-ins of a user from before a second. The connections by a token that was issued in the
  /// second `own` have a while to come with a new one.
  func endSignIns(of uid: String, in database: String, before second: Int64, sparing own: Int64? = nil)
    async throws
  {
    // First, since this alone ends them; the records of refresh tokens are then only in the way.
    try await change(uid, in: database) { $0.validSinceSeconds = max(second, $0.validSinceSeconds) }
    try await refuseTokens(of: uid, in: database, issuedBefore: second, sparing: own)
    let isNow = second >= nowSeconds
    let tokens = RefreshTokens(store: store)
    for change in try await tokens.removal(of: uid, before: isNow ? nil : second, in: database) {
      _ = try await store.apply([change])
    }
  }

  /// Has the ID tokens of a user refused that were issued before a second.
  private func refuseTokens(
    of uid: String, in database: String, issuedBefore second: Int64, sparing own: Int64? = nil
  ) async throws {
    let old = try await store.value(realm: database, kind: RecordKind.revoked.name, key: uid)
    _ = try await store.apply([
      IdentityChange(
        realm: database, kind: .revoked, key: uid, from: old, to: try RecordText.encode(second))
    ])
    keyring.refuse(uid: uid, of: database, issuedBefore: second, sparing: own)
  }

  /// Forgets codes that nobody has used in time. To be called now and then.
  package func sweep() async throws {
    for record in try await store.all(realm: nil, kind: RecordKind.code.name, limit: .max, reversed: false)
    where try SentCode.isOver(record.value, nowSeconds: nowSeconds) {
      _ = try await store.apply([
        IdentityChange(realm: record.realm, kind: .code, key: record.key, from: record.value, to: nil)
      ])
    }
  }

  /// Tells the keyring whose tokens are to be refused, when the server starts; forgets those that are over.
  package func loadRevocations() async throws {
    let oldest = nowSeconds - IdentityLimits.longestTokenSeconds
    for record in try await store.all(
      realm: nil, kind: RecordKind.revoked.name, limit: .max, reversed: false)
    {
      let second = try RecordText.decode(Int64.self, record.value)
      if second >= oldest {
        keyring.refuse(uid: record.key, of: record.realm, issuedBefore: second)
      } else {
        _ = try await store.apply([
          IdentityChange(
            realm: record.realm, kind: .revoked, key: record.key, from: record.value, to: nil)
        ])
      }
    }
  }
}

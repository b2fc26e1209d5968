import Engine
import JSONTree

/// What an operator may set of somebody's account; nil leaves it as it is, an empty text removes it.
package struct OperatorChanges: Sendable {
  package var email: String?
  package var isEmailVerified: Bool?
  package var phone: String?
  package var password: String?
  package var displayName: String?
  package var photoURL: String?
  package var isDisabled: Bool?
  /// The operator's own claims, a JSON object.
  package var claims: String?
  /// Sign-ins before that second are over; a later second than the present one counts as that.
  package var validSinceSeconds: Int64?
  /// Sign-ins to be taken off: `password`, `phone` or the name of a provider.
  package var unlinked: [String] = []

  package init() {}
}

/// By what an operator looks for an account.
package enum AccountName: Sendable {
  case uid(String)
  case email(String)
  case phone(String)
  /// A sign-in with somebody else, such as `weapp`, and the name there.
  case federated(String, String)
}

// What an operator does with other people's accounts.
extension Accounts {
  /// Keeps somebody out, or lets them in again. All their sign-ins end when they are kept out.
  package func setDisabled(_ isDisabled: Bool, _ uid: String, in database: String) async throws {
    var changes = OperatorChanges()
    changes.isDisabled = isDisabled
    try await update(uid, changes, in: database)
  }

  /// What rules see in `auth.token` besides what users say of themselves, as a JSON object. It shows in
  /// tokens made from then on.
  package func setClaims(_ claims: String, _ uid: String, in database: String) async throws {
    var changes = OperatorChanges()
    changes.claims = claims
    try await update(uid, changes, in: database)
  }

  /// Removes an account.
  package func delete(_ uid: String, in database: String) async throws {
    try await remove(uid, in: database)
  }

  /// Makes an account that nobody has signed up for. Without `uid` it gets a name that nobody can guess.
  package func create(uid: String?, _ changes: OperatorChanges, in database: String) async throws -> Account {
    if let uid {
      guard (1...IdentityLimits.uidBytes).contains(uid.utf8.count) else {
        throw AccountError.missing("localId")
      }
      guard try await account(uid, in: database) == nil else { throw AccountError.uidExists }
    }
    let origin = changes.phone != nil && changes.email == nil ? "phone" : "password"
    var account = Account(uid: uid ?? Self.newUID(), origin: origin, nowSeconds: nowSeconds)
    try apply(changes, hash: try await hash(changes), to: &account)
    do {
      try await create(account, in: database)
    } catch AccountError.linkedElsewhere where account.federated.isEmpty {
      throw AccountError.uidExists
    }
    return account
  }

  /// Changes an account. A new password ends all sign-ins, and so does keeping somebody out.
  @discardableResult
  package func update(_ uid: String, _ changes: OperatorChanges, in database: String) async throws -> Account
  {
    let hash = try await hash(changes)
    let account = try await change(uid, in: database) { try apply(changes, hash: hash, to: &$0) }
    let now = nowSeconds
    if changes.isDisabled == true {
      // Those of this very second too: nobody signs in meanwhile.
      try await endSignIns(of: uid, in: database, before: now + 1)
    } else if hash != nil {
      try await endSignIns(of: uid, in: database, before: now)
    } else if let second = changes.validSinceSeconds {
      try await endSignIns(of: uid, in: database, before: min(second, now))
    } else {
      return account
    }
    return try await self.account(uid, in: database) ?? account
  }

  /// The account that goes by a name; nil when there is none.
  package func find(_ name: AccountName, in database: String) async throws -> Account? {
    switch name {
    case .uid(let uid): try await account(uid, in: database)
    case .email(let email): try await account(login: LoginKey.email(email), in: database)
    case .phone(let phone): try await account(login: LoginKey.phone(phone), in: database)
    case .federated(let provider, let id):
      try await account(login: LoginKey.federated(provider, id), in: database)
    }
  }

  /// The accounts of a database in the order of their uids, from the one after `uid` on.
  package func list(after uid: String?, limit: Int, in database: String) async throws -> [Account] {
    let count = min(max(limit, 0), IdentityLimits.accountsPerPage)
    return try await store.all(
      realm: database, kind: RecordKind.account.name, after: uid, limit: count, reversed: false
    ).map { try RecordText.decode(Account.self, $0.value) }
  }

  private func hash(_ changes: OperatorChanges) async throws -> String? {
    guard let password = changes.password else { return nil }
    try ProfileCheck.password(password)
    return try await passwords.hash(password)
  }

  private func apply(_ changes: OperatorChanges, hash: String?, to account: inout Account) throws {
    if let email = changes.email {
      let address = email.isEmpty ? nil : try ProfileCheck.email(email)
      if address != account.email { account.isEmailVerified = false }
      account.email = address
    }
    if let isVerified = changes.isEmailVerified { account.isEmailVerified = isVerified }
    if let phone = changes.phone {
      account.phone = phone.isEmpty ? nil : try ProfileCheck.phone(phone)
      account.isPhoneVerified = account.phone != nil
    }
    if let hash {
      account.password = hash
      account.passwordChangedSeconds = nowSeconds
    }
    if let name = changes.displayName { account.displayName = try ProfileCheck.displayName(name) }
    if let url = changes.photoURL { account.photoURL = try ProfileCheck.photoURL(url) }
    if let isDisabled = changes.isDisabled { account.isDisabled = isDisabled }
    if let claims = changes.claims { account.claims = try Self.checked(claims) }
    Self.unlink(changes.unlinked, from: &account)
  }

  /// Takes sign-ins off an account.
  static func unlink(_ providers: [String], from account: inout Account) {
    for provider in providers {
      switch provider {
      case "password":
        account.password = nil
        account.email = nil
        account.isEmailVerified = false
      case "phone":
        account.phone = nil
        account.isPhoneVerified = false
      default: account.federated[provider] = nil
      }
    }
  }

  private static func checked(_ claims: String) throws(AccountError) -> String? {
    guard claims.utf8.count <= IdentityLimits.claimsBytes, let own = Claims(payload: Array(claims.utf8))
    else {
      throw .missing("claims")
    }
    return own.all.isNull ? nil : claims
  }
}

import Crypto

/// Tokens with which users get new ID tokens without signing in again. Only their digests are kept.
///
///     user's name in base 64 . 32 random bytes in base 64
struct RefreshTokens {
  let store: any IdentityStore

  func make(for uid: String, _ signIn: TokenMinter.SignIn, in database: String) async throws -> String {
    let token = Base64URL.encode(uid.utf8) + "." + RandomText.make(byteCount: 32)
    let kind = RecordKind.refresh(uid: uid)
    var changes = [
      IdentityChange(
        realm: database, kind: kind, key: Self.digest(token), from: nil, to: try RecordText.encode(signIn))
    ]
    let others = try await all(of: uid, in: database)
    if others.count >= IdentityLimits.refreshTokensPerUser {
      let oldest = others.sorted { $0.signIn.atSeconds < $1.signIn.atSeconds }
      for other in oldest.prefix(others.count - IdentityLimits.refreshTokensPerUser + 1) {
        changes.append(
          IdentityChange(
            realm: database, kind: kind, key: other.record.key, from: other.record.value, to: nil))
      }
    }
    if try await store.apply(changes) { return token }
    // The oldest went meanwhile: the new one alone is added.
    guard try await store.apply([changes[0]]) else {
      throw AccountError.unavailable("the sign-in could not be kept")
    }
    return token
  }

  /// Whose it is and how they signed in; nil when there is no such token.
  func find(_ token: String, in database: String) async throws -> (uid: String, TokenMinter.SignIn)? {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard token.utf8.count <= 512, parts.count == 2, let bytes = Base64URL.decode(parts[0].utf8) else {
      return nil
    }
    let uid = String(decoding: bytes, as: UTF8.self)
    let record = try await store.value(
      realm: database, kind: RecordKind.refresh(uid: uid).name, key: Self.digest(token))
    guard let record else { return nil }
    return (uid, try RecordText.decode(TokenMinter.SignIn.self, record))
  }

  /// What removes a user's from before a second; without it all of them.
  func removal(of uid: String, before second: Int64? = nil, in database: String) async throws
    -> [IdentityChange]
  {
    try await all(of: uid, in: database).filter { token in second.map { token.signIn.atSeconds < $0 } ?? true
    }.map {
      IdentityChange(
        realm: database, kind: .refresh(uid: uid), key: $0.record.key, from: $0.record.value, to: nil)
    }
  }

  private func all(of uid: String, in database: String) async throws
    -> [(record: IdentityRecord, signIn: TokenMinter.SignIn)]
  {
    let kind = RecordKind.refresh(uid: uid).name
    return try await store.all(realm: database, kind: kind, limit: .max, reversed: false)
      .map { ($0, try RecordText.decode(TokenMinter.SignIn.self, $0.value)) }
  }

  private static func digest(_ token: String) -> String {
    Base64URL.encode(SHA256.hash(data: Array(token.utf8)))
  }
}

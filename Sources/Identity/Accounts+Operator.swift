import Engine

// What an operator does with other people's accounts.
extension Accounts {
  /// Keeps somebody out, or lets them in again. All their sign-ins end when they are kept out.
  package func setDisabled(_ isDisabled: Bool, _ uid: String, in database: String) async throws {
    try await change(uid, in: database) { $0.isDisabled = isDisabled }
    if isDisabled { try await endSignIns(of: uid, in: database) }
  }

  /// What rules see in `auth.token` besides what users say of themselves, as a JSON object. It shows in
  /// tokens made from then on.
  package func setClaims(_ claims: String, _ uid: String, in database: String) async throws {
    guard claims.utf8.count <= IdentityLimits.claimsBytes, Claims(payload: Array(claims.utf8)) != nil else {
      throw AccountError.missing("claims")
    }
    try await change(uid, in: database) { $0.claims = claims }
  }

  /// Removes an account.
  package func delete(_ uid: String, in database: String) async throws {
    try await remove(uid, in: database)
  }
}

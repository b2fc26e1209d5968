import JSONTree
import Rules

/// Decides whether a token is to be believed in a database, and as what.
struct TokenVerifier {
  enum Kind: Equatable {
    /// Made by somebody who has a secret of the database: it may make its bearer the operator.
    case custom
    /// Says who a user is.
    case identity
    /// Made here for one of the operator's own services.
    case service
  }

  struct Verified: Equatable {
    let kind: Kind
    let claims: Claims
    /// What it rests on; nil for the word of somebody else.
    var grounds: Grounds?
  }

  enum Outcome {
    case verified(Verified)
    case refused(TokenRefusal)
    /// A provider may have new keys.
    case needsKeys(IdentityProvider)
  }

  let keyring: Keyring

  func verify(_ text: String, database: String, nowSeconds: Int64) -> Outcome {
    guard let token = Token(text) else { return .refused(.malformed) }
    // The header only chooses among keys; each key checks signatures of its own kind.
    guard let algorithm = token.algorithm.flatMap(SignatureAlgorithm.init(rawValue:)) else {
      return .refused(.algorithm)
    }
    do throws(TokenRefusal) {
      if algorithm == .hs256 {
        return .verified(try custom(token, database, nowSeconds))
      }
      let issuer = token.claims.all["iss"].string ?? ""
      if issuer == keyring.issuer(of: database) {
        return .verified(try own(token, algorithm, database, nowSeconds))
      }
      guard let provider = keyring.providers.first(where: { $0.issuer == issuer && $0.serves(database) })
      else { throw .wrongIssuer }
      return try foreign(token, algorithm, provider, nowSeconds)
    } catch {
      return .refused(error)
    }
  }

  // MARK: Made with a secret

  private func custom(_ token: Token, _ database: String, _ now: Int64) throws(TokenRefusal) -> Verified {
    let secrets = keyring.secrets(of: database)
    guard !secrets.isEmpty else { throw .unknownKey }
    guard let secret = secrets.first(where: { $0.key.verifies(token.signature, of: token.signed) }) else {
      throw .badSignature
    }
    let claims = token.claims
    guard let version = claims.all["v"].integer, version == 0 || version == 1 else { throw .claim("v") }
    let issued = try checkTimes(claims, now)
    let end =
      claims.seconds("exp")
      ?? issued.addingReportingOverflow(IdentityLimits.customTokenSeconds)
      .partialValue
    guard end > now else { throw .expired }
    var bounded = claims
    bounded.impliedEndSeconds = end
    guard claims.isAdmin || claims.customAuth != nil else { throw .claim(version == 0 ? "d" : "uid") }
    return Verified(kind: .custom, claims: bounded, grounds: .secret(secret.id))
  }

  // MARK: Saying who a user is

  private func own(
    _ token: Token, _ algorithm: SignatureAlgorithm, _ database: String, _ now: Int64
  ) throws(TokenRefusal) -> Verified {
    let keys = keyring.ownKeys(named: token.keyID).filter { $0.algorithm == algorithm }
    guard let key = keys.first?.id else { throw .unknownKey }
    let claims = token.claims
    let subject = claims.all["sub"].string ?? ""
    if claims.audiences == [ServiceTokens.audience(of: database)] {
      var verified = try identity(
        token, keys, audiences: [ServiceTokens.audience(of: database)], now, kind: .service)
      let account = claims.all[ServiceTokens.accountKeyClaim].string ?? ""
      guard keyring.serviceKeys(of: subject, in: database).contains(where: { $0.id == account }) else {
        throw .unknownKey
      }
      verified.grounds = .service(key: key, account: account)
      return verified
    }
    var verified = try identity(token, keys, audiences: [database], now)
    let issued = claims.seconds("iat") ?? .min
    // To the client it is as if it had run out: it signs in again.
    guard !keyring.isRefused(uid: subject, of: database, issuedAt: issued) else { throw .expired }
    verified.grounds = .user(uid: subject, key: key, issuedAtSeconds: issued)
    return verified
  }

  private func foreign(
    _ token: Token, _ algorithm: SignatureAlgorithm, _ provider: IdentityProvider, _ now: Int64
  ) throws(TokenRefusal) -> Outcome {
    let keys = provider.keys(for: token, algorithm: algorithm, nowSeconds: now)
    guard !keys.isEmpty else { return .needsKeys(provider) }
    if provider.isStale(nowSeconds: now) { provider.refresh(nowSeconds: now) }
    return .verified(try identity(token, keys, audiences: provider.audiences, now))
  }

  private func identity(
    _ token: Token, _ keys: [VerificationKey], audiences: [String], _ now: Int64,
    kind: Kind = .identity
  ) throws(TokenRefusal) -> Verified {
    guard keys.contains(where: { $0.verifies(token.signature, of: token.signed) }) else {
      throw .badSignature
    }
    let claims = token.claims
    guard claims.audiences.contains(where: audiences.contains) else { throw .wrongAudience }
    _ = try checkTimes(claims, now)
    guard let end = claims.seconds("exp") else { throw .claim("exp") }
    guard end > now else { throw .expired }
    guard let auth = claims.identityAuth, let uid = auth["uid"].string,
      uid.utf8.count <= IdentityLimits.uidBytes
    else { throw .claim("sub") }
    var bounded = claims
    bounded.impliedEndSeconds = end
    return Verified(kind: kind, claims: bounded)
  }

  /// When it was issued. Neither that nor its beginning may be in the future.
  private func checkTimes(_ claims: Claims, _ now: Int64) throws(TokenRefusal) -> Int64 {
    let latest = now + IdentityLimits.clockSkewSeconds
    guard let issued = claims.seconds("iat") else { throw .claim("iat") }
    guard issued <= latest, claims.seconds("nbf") ?? 0 <= latest else { throw .notYetValid }
    guard claims.seconds("auth_time") ?? 0 <= latest else { throw .notYetValid }
    return issued
  }
}

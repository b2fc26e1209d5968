import JSONTree
import JWTKit

/// The signatures that are taken: one for shared secrets, three for public keys.
package enum SignatureAlgorithm: String, Sendable, CaseIterable {
  case hs256 = "HS256"
  case rs256 = "RS256"
  case es256 = "ES256"
  case edDSA = "EdDSA"
}

/// A key that checks signatures of exactly one kind, whatever a token's header asks for.
package struct VerificationKey: Sendable {
  /// The `kid` that tokens name it by.
  package let id: String?
  package let algorithm: SignatureAlgorithm
  private let checker: any JWTAlgorithm

  private init(id: String?, algorithm: SignatureAlgorithm, _ keys: JWTKeyCollection) async throws {
    self.id = id
    self.algorithm = algorithm
    checker = try await keys.getKey()
  }

  /// A shared secret of at least `IdentityLimits.secretBytes`.
  package init(secret: String, id: String?) async throws {
    guard secret.utf8.count >= IdentityLimits.secretBytes else { throw TokenRefusal.claim("secret") }
    let keys = JWTKeyCollection()
    await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    try await self.init(id: id, algorithm: .hs256, keys)
  }

  /// An RSA key of at least 2048 bits; its numbers in URL-safe base 64.
  package init(modulus: String, exponent: String, id: String?) async throws {
    let keys = JWTKeyCollection()
    let key = try JWTKit.Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
    await keys.add(rsa: key, digestAlgorithm: .sha256)
    try await self.init(id: id, algorithm: .rs256, keys)
  }

  /// An RSA key as PEM.
  package init(rsaPEM: String, id: String?) async throws {
    let keys = JWTKeyCollection()
    await keys.add(rsa: try JWTKit.Insecure.RSA.PublicKey(pem: rsaPEM), digestAlgorithm: .sha256)
    try await self.init(id: id, algorithm: .rs256, keys)
  }

  /// A point on P-256; its coordinates in URL-safe base 64.
  package init(x: String, y: String, id: String?) async throws {
    let keys = JWTKeyCollection()
    await keys.add(ecdsa: try ES256PublicKey(parameters: (x: x, y: y)))
    try await self.init(id: id, algorithm: .es256, keys)
  }

  /// A key on Curve25519.
  package init(ed25519 x: String, id: String?) async throws {
    let keys = JWTKeyCollection()
    await keys.add(eddsa: try EdDSA.PublicKey(x: x, curve: .ed25519))
    try await self.init(id: id, algorithm: .edDSA, keys)
  }

  /// Whether a signature is this key's for these bytes.
  func verifies(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
    // The library throws for what can't be a signature at all.
    (try? checker.verify(signature, signs: bytes)) ?? false
  }

  /// The signature of a shared secret.
  func sign(_ bytes: [UInt8]) throws -> [UInt8] {
    try checker.sign(bytes)
  }
}

extension VerificationKey {
  /// The usable keys of a JWK set. Keys for encryption and of kinds that are not taken are left out; nil when
  /// it is no set at all.
  package static func set(json: [UInt8]) async -> [VerificationKey]? {
    guard json.count <= IdentityLimits.keySetBytes, let set = Claims(payload: json)?.all, set["keys"].isObject
    else { return nil }
    var entries: [Claims] = []
    set["keys"].forEachChild { _, entry in
      entries.append(Claims(all: entry))
      return entries.count < IdentityLimits.keysPerProvider
    }
    var keys: [VerificationKey] = []
    for entry in entries {
      if let key = await key(of: entry) { keys.append(key) }
    }
    return keys
  }

  private static func key(of entry: Claims) async -> VerificationKey? {
    let use = entry.all["use"].string ?? "sig"
    guard use == "sig" else { return nil }
    let text = { (name: String) in entry.all[name].string ?? "" }
    let (id, stated) = (entry.all["kid"].string, entry.all["alg"].string)
    let key: VerificationKey?
    switch (text("kty"), text("crv")) {
    case ("RSA", _): key = try? await VerificationKey(modulus: text("n"), exponent: text("e"), id: id)
    case ("EC", "P-256"): key = try? await VerificationKey(x: text("x"), y: text("y"), id: id)
    case ("OKP", "Ed25519"): key = try? await VerificationKey(ed25519: text("x"), id: id)
    default: key = nil
    }
    // An RSA key that is meant for another padding must not be used for this one.
    guard let key, stated == nil || stated == key.algorithm.rawValue else { return nil }
    return key
  }
}

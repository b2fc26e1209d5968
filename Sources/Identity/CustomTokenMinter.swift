import JSONTree

/// Makes and reads tokens for the command line.
package enum CustomTokenMinter {
  package enum Refusal: Error, Equatable {
    case uid, claims, secret
  }

  /// A token made with a database's secret: good as it is, and to be exchanged for a user's.
  package static func mint(
    secret: String, uid: String, claims: String?, isAdmin: Bool, seconds: Int64, nowSeconds: Int64
  ) async throws -> String {
    guard (1...IdentityLimits.uidBytes).contains(uid.utf8.count) else { throw Refusal.uid }
    let key: VerificationKey
    do {
      key = try await VerificationKey(secret: secret, id: nil)
    } catch {
      throw Refusal.secret
    }
    var payload = Node(children: [
      (ChildKey(unchecked: "v"), Node(1)), (ChildKey(unchecked: "uid"), Node(uid)),
      (ChildKey(unchecked: "iat"), Node(nowSeconds)),
      (ChildKey(unchecked: "exp"), Node(nowSeconds + seconds)),
    ])
    if isAdmin { payload.set(Node(true), at: Path([ChildKey(unchecked: "admin")])) }
    if let claims {
      guard claims.utf8.count <= IdentityLimits.claimsBytes, let own = Claims(payload: Array(claims.utf8))
      else { throw Refusal.claims }
      payload.set(own.all, at: Path([ChildKey(unchecked: "claims")]))
    }
    let signed =
      Base64URL.encode(#"{"alg":"HS256","typ":"JWT"}"#.utf8) + "."
      + Base64URL.encode(payload.text(.value).utf8)
    return signed + "." + Base64URL.encode(try key.sign(Array(signed.utf8)))
  }

  /// What a token says, and what is wrong with it.
  package struct Inspection: Sendable {
    package let algorithm: String
    package let keyID: String?
    /// The payload as JSON.
    package let payload: String
    package let issuedAtSeconds: Int64?
    package let expiresAtSeconds: Int64?
    /// Whether the signature is the secret's; nil when there was no secret to check with.
    package let isSigned: Bool?
  }

  /// Takes a token apart; nil for what is none.
  package static func inspect(_ text: String, secret: String?) async -> Inspection? {
    guard let token = Token(text) else { return nil }
    var isSigned: Bool?
    if let secret {
      let key = try? await VerificationKey(secret: secret, id: nil)
      isSigned =
        token.algorithm == SignatureAlgorithm.hs256.rawValue
        && key?.verifies(token.signature, of: token.signed) == true
    }
    return Inspection(
      algorithm: token.algorithm ?? "none", keyID: token.keyID, payload: token.claims.all.text(.value),
      issuedAtSeconds: token.claims.seconds("iat"), expiresAtSeconds: token.claims.seconds("exp"),
      isSigned: isSigned)
  }
}

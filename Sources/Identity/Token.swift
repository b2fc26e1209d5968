import JSONTree

/// A JSON web token taken apart. Nothing that it says is believed yet.
struct Token {
  /// What the header says the signature is.
  let algorithm: String?
  /// The name of the key that is said to have signed it.
  let keyID: String?
  let claims: Claims
  /// The bytes that the signature is for.
  let signed: [UInt8]
  let signature: [UInt8]

  /// Nil for everything that is not shaped like a token, that is too long, or that asks for an extension
  /// which must not be ignored (`crit`).
  init?(_ text: String) {
    let bytes = text.utf8
    guard bytes.count <= IdentityLimits.tokenBytes else { return nil }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
      let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
      let header = Claims(payload: headerBytes), header.all["crit"].isNull,
      let claims = Claims(payload: payload)
    else { return nil }
    algorithm = header.all["alg"].string
    keyID = header.all["kid"].string
    self.claims = claims
    signed = Array(bytes[..<parts[1].endIndex])
    self.signature = signature
  }
}

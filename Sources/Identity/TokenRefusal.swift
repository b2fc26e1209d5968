/// Why a token is not believed: for operators and tests. Clients are told less.
package enum TokenRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// No JSON web token, or one that is too long.
  case malformed
  /// Signed in a way that is not taken here, or not signed at all.
  case algorithm
  /// Nobody who is trusted has a key of that name.
  case unknownKey
  case badSignature
  case expired
  /// It begins, or says that it was issued, in the future.
  case notYetValid
  case wrongIssuer
  case wrongAudience
  /// A claim that it must have is missing or wrong.
  case claim(String)

  package var description: String {
    switch self {
    case .malformed: "not a JSON web token"
    case .algorithm: "signed in a way that is not accepted"
    case .unknownKey: "signed with a key that is not known"
    case .badSignature: "the signature does not fit"
    case .expired: "expired"
    case .notYetValid: "not valid yet: look at the clocks of both machines"
    case .wrongIssuer: "issued by nobody who is trusted for this database"
    case .wrongAudience: "meant for another audience"
    case .claim(let name): "the claim `\(name)` is missing or wrong"
    }
  }
}

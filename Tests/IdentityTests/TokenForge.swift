import Crypto
import CryptoExtras
import JWTKit

@testable import Identity

/// Makes tokens of every kind, the ones that must be refused above all.
struct TokenForge {
  static let now: Int64 = 1_700_000_000

  let rsa: JWTKit.Insecure.RSA.PrivateKey
  let elliptic = ES256PrivateKey()
  let edwards: EdDSA.PrivateKey

  /// One for all tests: RSA keys take their time.
  static let shared: TokenForge = {
    do { return try TokenForge() } catch { preconditionFailure("no keys: \(error)") }
  }()

  init() throws {
    rsa = try JWTKit.Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
    edwards = EdDSA.PrivateKey(backing: Curve25519.Signing.PrivateKey())
  }

  static func part(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

  /// A token with these two texts and a signature by `sign`.
  static func token(
    _ header: String, _ payload: String, _ sign: ([UInt8]) throws -> [UInt8]
  ) rethrows -> String {
    let signed = part(header) + "." + part(payload)
    let signature = try sign(Array(signed.utf8))
    return signed + "." + Base64URL.encode(signature)
  }

  static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key)))
  }

  static func signed(
    with secret: String, _ payload: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#
  ) -> String {
    token(header, payload) { hmac($0, key: Array(secret.utf8)) }
  }

  func signed(
    _ algorithm: SignatureAlgorithm, _ payload: String, kid: String? = nil, header: String? = nil
  ) async throws -> String {
    let id = kid.map { #","kid":"\#($0)""# } ?? ""
    let head = header ?? #"{"alg":"\#(algorithm.rawValue)"\#(id)}"#
    let keys = JWTKeyCollection()
    switch algorithm {
    case .hs256: break
    case .rs256: await keys.add(rsa: rsa, digestAlgorithm: .sha256)
    case .es256: await keys.add(ecdsa: elliptic)
    case .edDSA: await keys.add(eddsa: edwards)
    }
    let signer = try await keys.getKey()
    return try Self.token(head, payload) { try signer.sign($0) }
  }

  /// The public halves as a JWK set: `r`, `e` and `d`.
  var keySet: String {
    get throws {
      let numbers = try rsa.publicKey.getKeyPrimitives()
      let point = try elliptic.publicKey.parameters.map { (try Self.urlSafe($0.x), try Self.urlSafe($0.y)) }
      let (n, e) = (Base64URL.encode(numbers.modulus), Base64URL.encode(numbers.publicExponent))
      let x = Base64URL.encode(edwards.publicKey.rawRepresentation)
      return #"{"keys":[{"kty":"RSA","kid":"r","use":"sig","alg":"RS256","n":"\#(n)","e":"\#(e)"},"#
        + #"{"kty":"EC","kid":"e","crv":"P-256","x":"\#(point?.0 ?? "")","y":"\#(point?.1 ?? "")"},"#
        + #"{"kty":"OKP","kid":"d","crv":"Ed25519","x":"\#(x)"},"#
        + #"{"kty":"oct","kid":"o","k":"AAAA"},{"kty":"RSA","kid":"x","use":"enc","n":"\#(n)","e":"\#(e)"},"#
        + #"{"kty":"RSA","kid":"p","alg":"PS256","n":"\#(n)","e":"\#(e)"},"#
        + #"{"kty":"EC","kid":"q","crv":"P-9"}]}"#
    }
  }

  /// The library gives coordinates in plain base 64.
  private static func urlSafe(_ text: String) throws -> String {
    text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}

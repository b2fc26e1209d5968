import Crypto

/// A secret of one database: whoever shows it is the database's operator, and tokens signed with it are good
/// there.
///
/// It has 240 random bits in 40 characters, which is the length by which Wilddog's clients know a secret.
package struct DatabaseSecret: Sendable {
  /// What it is called when it is listed or revoked; not secret.
  package let id: String
  package let text: String
  package let createdAtSeconds: Int64
  /// What the operator wrote down about it.
  package let note: String
  let key: VerificationKey
  private let digest: SHA256Digest

  package init(id: String, text: String, createdAtSeconds: Int64, note: String = "") async throws {
    self.id = id
    self.text = text
    self.createdAtSeconds = createdAtSeconds
    self.note = note
    key = try await VerificationKey(secret: text, id: id)
    digest = SHA256.hash(data: Array(text.utf8))
  }

  /// A fresh secret.
  package static func generate(nowSeconds: Int64, note: String = "") async throws -> DatabaseSecret {
    try await DatabaseSecret(
      id: RandomText.make(byteCount: 6), text: RandomText.make(byteCount: 30), createdAtSeconds: nowSeconds,
      note: note)
  }

  /// Whether a credential with this digest is the secret; the comparison takes as long when it is not.
  func matches(_ credential: SHA256Digest) -> Bool { digest == credential }
}

/// Unguessable text.
enum RandomText {
  /// URL-safe base 64 of so many random bytes; it does not begin with a dash, so that shells take it.
  static func make(byteCount: Int) -> String {
    while true {
      let key = SymmetricKey(size: .init(bitCount: byteCount * 8))
      let text = key.withUnsafeBytes { Base64URL.encode($0) }
      if !text.hasPrefix("-") { return text }
    }
  }

  /// Random letters and digits.
  static func plain(characterCount: Int) -> String {
    var text = ""
    while text.utf8.count < characterCount {
      text += make(byteCount: 32).filter { $0 != "-" && $0 != "_" }
    }
    return String(text.prefix(characterCount))
  }

  /// Random digits, each as likely as the others.
  static func digits(count: Int) -> String {
    (0..<count).map { _ in String(Int.random(in: 0...9)) }.joined()
  }
}

import Crypto

/// The secret that makes its bearer the operator of every database of a server.
///
/// It has 256 random bits, so one round of SHA-256 keeps it: only the digest is stored.
package struct AdminSecret: Sendable, Equatable {
  private let digest: [UInt8]

  /// A fresh secret and the text that is shown once.
  package static func generate() -> (secret: AdminSecret, text: String) {
    let text = RandomText.make(byteCount: 32)
    return (AdminSecret(text: text), text)
  }

  package init(text: String) {
    digest = Array(SHA256.hash(data: Array(text.utf8)))
  }

  /// Reads what `stored` gave; nil for anything else.
  package init?(stored: String) {
    guard stored.hasPrefix(Self.storedPrefix) else { return nil }
    let bytes = Base64URL.decode(stored.dropFirst(Self.storedPrefix.count).utf8)
    guard let bytes, bytes.count == SHA256.byteCount else { return nil }
    digest = bytes
  }

  private static let storedPrefix = "sha256:"

  /// What may be written to a file: it does not give the secret away.
  package var stored: String { Self.storedPrefix + Base64URL.encode(digest) }

  /// Whether a credential is this secret; takes as long when it is not.
  package func matches(_ credential: String) -> Bool {
    matches(SHA256.hash(data: Array(credential.utf8)))
  }

  /// Whether a credential with this digest is the secret; the library compares in constant time.
  func matches(_ credential: SHA256Digest) -> Bool { credential == digest }
}

import Testing

@testable import Identity

@Suite struct AdminSecretTests {
  @Test func `a secret matches its own text and nothing else`() {
    let (secret, text) = AdminSecret.generate()
    #expect(secret.matches(text))
    for other in ["", "owner", text + "A", String(text.dropLast()), text.uppercased() + "-", secret.stored] {
      #expect(!secret.matches(other))
    }
  }

  @Test func `two secrets differ and have 256 bits`() {
    let texts = (0..<100).map { _ in AdminSecret.generate().text }
    #expect(Set(texts).count == 100)
    #expect(texts.allSatisfy { Base64URL.decode($0.utf8)?.count == 32 })
  }

  @Test func `what is stored reads back and does not contain the secret`() {
    let (secret, text) = AdminSecret.generate()
    #expect(AdminSecret(stored: secret.stored) == secret)
    #expect(!secret.stored.contains(text))
  }

  @Test(arguments: ["", "sha256:", "sha256:abc", "md5:AAAA", "sha256:" + String(repeating: "A", count: 42)])
  func `a damaged store is refused`(text: String) {
    #expect(AdminSecret(stored: text) == nil)
  }

  @Test func `base 64 goes both ways for every length and refuses what it can't be`() {
    for count in 0..<50 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
      #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
    }
    for text in ["A", "AB=", "A+", "A/", "AAAAA", "é", "AB", "////"] {
      #expect(Base64URL.decode(text.utf8) == nil, "\(text)")
    }
    #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
  }
}

import Engine
import JSONTree
import Rules
import Testing

@testable import Identity

/// Tokens that programs make with a database's secret, in both dialects.
@Suite struct CustomTokenTests {
  private let now = TokenForge.now
  private let secret = "0123456789012345678901234567890123456789"

  private func keyring(_ secrets: [String]) async throws -> Keyring {
    let keyring = Keyring()
    var all: [DatabaseSecret] = []
    for (place, text) in secrets.enumerated() {
      all.append(try await DatabaseSecret(id: "s\(place)", text: text, createdAtSeconds: 1))
    }
    keyring.setSecrets(all, of: "default")
    return keyring
  }

  private func ask(_ credential: String, _ keyring: Keyring, database: String = "default", at: Int64? = nil)
    throws -> Result<Authentication, AuthenticationError>
  {
    ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring)
      .authenticate(credential, database: try DatabaseID(database), nowSeconds: at ?? now)
  }

  private func auth(_ payload: String) async throws -> String? {
    let token = TokenForge.signed(with: secret, payload)
    return try? ask(token, try await keyring([secret])).get().payload.text(.export)
  }

  private func refusal(_ payload: String, header: String = #"{"alg":"HS256"}"#) async throws -> TokenRefusal?
  {
    let token = TokenForge.signed(with: secret, payload, header: header)
    let outcome = TokenVerifier(keyring: try await keyring([secret]))
      .verify(token, database: "default", nowSeconds: now)
    if case .refused(let refusal) = outcome { return refusal }
    return nil
  }

  @Test func `Firebase's form carries the auth variable itself`() async throws {
    #expect(
      try await auth(#"{"v":0,"iat":1700000000,"d":{"uid":"bo","team":"a"}}"#)
        == #"{"team":"a","uid":"bo"}"#)
  }

  @Test func `Wilddog's form shows its claims as those of the token`() async throws {
    let text = try await auth(
      #"{"v":1,"uid":"bo","iat":1700000000,"claims":{"role":"x","uid":"eve","exp":9}}"#)
    #expect(
      text == #"{"provider":"custom","token":{"iat":1700000000,"role":"x","uid":"bo"},"uid":"bo"}"#)
  }

  @Test func `a token may make its bearer the operator`() async throws {
    for payload in [
      #"{"v":0,"iat":1700000000,"admin":true,"d":{"uid":"x"}}"#,
      #"{"v":1,"uid":"x","iat":1700000000,"admin":true}"#,
    ] {
      let token = TokenForge.signed(with: secret, payload)
      let caller = try ask(token, try await keyring([secret])).get().caller
      #expect(caller.isAdmin)
      #expect(caller.expiresAtSeconds == now + 86_400)
    }
  }

  @Test func `the secret itself makes an operator, of its own database only`() async throws {
    let keyring = try await keyring([secret])
    let caller = try ask(secret, keyring).get().caller
    #expect(caller.isAdmin && caller.isConfined && caller.auth.isNull && caller.grounds == .secret("s0"))
    for other in [secret + "0", String(secret.dropLast()), ""] {
      #expect(throws: AuthenticationError.self) { try ask(other, keyring).get() }
    }
    #expect(throws: AuthenticationError.self) { try ask(secret, keyring, database: "other").get() }
  }

  @Test func `a token of one database is refused by another`() async throws {
    let token = TokenForge.signed(with: secret, #"{"v":0,"iat":1700000000,"d":{"uid":"bo"}}"#)
    let keyring = try await keyring([secret])
    let other = try await DatabaseSecret(
      id: "o", text: String(repeating: "x", count: 40), createdAtSeconds: 1)
    keyring.setSecrets([other], of: "other")
    #expect(throws: Never.self) { try ask(token, keyring).get() }
    #expect(throws: AuthenticationError.self) { try ask(token, keyring, database: "other").get() }
    #expect(throws: AuthenticationError.self) { try ask(token, keyring, database: "none").get() }
  }

  @Test func `every active secret is good, and a revoked one at once no more, remembered or not`()
    async throws
  {
    let (first, second) = (secret, String(repeating: "s", count: 40))
    let keyring = try await keyring([first, second])
    let authenticator = ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring)
    let id = try DatabaseID("default")
    let tokens = [first, second].map {
      TokenForge.signed(with: $0, #"{"v":0,"iat":1700000000,"d":{"uid":"bo"}}"#)
    }
    for _ in 0..<2 {
      for token in tokens {
        #expect(throws: Never.self) {
          try authenticator.authenticate(token, database: id, nowSeconds: now).get()
        }
      }
    }
    keyring.setSecrets(keyring.secrets(of: "default").filter { $0.text == second }, of: "default")
    #expect(throws: AuthenticationError.self) {
      try authenticator.authenticate(tokens[0], database: id, nowSeconds: now).get()
    }
    #expect(throws: AuthenticationError.self) {
      try authenticator.authenticate(first, database: id, nowSeconds: now).get()
    }
    #expect(throws: Never.self) {
      try authenticator.authenticate(tokens[1], database: id, nowSeconds: now).get()
    }
  }

  @Test func `it ends when it says, and without a word after a day`() async throws {
    let keyring = try await keyring([secret])
    let expired = AuthenticationError(.expired, "Auth token is expired.")
    let authenticator = ServerAuthenticator(secret: nil, isDevelopment: false, keyring: keyring)
    let id = try DatabaseID("default")
    for (payload, end) in [
      (#"{"v":0,"iat":1700000000,"exp":1700000100,"d":{"uid":"bo"}}"#, now + 100),
      (#"{"v":0,"iat":1700000000,"d":{"uid":"bo"}}"#, now + 86_400),
      (#"{"v":0,"iat":0,"exp":1700000100,"d":{"uid":"bo"}}"#, now + 100),
    ] {
      let token = TokenForge.signed(with: secret, payload)
      let before = authenticator.authenticate(token, database: id, nowSeconds: end - 1)
      #expect(try before.get().caller.expiresAtSeconds == end)
      #expect(authenticator.authenticate(token, database: id, nowSeconds: end) == .failure(expired))
    }
  }

  @Test func `clocks may differ by a minute`() async throws {
    #expect(try await refusal(#"{"v":0,"iat":1700000060,"d":{"uid":"a"}}"#) == nil)
    #expect(try await refusal(#"{"v":0,"iat":1700000061,"d":{"uid":"a"}}"#) == .notYetValid)
    #expect(try await refusal(#"{"v":0,"iat":1700000000,"nbf":1700000060,"d":{"uid":"a"}}"#) == nil)
    #expect(try await refusal(#"{"v":0,"iat":1700000000,"nbf":1700000061,"d":{"uid":"a"}}"#) == .notYetValid)
  }

  @Test func `numbers beyond all bounds do no harm`() async throws {
    #expect(try await refusal(#"{"v":0,"iat":1e300,"d":{"uid":"a"}}"#) == .notYetValid)
    #expect(try await refusal(#"{"v":0,"iat":-1e300,"d":{"uid":"a"}}"#) == .expired)
    #expect(try await refusal(#"{"v":0,"iat":0,"exp":1e300,"d":{"uid":"a"}}"#) == nil)
    #expect(try await refusal(#"{"v":0,"iat":0,"exp":-1e300,"d":{"uid":"a"}}"#) == .expired)
  }

  @Test func `what a claim must be is checked`() async throws {
    let long = String(repeating: "u", count: 129)
    for (payload, expected) in [
      (#"{"iat":1700000000,"d":{"uid":"a"}}"#, TokenRefusal.claim("v")),
      (#"{"v":2,"iat":1700000000,"d":{"uid":"a"}}"#, .claim("v")),
      (#"{"v":0,"d":{"uid":"a"}}"#, .claim("iat")),
      (#"{"v":0,"iat":1700000000,"d":{"team":"a"}}"#, .claim("d")),
      (#"{"v":0,"iat":1700000000,"d":{"uid":1}}"#, .claim("d")),
      (#"{"v":1,"iat":1700000000}"#, .claim("uid")),
      (#"{"v":1,"iat":1700000000,"uid":""}"#, .claim("uid")),
      (#"{"v":1,"iat":1700000000,"uid":"\#(long)"}"#, .claim("uid")),
      (#"{"v":0,"iat":1700000000,"d":{"uid":"\#(long)"}}"#, .claim("d")),
      (#"{"v":0,"iat":1700000000,"admin":"true"}"#, .claim("d")),
      (#"[1]"#, .malformed), ("", .malformed), (#"{"v":0"#, .malformed),
    ] {
      #expect(try await refusal(payload) == expected, "\(payload)")
    }
  }

  @Test func `a forged signature, another key, or none is refused`() async throws {
    let payload = #"{"v":0,"iat":1700000000,"d":{"uid":"a"}}"#
    let keyring = try await keyring([secret])
    let good = TokenForge.signed(with: secret, payload)
    #expect(throws: Never.self) { try ask(good, keyring).get() }
    let parts = good.split(separator: ".")
    let head = TokenForge.part(#"{"alg":"HS256"}"#)
    let forged = [
      TokenForge.signed(with: String(repeating: "x", count: 40), payload),
      TokenForge.signed(with: "", payload),
      "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).\(parts[2]).",
      "\(parts[0]).\(TokenForge.part(#"{"v":0,"iat":1700000000,"d":{"uid":"b"}}"#)).\(parts[2])",
      "\(head).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).\(parts[2].dropLast(2))",
      good + "=", " " + good, good + String(repeating: "A", count: 20_000),
    ]
    for token in forged {
      #expect(throws: AuthenticationError.self, "\(token)") { try ask(token, keyring).get() }
    }
  }

  @Test(arguments: [
    "none", "None", "NONE", "", "HS384", "HS512", "hs256", "PS256", "RS256", "ES256", "EdDSA",
  ])
  func `a header can't choose how it is checked`(algorithm: String) async throws {
    let payload = #"{"v":0,"iat":1700000000,"admin":true,"d":{"uid":"a"}}"#
    for header in [#"{"alg":"\#(algorithm)"}"#, #"{"typ":"JWT"}"#, #"{"alg":1}"#, #"{"alg":null}"#] {
      let keyring = try await keyring([secret])
      let signed = TokenForge.signed(with: secret, payload, header: header)
      let unsigned = TokenForge.token(header, payload) { _ in [] }
      for token in [signed, unsigned] {
        #expect(throws: AuthenticationError.self, "\(header)") { try ask(token, keyring).get() }
      }
    }
  }

  @Test func `an extension that must be understood is refused`() async throws {
    let payload = #"{"v":0,"iat":1700000000,"d":{"uid":"a"}}"#
    #expect(try await refusal(payload, header: #"{"alg":"HS256","crit":["x"],"x":1}"#) == .malformed)
  }

  @Test func `a short secret is refused before anything is signed with it`() async throws {
    await #expect(throws: TokenRefusal.self) {
      try await DatabaseSecret(id: "a", text: String(repeating: "s", count: 31), createdAtSeconds: 1)
    }
    let made = try await DatabaseSecret.generate(nowSeconds: 1)
    #expect(made.text.utf8.count == 40)
  }

  @Test func `a debugging token is told why it is denied`() async throws {
    let token = TokenForge.signed(with: secret, #"{"v":0,"iat":1700000000,"debug":true,"d":{"uid":"a"}}"#)
    let caller = try ask(token, try await keyring([secret])).get().caller
    #expect(caller.isOperator && !caller.isAdmin)
  }
}

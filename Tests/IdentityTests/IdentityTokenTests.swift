import Engine
import JWTKit
import JSONTree
import Rules
import Synchronization
import Testing

@testable import Identity

/// Tokens of providers that are trusted to say who users are.
@Suite struct IdentityTokenTests {
  private let now = TokenForge.now
  private let forge = TokenForge.shared
  private let payload =
    #"{"iss":"https://id.example.com","aud":"shop","sub":"ann","iat":1700000000,"exp":1700003600,"role":"x"}"#

  private final class Source: KeySource {
    let answers: Mutex<[Result<FetchedKeys, TokenRefusal>]>
    let asked = Mutex(0)

    init(_ answers: [Result<FetchedKeys, TokenRefusal>]) {
      self.answers = Mutex(answers)
    }

    convenience init(_ json: String) {
      self.init([.success(FetchedKeys(json: Array(json.utf8), freshSeconds: 600))])
    }

    func fetch() async throws -> FetchedKeys {
      asked.withLock { $0 += 1 }
      return try answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
    }
  }

  private func provider(_ source: Source, databases: Set<String>? = nil, audiences: [String] = ["shop"])
    async -> IdentityProvider
  {
    let provider = IdentityProvider(
      issuer: "https://id.example.com", audiences: audiences, databases: databases, source: source)
    await provider.prepare(nowSeconds: now)
    return provider
  }

  private func refusal(_ token: String, database: String = "default", databases: Set<String>? = nil)
    async throws -> TokenRefusal?
  {
    let provider = await provider(Source(try forge.keySet), databases: databases)
    let keyring = Keyring(providers: [provider])
    let secret = try await DatabaseSecret.generate(nowSeconds: 1)
    keyring.setSecrets([secret], of: "default")
    let outcome = TokenVerifier(keyring: keyring).verify(token, database: database, nowSeconds: now)
    switch outcome {
    case .verified: return nil
    case .refused(let refusal): return refusal
    case .needsKeys: return .unknownKey
    }
  }

  @Test(arguments: [(SignatureAlgorithm.rs256, "r"), (.es256, "e"), (.edDSA, "d")])
  func `each kind of signature is good, with and without the key's name`(
    algorithm: SignatureAlgorithm, kid: String
  ) async throws {
    #expect(try await refusal(try await forge.signed(algorithm, payload, kid: kid)) == nil)
    #expect(try await refusal(try await forge.signed(algorithm, payload)) == nil)
    #expect(try await refusal(try await forge.signed(algorithm, payload, kid: "z")) == .unknownKey)
  }

  @Test func `rules see who it is and every claim`() async throws {
    let provider = await provider(Source(try forge.keySet))
    let authenticator = ServerAuthenticator(
      secret: nil, isDevelopment: false, keyring: Keyring(providers: [provider]))
    let token = try await forge.signed(.rs256, payload, kid: "r")
    let answer = try authenticator.authenticate(token, database: try DatabaseID("default"), nowSeconds: now)
      .get()
    #expect(answer.caller.auth["uid"].string == "ann")
    #expect(answer.caller.auth["token"]["role"].string == "x")
    #expect(answer.caller.expiresAtSeconds == 1_700_003_600)
    #expect(!answer.caller.isAdmin)
  }

  @Test func `a key is used for its own kind of signature only`() async throws {
    let header = { (algorithm: String, kid: String) in #"{"alg":"\#(algorithm)","kid":"\#(kid)"}"# }
    for (algorithm, name, kid) in [
      (SignatureAlgorithm.rs256, "ES256", "r"), (.es256, "RS256", "e"),
      (.rs256, "RS256", "x"), (.rs256, "RS256", "p"), (.rs256, "RS256", "e"),
    ] {
      let token = try await forge.signed(algorithm, payload, header: header(name, kid))
      #expect(try await refusal(token) == .unknownKey, "\(name) \(kid)")
    }
    let swapped = try await forge.signed(.rs256, payload, header: header("ES256", "e"))
    #expect(try await refusal(swapped) == .badSignature)
  }

  @Test func `a public key is no secret`() async throws {
    let admin = #"{"v":0,"iat":1700000000,"admin":true,"d":{"uid":"a"},"iss":"https://id.example.com"}"#
    let pem = forge.rsa.publicKey.pemRepresentation
    let texts = [pem, pem + "\n", try forge.keySet, Base64URL.encode(forge.rsa.publicKey.derRepresentation)]
    for text in texts {
      for kid in ["", #","kid":"r""#] {
        let token = TokenForge.signed(with: text, admin, header: #"{"alg":"HS256"\#(kid)}"#)
        #expect(try await refusal(token) == .badSignature)
      }
    }
  }

  @Test(arguments: ["none", "None", "HS256", "RS384", "PS256", "ES384", ""])
  func `other kinds and no signature at all are refused`(algorithm: String) async throws {
    let header = #"{"alg":"\#(algorithm)","kid":"r"}"#
    #expect(try await refusal(TokenForge.token(header, payload) { _ in [] }) != nil)
    #expect(try await refusal(try await forge.signed(.rs256, payload, header: header)) != nil)
  }

  @Test func `another's key is refused`() async throws {
    let other = try TokenForge()
    for (algorithm, kid) in [(SignatureAlgorithm.rs256, "r"), (.es256, "e"), (.edDSA, "d")] {
      #expect(try await refusal(try await other.signed(algorithm, payload, kid: kid)) == .badSignature)
    }
  }

  @Test func `issuer and audience have to be the right ones to the letter`() async throws {
    let cases: [(String, TokenRefusal?)] = [
      (payload.replacing("shop", with: "shops"), .wrongAudience),
      (payload.replacing(#""aud":"shop","#, with: ""), .wrongAudience),
      (payload.replacing(#""shop""#, with: #"["a","b"]"#), .wrongAudience),
      (payload.replacing(#""shop""#, with: #"["a","shop"]"#), nil),
      (payload.replacing("example.com", with: "example.com/"), .wrongIssuer),
      (payload.replacing("https", with: "http"), .wrongIssuer),
      (payload.replacing(#""iss":"https://id.example.com","#, with: ""), .wrongIssuer),
    ]
    for (text, expected) in cases {
      #expect(try await refusal(try await forge.signed(.rs256, text, kid: "r")) == expected, "\(text)")
    }
  }

  @Test func `a provider may be trusted for some databases only`() async throws {
    let token = try await forge.signed(.rs256, payload, kid: "r")
    #expect(try await refusal(token, database: "default", databases: ["other"]) == .wrongIssuer)
    #expect(try await refusal(token, database: "other", databases: ["other"]) == nil)
  }

  @Test func `times and the name of the user are checked`() async throws {
    let cases: [(String, TokenRefusal?)] = [
      (payload.replacing("1700003600", with: "1700000000"), .expired),
      (payload.replacing(#","exp":1700003600"#, with: ""), .claim("exp")),
      (payload.replacing(#""iat":1700000000,"#, with: ""), .claim("iat")),
      (payload.replacing(#""iat":1700000000"#, with: #""iat":1700000060"#), nil),
      (payload.replacing(#""iat":1700000000"#, with: #""iat":1700000061"#), .notYetValid),
      (payload.replacing(#""iat":1700000000"#, with: #""iat":1700000000,"nbf":1700000061"#), .notYetValid),
      (payload.replacing(#""iat":"#, with: #""auth_time":1700000061,"iat":"#), .notYetValid),
      (payload.replacing(#""sub":"ann","#, with: ""), .claim("sub")),
      (payload.replacing(#""ann""#, with: #""""#), .claim("sub")),
      (payload.replacing("ann", with: String(repeating: "a", count: 129)), .claim("sub")),
    ]
    for (text, expected) in cases {
      #expect(try await refusal(try await forge.signed(.rs256, text, kid: "r")) == expected, "\(text)")
    }
  }

  @Test func `a provider can make nobody the operator, nor choose the auth variable`() async throws {
    let provider = await provider(Source(try forge.keySet))
    let authenticator = ServerAuthenticator(
      secret: nil, isDevelopment: false, keyring: Keyring(providers: [provider]))
    let greedy = payload.replacing(
      #""sub""#, with: #""v":0,"admin":true,"debug":true,"d":{"uid":"root"},"sub""#)
    let token = try await forge.signed(.rs256, greedy, kid: "r")
    let caller = try authenticator.authenticate(token, database: try DatabaseID("default"), nowSeconds: now)
      .get().caller
    #expect(!caller.isAdmin && !caller.isOperator)
    #expect(caller.auth["uid"].string == "ann")
  }

  @Test func `a signed token issued at second 0 ends all the same`() async throws {
    let provider = await provider(Source(try forge.keySet))
    let authenticator = ServerAuthenticator(
      secret: nil, isDevelopment: false, keyring: Keyring(providers: [provider]))
    let old = payload.replacing(#""iat":1700000000"#, with: #""iat":0"#)
    let token = try await forge.signed(.es256, old, kid: "e")
    let id = try DatabaseID("default")
    let answer = try authenticator.authenticate(token, database: id, nowSeconds: now).get()
    #expect(answer.caller.expiresAtSeconds == 1_700_003_600)
    #expect(throws: AuthenticationError.self) {
      try authenticator.authenticate(token, database: id, nowSeconds: 1_700_003_600).get()
    }
  }

  @Test func `a new key is fetched when a token names it, and not more often than may be`() async throws {
    let empty = FetchedKeys(json: Array(#"{"keys":[{"kty":"oct"}]}"#.utf8))
    let full = FetchedKeys(json: Array(try forge.keySet.utf8))
    let source = Source([.success(empty), .success(full)])
    let provider = await provider(source)
    let clock = FixedClock(seconds: now + 5)
    let authenticator = ServerAuthenticator(
      secret: nil, isDevelopment: false, keyring: Keyring(providers: [provider]), clock: clock)
    let token = try await forge.signed(.rs256, payload, kid: "r")
    let id = try DatabaseID("default")
    let ask = { (at: Int64) async -> Result<Authentication, AuthenticationError> in
      await withCheckedContinuation { continuation in
        let known = authenticator.authenticate(token, database: id, nowSeconds: at) {
          continuation.resume(returning: $0)
        }
        if let known { continuation.resume(returning: known) }
      }
    }
    await #expect(throws: AuthenticationError.self) { try await ask(now + 5).get() }
    #expect(source.asked.withLock { $0 } == 1)
    #expect(try await ask(now + 10).get().caller.auth["uid"].string == "ann")
    #expect(source.asked.withLock { $0 } == 2)
  }

  @Test func `keys are kept while the provider is down, for a day`() async throws {
    let full = FetchedKeys(json: Array(try forge.keySet.utf8), freshSeconds: 600)
    let provider = await provider(Source([.success(full), .failure(.malformed)]))
    let token = try #require(Token(try await forge.signed(.rs256, payload, kid: "r")))
    await provider.prepare(nowSeconds: now + 700)
    #expect(provider.trouble != nil)
    #expect(provider.keys(for: token, algorithm: .rs256, nowSeconds: now + 86_999).count == 1)
    #expect(provider.keys(for: token, algorithm: .rs256, nowSeconds: now + 87_000).isEmpty)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"keys":1}"#, "<html>", "{\"keys\":[" + String(repeating: "[", count: 900),
  ])
  func `what is no set of keys is said to be none`(text: String) async throws {
    #expect(await VerificationKey.set(json: Array(text.utf8)) == nil)
    let provider = await provider(Source(text))
    #expect(provider.trouble != nil)
  }
}

struct FixedClock: Clock {
  let seconds: Int64

  func nowMilliseconds() -> Int64 { seconds * 1000 }
}

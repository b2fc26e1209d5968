import Engine
import JSONTree
import Rules
import Testing

@testable import Identity

@Suite struct ServerAuthenticatorTests {
  private let now: Int64 = 1_700_000_000

  private func token(_ payload: String, header: String = #"{"alg":"none","typ":"JWT"}"#) -> String {
    Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8)) + "."
  }

  private func ask(_ credential: String, isDevelopment: Bool = true, secret: AdminSecret? = nil) throws
    -> Result<Authentication, AuthenticationError>
  {
    ServerAuthenticator(secret: secret, isDevelopment: isDevelopment)
      .authenticate(credential, database: try DatabaseID("default"), nowSeconds: now)
  }

  private func auth(_ payload: String) throws -> String? {
    try? ask(token(payload)).get().payload.text(.export)
  }

  @Test func `the secret makes an operator, with and without dev mode`() throws {
    let (secret, text) = AdminSecret.generate()
    for isDevelopment in [true, false] {
      let answer = try ask(text, isDevelopment: isDevelopment, secret: secret).get()
      #expect(answer.caller == .admin)
      #expect(answer.payload.isNull)
    }
  }

  @Test func `owner and unsigned tokens exist in dev mode only`() throws {
    #expect(try ask("owner").get().caller.isAdmin)
    let refusal = AuthenticationError(.invalid, "Could not parse auth token.")
    let secret = AdminSecret.generate().secret
    for credential in ["owner", token(#"{"sub":"ann"}"#), "", "anything"] {
      #expect(try ask(credential, isDevelopment: false, secret: secret) == .failure(refusal))
    }
  }

  @Test func `rules see the uid, the provider and every claim`() throws {
    let payload = #"{"firebase":{"sign_in_provider":"custom"},"sub":"u1","exp":1700003600,"role":"x"}"#
    let answer = try ask(token(payload)).get()
    #expect(!answer.caller.isAdmin)
    #expect(answer.caller.expiresAtSeconds == 1_700_003_600)
    #expect(
      answer.payload.text(.export)
        == #"{"provider":"custom","token":{"exp":1700003600,"firebase":{"sign_in_provider":"custom"},"#
        + #""role":"x","sub":"u1"},"uid":"u1"}"#)
    #expect(answer.payload == answer.caller.auth)
  }

  @Test func `the old form carries the auth variable itself`() throws {
    #expect(try auth(#"{"v":0,"iat":1,"d":{"uid":"bo","team":"a"}}"#) == #"{"team":"a","uid":"bo"}"#)
    #expect(try ask(token(#"{"v":0,"iat":1,"admin":true,"d":{"uid":"bo"}}"#)).get().caller.isAdmin)
    #expect(try ask(token(#"{"sub":"bo","admin":true}"#)).get().caller.isAdmin == false)
  }

  @Test func `claims may have keys that the tree does not allow`() throws {
    let text = try auth(#"{"sub":"a","firebase":{"identities":{"google.com":["1"]}},"x/y":null}"#)
    #expect(text?.contains(#""google.com""#) == true)
  }

  @Test func `a mock token of an SDK, issued in 1970 for an hour, is good`() throws {
    let answer = try ask(token(#"{"sub":"mia","user_id":"mia","iat":0,"exp":3600}"#)).get()
    #expect(answer.caller.expiresAtSeconds == nil)
    #expect(answer.caller.auth[ChildKey(unchecked: "uid")].string == "mia")
  }

  @Test func `an expired token is told apart from a broken one`() throws {
    let expired = AuthenticationError(.expired, "Auth token is expired.")
    #expect(try ask(token(#"{"sub":"a","exp":1700000000}"#)) == .failure(expired))
    #expect(try ask(token(#"{"sub":"a","exp":-1e300}"#)) == .failure(expired))
    #expect(try ask(token(#"{"sub":"a","exp":1700000001}"#)).get().caller.expiresAtSeconds == 1_700_000_001)
    #expect(try ask(token(#"{"sub":"a","exp":1e300}"#)).get().caller.expiresAtSeconds == .max)
  }

  @Test(arguments: [
    "", "a.b.c", "...", "e30.e30", "e30.e30.e30.", #"{"sub":""}"#, "[]", "null", #"{"sub":1}"#,
    #"{"sub":"a""#,
    #"{"sub":"a","nbf":1800000000}"#, #"{"sub":"a"} x"#, #"{"d":{"team":"x"}}"#,
  ])
  func `a broken token is refused`(payload: String) throws {
    let refusal = AuthenticationError(.invalid, "Could not parse auth token.")
    #expect(try ask(payload) == .failure(refusal))
    #expect(try ask(token(payload)) == .failure(refusal))
  }

  @Test func `a token nested without end does no harm`() throws {
    let deep = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
    _ = try ask(token(#"{"sub":"a","x":\#(deep)}"#))
    _ = try ask(token(String(repeating: #"{"a":"#, count: 5000)))
    #expect(try auth(#"{"sub":"a","x":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}"#) != nil)
  }
}

import Crypto
import Foundation
import Identity
import Server
import Synchronization
import Testing

/// Wilddog's SDK, as far as it speaks HTTP to its auth server.
@Suite struct WilddogAuthTests {
  /// WeChat: knows one mini-program, and each code once.
  private final class WeChat: Sendable {
    let codes = Mutex(["code-1": "open-1", "code-2": "open-1"])

    func answer(_ request: StandIn.Request) -> StandIn.Answer {
      let query = URLComponents(string: request.uri)?.queryItems ?? []
      let value = { (name: String) in query.first { $0.name == name }?.value ?? "" }
      guard URLComponents(string: request.uri)?.path == "/sns/jscode2session",
        value("grant_type") == "authorization_code"
      else { return .init(status: 404, body: "") }
      guard value("appid") == "wx1" else {
        return .init(body: #"{"errcode":40013,"errmsg":"invalid appid"}"#)
      }
      guard value("secret") == "s&cr+t" else {
        return .init(body: #"{"errcode":40125,"errmsg":"invalid appsecret"}"#)
      }
      guard let openID = codes.withLock({ $0.removeValue(forKey: value("js_code")) }) else {
        return .init(body: #"{"errcode":40029,"errmsg":"invalid code"}"#)
      }
      return .init(body: #"{"openid":"\#(openID)","session_key":"key-1"}"#)
    }
  }

  private func withServer(
    secret: String = "s&cr+t", _ work: (TestServer, AuthClient, StandIn) async throws -> Void
  ) async throws {
    let weChat = WeChat()
    let standIn = try await StandIn.start { weChat.answer($0) }
    try await IdentityToolkitTests.withServer({
      $0.weChat = WeChatSettings(appID: "wx1", secret: secret, base: standIn.url)
      $0.authWebhook = standIn.url + "/hook"
    }) { server, client, _ async throws in
      try await work(server, client, standIn)
    }
    try await standIn.stop()
  }

  @Test func `an SDK that asks which hosts serve an app is sent to the one that it asked`() async throws {
    try await withServer { server, _, _ async throws in
      let answer = try await server.ask(.GET, "/v1/lookup?appId=myapp")
      #expect(answer.status == 200 && answer.body == #"{"nssList":["127.0.0.1:\#(server.server.port)"]}"#)
      let text = try await RawHTTP.get(
        "/v1/lookup?appId=myapp", host: "x.example.com", port: server.server.port)
      #expect(text.lowercased().contains("access-control-allow-origin: *"))
      #expect(text.contains(#""x.example.com""#))
      // What is data stays data.
      #expect(try await server.ask(.GET, "/v1/lookup.json").status == 401)
    }
  }

  @Test func `a mini-program's user signs in, is looked up, and writes what is theirs`() async throws {
    try await withServer { server, client, _ async throws in
      let raw = #"{"nickName":"Ann"}"#
      let signature = Insecure.SHA1.hash(data: Array((raw + "key-1").utf8))
        .map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
      let token = try await client.wilddog(
        "wxapp", ["code": "code-1", "rawData": raw, "signature": signature, "encryptedData": "x", "iv": "y"]
      ).text("idToken")
      let found = try await client.wilddog("getAccountInfo", ["idToken": token, "v": "WX2.5.17"])
      let user = (found["users"] as? [[String: Any]])?.first ?? [:]
      #expect(user.text("providerId") == "weapp" && user.text("displayName") == "Ann")
      #expect(user["providerUserInfo"] is [Any])
      let place = "/users/\(user.text("localId"))/x.json?auth=\(token)"
      #expect(try await server.ask(.PUT, place, body: "1").status == 200)
      let again = try await client.wilddog("wxapp", ["code": "code-2"]).text("idToken")
      let same = try await client.wilddog("getAccountInfo", ["idToken": again])
      #expect((same["users"] as? [[String: Any]])?.first?.text("localId") == user.text("localId"))
    }
  }

  @Test func `a code that was used, or data that WeChat did not sign, is refused`() async throws {
    try await withServer { _, client, _ async throws in
      let forged = try await client.wilddog(
        "wxapp", ["code": "code-1", "rawData": "{}", "signature": String(repeating: "0", count: 40)])
      #expect(forged["code"] as? Int == 22234 && forged["idToken"] == nil && forged["error"] == nil)
      #expect(try await client.wilddog("wxapp", ["code": "code-1"])["code"] as? Int == 22233)
      #expect(try await client.wilddog("wxapp", ["code": "never"])["code"] as? Int == 22233)
    }
  }

  @Test func `with a wrong secret for WeChat nobody signs in, and nobody is told why`() async throws {
    try await withServer(secret: "wrong") { _, client, _ async throws in
      let answer = try await client.wilddog("wxapp", ["code": "code-1"])
      #expect(answer["code"] as? Int == 29999 && !answer.text("message").contains("wrong"))
    }
  }

  @Test func `sign-up, password, profile and deletion go as the SDK expects`() async throws {
    try await withServer { _, client, _ async throws in
      let common: [String: Any] = ["_method": "POST", "v": "WX2.5.17", "transport": "json"]
      let guest = try await client.wilddog("signupNewUser", common)
      let known = try await client.wilddog("getAccountInfo", ["idToken": guest.text("idToken")])
      let user = (known["users"] as? [[String: Any]])?.first ?? [:]
      #expect(user.text("providerId") == "anonymous" && user["providerUserInfo"] is [Any])
      let account: [String: Any] = ["email": "ann@example.com", "password": "secret1"]
      let linked = try await client.wilddog(
        "setAccountInfo", account.merging(["idToken": guest.text("idToken")]) { $1 })
      #expect(!linked.text("idToken").isEmpty)
      let taken = try await client.wilddog("signupNewUser", account)
      #expect(taken["errcode"] as? Int == 22013 && !taken.text("error").isEmpty)
      let wrong = try await client.wilddog(
        "verifyPassword", ["providerId": "password", "email": "ann@example.com", "password": "x"])
      #expect(wrong["errcode"] as? Int == 22010)
      let unknown = try await client.wilddog("verifyPassword", ["email": "bob@example.com", "password": "x"])
      #expect(unknown["errcode"] as? Int == 22010 && unknown.text("message") == wrong.text("message"))
      let signedIn = try await client.wilddog("verifyPassword", account)
      _ = try await client.wilddog(
        "setAccountInfo", ["idToken": signedIn.text("idToken"), "displayName": "Ann", "photoUrl": ""])
      #expect(
        try await client.wilddog("deleteAccount", ["idToken": signedIn.text("idToken")]).text("status")
          == "ok")
      let gone = try await client.wilddog("getAccountInfo", ["idToken": signedIn.text("idToken")])
      #expect(gone["error"] != nil && gone["users"] == nil)
      #expect((try await client.wilddog("getProvider", account)["allProviders"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func `a phone number is verified with the code that was sent`() async throws {
    try await withServer { _, client, standIn async throws in
      let phone = "13800000000"
      let new = try await client.wilddog("signupNewUser", ["phoneNumber": phone, "password": "secret1"])
      #expect(!new.text("idToken").isEmpty)
      _ = try await client.wilddog("sendSmsCode", ["phoneNumber": phone, "type": "PHONE_VERIFY"])
      let request = try await standIn.request { $0.uri == "/hook" }
      let code = AuthClient.object(request.body).text("code")
      let wrong = try await client.wilddog("verifyPhone", ["phoneNumber": phone, "smsCode": "x"])
      #expect(wrong["errcode"] as? Int == 22222)
      #expect(
        try await client.wilddog("verifyPhone", ["phoneNumber": phone, "smsCode": code]).text("status")
          == "ok")
    }
  }

  @Test func `a custom token is exchanged, over both addresses`() async throws {
    try await withServer { server, client, _ async throws in
      let admin = try #require(server.server.newAdminSecret)
      let made = try await server.ask(
        .POST, "/.admin/databases/default/secrets.json", body: "{}", credential: admin)
      let secret = AuthClient.object(made.body).text("secret")
      let token = try await TokenTool.mint(
        secret: secret, uid: "ann", claims: #"{"role":"x"}"#, isAdmin: false, seconds: 60)
      let exchanged = try await client.wilddog("verifyCustomToken", ["providerId": "custom", "token": token])
      #expect(
        try await server.ask(.GET, "/users/ann.json", credential: exchanged.text("idToken")).status == 200)
      let other = try await server.ask(
        .POST, "/.auth/customTokenToIdToken.json", body: #"{"token":"\#(token)"}"#)
      let object = AuthClient.object(other.body)
      #expect(other.status == 200 && object["expireIn"] as? Int == 3600)
      #expect(
        try await server.ask(.GET, "/users/ann.json?auth=\(object.text("idToken"))").status == 200)
      let bad = try await server.ask(.POST, "/.auth/customTokenToIdToken.json", body: #"{"token":"x"}"#)
      let error = AuthClient.object(bad.body)["error"] as? [String: Any]
      #expect(error?["code"] as? Int == 22004)
    }
  }

  @Test func `data below v2 is data`() async throws {
    try await TestServer.run { server async throws in
      #expect(try await server.ask(.PUT, "/v2/a/auth/b.json", body: "1").status == 200)
      #expect(try await server.ask(.GET, "/v2/a/auth/b.json").body == "1")
    }
  }
}

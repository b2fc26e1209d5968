import Foundation
import Identity
import NIOHTTP1
import Server
import Testing

/// Firebase's Auth SDKs, as far as they speak HTTP.
@Suite struct IdentityToolkitTests {
  /// A locked server whose database lets users see what is theirs.
  static func withServer(
    _ change: @escaping (inout Configuration) -> Void = { _ in },
    _ work: (TestServer, AuthClient, String) async throws -> Void
  ) async throws {
    try await TestServer.run(with: {
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = Set(SignInMethod.allCases)
      change(&$0)
    }) { server async throws in
      let secret = try #require(server.server.newAdminSecret)
      let rules = #"{"rules":{"users":{"$uid":{".read":"auth.uid === $uid",".write":"auth.uid === $uid"}}}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: secret).status == 200)
      try await work(server, AuthClient(server: server), secret)
    }
  }

  private func refused(_ message: String, _ work: () async throws -> [String: Any]) async {
    let failure = await #expect(throws: AuthClient.Failure.self) { try await work() }
    #expect(failure?.message.hasPrefix(message) == true, "\(failure?.message ?? "") is not \(message)")
    #expect(failure?.status == 400)
  }

  @Test func `a user signs up, reads what is theirs, and nobody else's`() async throws {
    try await Self.withServer { server, client, _ async throws in
      let ann = try await client.toolkit("signUp", ["returnSecureToken": true])
      let (uid, token) = (ann.text("localId"), ann.text("idToken"))
      #expect(ann.text("expiresIn") == "3600" && !ann.text("refreshToken").isEmpty)
      let place = "/users/\(uid)/x.json"
      #expect(try await server.ask(.PUT, place + "?auth=\(token)", body: "1").status == 200)
      #expect(try await server.ask(.GET, place, credential: token).body == "1")
      #expect(try await server.ask(.GET, "/users/other.json", credential: token).status == 401)
      #expect(try await server.ask(.GET, place).status == 401)
      #expect(try await server.ask(.GET, place, credential: token + "x").status == 401)
    }
  }

  @Test(arguments: [false, true])
  func `password, look-up, change, refresh and deletion go as the SDK expects`(isOlder: Bool) async throws {
    try await Self.withServer { server, client, _ async throws in
      let client = AuthClient(server: server, isOlder: isOlder)
      let account: [String: Any] = ["email": "ann@example.com", "password": "secret1"]
      let new = try await client.toolkit("signUp", account)
      #expect(new.text("email") == "ann@example.com")
      await refused("EMAIL_EXISTS") { try await client.toolkit("signUp", account) }
      await refused(isOlder ? "INVALID_PASSWORD" : "INVALID_LOGIN_CREDENTIALS") {
        try await client.toolkit("signInWithPassword", ["email": "ann@example.com", "password": "secret2"])
      }
      let signedIn = try await client.toolkit("signInWithPassword", account)
      #expect(signedIn.text("localId") == new.text("localId") && signedIn["registered"] as? Bool == true)
      let found = try await client.toolkit("lookup", ["idToken": signedIn.text("idToken")])
      let user = (found["users"] as? [[String: Any]])?.first ?? [:]
      #expect(user.text("email") == "ann@example.com" && user["emailVerified"] as? Bool == false)
      #expect((user["providerUserInfo"] as? [[String: Any]])?.first?.text("providerId") == "password")
      #expect(user["password"] == nil)
      let updated = try await client.toolkit(
        "update", ["idToken": signedIn.text("idToken"), "displayName": "Ann"])
      #expect(updated.text("displayName") == "Ann")
      let fresh = try await client.refresh(updated.text("refreshToken"))
      #expect(fresh.text("user_id") == new.text("localId") && fresh.text("expires_in") == "3600")
      #expect(fresh.text("id_token") == fresh.text("access_token"))
      _ = try await client.toolkit("delete", ["idToken": fresh.text("id_token")])
      await refused("TOKEN_EXPIRED") {
        try await client.toolkit("lookup", ["idToken": signedIn.text("idToken")])
      }
      await refused("INVALID_REFRESH_TOKEN") { try await client.refresh(updated.text("refreshToken")) }
      #expect(
        try await server.ask(.GET, "/users/\(new.text("localId")).json", credential: fresh.text("id_token"))
          .status == 401)
    }
  }

  @Test func `what is missing, broken or unknown is said in the SDK's words`() async throws {
    try await Self.withServer { server, client, _ async throws in
      await refused("MISSING_PASSWORD") { try await client.toolkit("signUp", ["email": "a@b.c"]) }
      await refused("MISSING_IDTOKEN") { try await client.toolkit("lookup", [:]) }
      await refused("WEAK_PASSWORD") {
        try await client.toolkit("signUp", ["email": "a@b.c", "password": "12345"])
      }
      await refused("INVALID_ID_TOKEN") { try await client.toolkit("lookup", ["idToken": "x"]) }
      await refused("INVALID_CUSTOM_TOKEN") {
        try await client.toolkit("signInWithCustomToken", ["token": "x"])
      }
      await refused("OPERATION_NOT_ALLOWED") { try await client.toolkit("sendVerificationCode", [:]) }
      await refused("OPERATION_NOT_ALLOWED") {
        try await client.toolkit("sendOobCode", ["requestType": "PASSWORD_RESET", "email": "a@b.c"])
      }
      let place = "/identitytoolkit.googleapis.com/v1/accounts:signUp"
      for body in ["{", "[]", "null", String(repeating: "[", count: 10_000)] {
        #expect(try await server.ask(.POST, place, body: body).status == 400)
      }
      let huge = #"{"x":""# + String(repeating: "x", count: 70_000) + #""}"#
      #expect(try await server.ask(.POST, place, body: huge).status == 413)
    }
  }

  @Test func `an address's ways to sign in are told to nobody`() async throws {
    try await Self.withServer { _, client, _ async throws in
      _ = try await client.toolkit("signUp", ["email": "ann@example.com", "password": "secret1"])
      for email in ["ann@example.com", "bob@example.com"] {
        let answer = try await client.toolkit(
          "createAuthUri", ["identifier": email, "continueUri": "http://localhost"])
        #expect(answer["registered"] as? Bool == false && answer["signinMethods"] == nil)
        await refused("INVALID_LOGIN_CREDENTIALS") {
          try await client.toolkit("signInWithPassword", ["email": email, "password": "wrong-1"])
        }
      }
    }
  }

  @Test func `without being told nobody can sign up at a locked server`() async throws {
    try await Self.withServer({ $0.signInMethods = nil }) { _, client, _ async throws in
      await refused("OPERATION_NOT_ALLOWED") { try await client.toolkit("signUp", [:]) }
      await refused("OPERATION_NOT_ALLOWED") {
        try await client.toolkit("signInWithPassword", ["email": "a@b.c", "password": "secret1"])
      }
    }
  }

  @Test func `browsers may call from any page`() async throws {
    try await Self.withServer { server, _, _ async throws in
      let text = try await RawHTTP.get(
        "/.auth/jwks.json", host: "x", port: server.server.port)
      #expect(text.lowercased().contains("access-control-allow-origin: *"))
      #expect(text.contains(#""alg":"ES256""#) && !text.contains(#""d":"#))
    }
  }

  @Test func `each database has its own users, and the API key names it`() async throws {
    try await Self.withServer { server, client, secret async throws in
      #expect(try await server.ask(.PUT, "/.admin/databases/chat.json", credential: secret).status == 201)
      var chat = client
      chat.key = "chat"
      let account: [String: Any] = ["email": "ann@example.com", "password": "secret1"]
      let here = try await client.toolkit("signUp", account)
      let there = try await chat.toolkit("signUp", account)
      #expect(here.text("localId") != there.text("localId"))
      #expect(
        try await server.ask(
          .GET, "/users/\(there.text("localId")).json", credential: there.text("idToken")
        ).status == 401)
      await refused("INVALID_ID_TOKEN") {
        try await client.toolkit("lookup", ["idToken": there.text("idToken")])
      }
      #expect(try await server.ask(.DELETE, "/.admin/databases/chat.json", credential: secret).status == 200)
      #expect(try await server.ask(.PUT, "/.admin/databases/chat.json", credential: secret).status == 201)
      await refused("INVALID_LOGIN_CREDENTIALS") { try await chat.toolkit("signInWithPassword", account) }
    }
  }

  @Test func `codes go to the operator's service, signed`() async throws {
    let webhook = try await StandIn.start { _ in .init(body: "{}") }
    try await Self.withServer({
      $0.authWebhook = webhook.url + "/send"
      $0.authWebhookSecret = "hook-secret"
    }) { _, client, _ async throws in
      let account: [String: Any] = ["email": "ann@example.com", "password": "secret1"]
      _ = try await client.toolkit("signUp", account)
      let answer = try await client.toolkit(
        "sendOobCode", ["requestType": "PASSWORD_RESET", "email": "ann@example.com"])
      #expect(answer.text("email") == "ann@example.com")
      let request = try await webhook.request { $0.uri == "/send" }
      let message = AuthClient.object(request.body)
      #expect(message.text("type") == "PASSWORD_RESET" && message.text("database") == "default")
      let signature = request.headers.first(name: "x-dhole-signature") ?? ""
      #expect(signature.hasPrefix("sha256=") && signature.utf8.count == 71)
      let reset = try await client.toolkit(
        "resetPassword", ["oobCode": message.text("code"), "newPassword": "secret2"])
      #expect(reset.text("email") == "ann@example.com" && reset.text("requestType") == "PASSWORD_RESET")
      _ = try await client.toolkit(
        "signInWithPassword", ["email": "ann@example.com", "password": "secret2"])
      await refused("INVALID_OOB_CODE") {
        try await client.toolkit(
          "resetPassword", ["oobCode": message.text("code"), "newPassword": "secret3"])
      }
    }
    try await webhook.stop()
  }

  @Test func `guessing from one address is slowed down, also behind a proxy`() async throws {
    try await Self.withServer({
      $0.signInThrottles = SignInThrottles(attempts: Throttle(burst: 3, perHour: 1))
    }) { _, client, _ async throws in
      for _ in 0..<3 { await refused("INVALID_ID") { try await client.refreshless() } }
      await refused("TOO_MANY_ATTEMPTS_TRY_LATER") { try await client.toolkit("signUp", [:]) }
    }
  }

  @Test func `keys and users outlive a restart`() async throws {
    let configure: (inout Configuration) -> Void = {
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = [.password]
    }
    let first = try await TestServer.start(configure)
    let account: [String: Any] = ["email": "ann@example.com", "password": "secret1"]
    let ann = try await AuthClient(server: first).toolkit("signUp", account)
    let keys = try await first.ask(.GET, "/.auth/jwks.json").body
    await first.stop()
    let second = try await TestServer.start(folder: first.configuration.dataFolder, configure)
    let client = AuthClient(server: second)
    #expect(try await second.ask(.GET, "/.auth/jwks.json").body == keys)
    let again = try await client.toolkit("signInWithPassword", account)
    #expect(again.text("localId") == ann.text("localId"))
    _ = try await client.refresh(ann.text("refreshToken"))
    await second.stop(removing: true)
  }
}

extension AuthClient {
  fileprivate func refreshless() async throws -> [String: Any] {
    try await toolkit("update", ["idToken": "x"])
  }
}

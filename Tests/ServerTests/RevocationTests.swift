import Foundation
import Identity
import Server
import TestSupport
import Testing

/// What becomes of connections that are open when their credential is taken back.
@Suite struct RevocationTests {
  private static let rules = """
    {"rules":{"open":{".read":true},"mine":{".read":"auth != null",".write":"auth != null"},
      "left":{".write":"newData.val() === 'nobody'",".read":true}}}
    """

  private struct Site {
    let server: TestServer
    let admin: String

    func post(_ path: String, _ body: String = "{}") async throws -> [String: Any] {
      let answer = try await server.ask(.POST, "/.admin/" + path, body: body, credential: admin)
      #expect((200..<300).contains(answer.status), "\(path): \(answer)")
      return AuthClient.object(answer.body)
    }

    func addSecret() async throws -> (id: String, text: String) {
      let made = try await post("databases/default/secrets.json")
      return (made.text("id"), made.text("secret"))
    }

    func revoke(secret id: String) async throws {
      let answer = try await server.ask(
        .DELETE, "/.admin/databases/default/secrets/\(id).json", credential: admin)
      #expect(answer.status == 200)
    }
  }

  private func withSite(
    ownConnectionSeconds: Double = 3600, _ work: (Site) async throws -> Void
  ) async throws {
    try await TestServer.run(with: {
      $0.ownConnectionSeconds = ownConnectionSeconds
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = Set(SignInMethod.allCases)
    }) { server async throws in
      let admin = try #require(server.server.newAdminSecret)
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: Self.rules, credential: admin).status == 200
      )
      try await work(Site(server: server, admin: admin))
    }
  }

  private func mint(_ secret: String, _ uid: String = "mia", isAdmin: Bool = false) async throws -> String {
    try await TokenTool.mint(secret: secret, uid: uid, claims: nil, isAdmin: isAdmin, seconds: 3600)
  }

  /// A client that has signed in, and listens to what is for everybody and to what is not.
  private func listener(
    _ site: Site, _ credential: String, _ dialect: LiveClient.Dialect = .firebase
  ) async throws -> LiveClient {
    let client = try await LiveClient(site.server, dialect)
    #expect(try await client.ask("auth", ["cred": credential]) == "ok")
    for place in ["/open", "/mine"] {
      #expect(try await client.ask("q", ["p": place, "h": ""]) == "ok")
    }
    #expect(client.heard.allSatisfy { $0 == "d" })
    client.forget()
    return client
  }

  /// It is told that its credential is gone, loses the listen that was not for everybody, and is nobody.
  private func expectOut(
    _ client: LiveClient, _ site: Site, status: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let first = try await client.push()
    #expect(first.name == "ac" && first.body.text("s") == status, "\(first)", sourceLocation: sourceLocation)
    #expect(!first.body.text("d").isEmpty, sourceLocation: sourceLocation)
    let second = try await client.push()
    let place = second.body.text("p").trimmingCharacters(in: ["/"])
    #expect(second.name == "c" && place == "mine", "\(second)", sourceLocation: sourceLocation)
    #expect(
      try await client.ask("p", ["p": "/mine/x", "d": 1]) == "permission_denied",
      sourceLocation: sourceLocation)
    #expect(
      try await client.ask("q", ["p": "/mine", "h": ""]) == "permission_denied",
      sourceLocation: sourceLocation)
    let put = try await site.server.ask(.PUT, "/open.json", body: "1", credential: site.admin)
    #expect(put.status == 200, sourceLocation: sourceLocation)
    let third = try await client.push()
    #expect(
      third.name == "d" && third.body.text("p").trimmingCharacters(in: ["/"]) == "open", "\(third)",
      sourceLocation: sourceLocation)
    client.close()
  }

  @Test(arguments: LiveClient.Dialect.allCases)
  func `who is connected by a secret that is revoked is nobody at once, and told so`(
    dialect: LiveClient.Dialect
  ) async throws {
    try await withSite { site async throws in
      let (kept, gone) = (try await site.addSecret(), try await site.addSecret())
      let stays = try await listener(site, try await mint(kept.text))
      let bySecret = try await listener(site, gone.text, dialect)
      let byToken = try await listener(site, try await mint(gone.text), dialect)
      let byAdmin = try await listener(site, try await mint(gone.text, isAdmin: true), dialect)
      try await site.revoke(secret: gone.id)
      // Wilddog's clients sign out for an expired token only.
      let status = dialect == .firebase ? "invalid_token" : "expired_token"
      for client in [bySecret, byToken, byAdmin] {
        try await expectOut(client, site, status: status)
      }
      #expect(try await stays.ask("p", ["p": "/mine/y", "d": 1]) == "ok")
      #expect(!stays.heard.contains("ac") && !stays.heard.contains("c"))
      stays.close()
    }
  }

  @Test func `rotating secrets ends what rests on the old ones, and a fresh token is taken in their place`()
    async throws
  {
    try await withSite { site async throws in
      let old = try await site.addSecret()
      let client = try await listener(site, try await mint(old.text))
      let fresh = try await site.post(
        "databases/default/secrets.json", #"{"revokeOthers":true}"#
      ).text("secret")
      #expect(try await client.push().name == "ac")
      #expect(try await client.push().name == "c")
      #expect(try await client.ask("auth", ["cred": try await mint(old.text)]) == "invalid_token")
      #expect(try await client.ask("auth", ["cred": try await mint(fresh)]) == "ok")
      #expect(try await client.ask("q", ["p": "/mine", "h": ""]) == "ok")
      client.close()
    }
  }

  @Test func `what a revoked client has left for its end is done as nobody`() async throws {
    try await withSite { site async throws in
      let secret = try await site.addSecret()
      let client = try await listener(site, try await mint(secret.text))
      #expect(try await client.ask("o", ["p": "/mine/gone", "d": "mia"]) == "ok")
      #expect(try await client.ask("o", ["p": "/left", "d": "nobody"]) == "ok")
      try await site.revoke(secret: secret.id)
      #expect(try await client.push().name == "ac")
      client.close()
      let start = ContinuousClock.now
      var left = ""
      while left != #""nobody""#, ContinuousClock.now - start < .seconds(60) {
        left = try await site.server.ask(.GET, "/left.json").body
      }
      #expect(left == #""nobody""#)
      #expect(try await site.server.ask(.GET, "/mine/gone.json", credential: site.admin).body == "null")
    }
  }

  @Test(arguments: ["disable", "delete", "sign-out"])
  func `a user who is disabled, signed out or deleted is out on every connection`(measure: String)
    async throws
  {
    try await withSite { site async throws in
      let auth = AuthClient(server: site.server)
      let (user, other) = (try await auth.toolkit("signUp", [:]), try await auth.toolkit("signUp", [:]))
      let client = try await listener(site, user.text("idToken"))
      let bystander = try await listener(site, other.text("idToken"))
      // Tokens of the very second stay good, as with Firebase, unless nobody is to come in at all.
      if measure == "sign-out" { try await waitForNextSecond() }
      _ = try await site.post("databases/default/users/\(user.text("localId"))/\(measure).json")
      try await expectOut(client, site, status: "expired_token")
      #expect(try await bystander.ask("p", ["p": "/mine/z", "d": 1]) == "ok")
      bystander.close()
    }
  }

  @Test(arguments: LiveClient.Dialect.allCases)
  func `a member who is thrown out of a room hears no more of it on the socket`(dialect: LiveClient.Dialect)
    async throws
  {
    try await withSite { site async throws in
      let rules = #"{"rules":{"rooms":{"$r":{".read":"root.child('in/'+$r+'/'+auth.uid).exists()"}}}}"#
      let put = { (method: TestServer.Method, place: String, value: String) async throws in
        let answer = try await site.server.ask(method, place, body: value, credential: site.admin)
        #expect(answer.status == 200)
      }
      try await put(.PUT, "/.settings/rules.json", rules)
      try await put(.PUT, "/in/a/mia.json", "true")
      let client = try await LiveClient(site.server, dialect)
      let secret = try await site.addSecret().text
      #expect(try await client.ask("auth", ["cred": try await mint(secret)]) == "ok")
      #expect(try await client.ask("q", ["p": "/rooms/a", "h": ""]) == "ok")
      try await put(.PUT, "/rooms/a/x.json", "1")
      #expect(try await client.push().name == "d")
      // Not even what the same write said in the room.
      try await put(.PATCH, "/.json", #"{"in/a/mia":null,"rooms/a/x":2}"#)
      let push = try await client.push()
      #expect(push.name == "c" && push.body.text("p").trimmingCharacters(in: ["/"]) == "rooms/a", "\(push)")
      try await put(.PUT, "/rooms/a/x.json", "3")
      #expect(try await client.ask("q", ["p": "/rooms/a", "h": ""]) == "permission_denied")
      #expect(client.heard == [])
      client.close()
    }
  }

  private func withPasswords(
    ownConnectionSeconds: Double, _ dialect: LiveClient.Dialect,
    _ work: (Site, _ old: LiveClient, _ own: LiveClient, _ change: () async throws -> String) async throws ->
      Void
  ) async throws {
    try await withSite(ownConnectionSeconds: ownConnectionSeconds) { site async throws in
      let auth = AuthClient(server: site.server)
      let mia = ["email": "mia@example.com", "password": "secret1"]
      let old = try await listener(site, try await auth.toolkit("signUp", mia).text("idToken"), dialect)
      try await waitForNextSecond()
      let token = try await auth.toolkit("signInWithPassword", mia).text("idToken")
      let own = try await listener(site, token, dialect)
      try await waitForNextSecond()
      try await work(site, old, own) {
        try await auth.toolkit("update", ["idToken": token, "password": "secret2"]).text("idToken")
      }
    }
  }

  // Wilddog's SDK 2.5.17 signs its user out when it is told that the token is over, whatever comes after; and
  // Firebase's asks for a new one by a refresh token that is over, too.
  @Test(arguments: LiveClient.Dialect.allCases)
  func `who sets a new password keeps the connection and its listens, all others of the user are out`(
    dialect: LiveClient.Dialect
  ) async throws {
    try await withPasswords(ownConnectionSeconds: 3600, dialect) { site, old, own, change in
      let token = try await change()
      try await expectOut(old, site, status: "expired_token")
      #expect(try await own.ask("p", ["p": "/mine/a", "d": 1]) == "ok")
      #expect(try await own.ask("auth", ["cred": token]) == "ok")
      #expect(try await own.ask("p", ["p": "/mine/b", "d": 1]) == "ok")
      #expect(!own.heard.contains("ac") && !own.heard.contains("c"))
      own.close()
    }
  }

  @Test(arguments: LiveClient.Dialect.allCases)
  func `a connection by the token that a new password was set by is out a while later`(
    dialect: LiveClient.Dialect
  ) async throws {
    try await withPasswords(ownConnectionSeconds: 0.2, dialect) { site, old, own, change in
      _ = try await change()
      try await expectOut(old, site, status: "expired_token")
      var push = try await own.push()
      while push.name == "d" { push = try await own.push() }
      #expect(push.name == "ac" && push.body.text("s") == "expired_token")
      own.close()
    }
  }

  private func waitForNextSecond() async throws {
    let now = Int64(Date().timeIntervalSince1970)
    while Int64(Date().timeIntervalSince1970) == now { try await Task.sleep(for: .milliseconds(20)) }
  }

  @Test func `a signing key that is not trusted any more takes its connections with it`() async throws {
    try await withSite { site async throws in
      let user = try await AuthClient(server: site.server).toolkit("signUp", [:])
      let client = try await listener(site, user.text("idToken"))
      _ = try await site.post("keys/rotate.json")
      #expect(try await client.ask("p", ["p": "/mine/k", "d": 1]) == "ok")
      _ = try await site.post("keys/rotate.json", #"{"distrustOld":true}"#)
      var push = try await client.push()
      while push.name == "d" { push = try await client.push() }
      #expect(push.name == "ac" && push.body.text("s") == "expired_token")
      client.close()
    }
  }

  @Test func `an event stream ends when its credential is taken back`() async throws {
    try await withSite { site async throws in
      let secret = try await site.addSecret()
      let stream = try WireClient(port: site.server.server.port)
      try await stream.send(
        "GET /mine.json?auth=\(secret.text) HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
      #expect(try await stream.readHead().status == 200)
      let first = try await stream.readChunk().map { String(decoding: $0, as: UTF8.self) }
      #expect(first?.contains("put") == true)
      try await site.revoke(secret: secret.id)
      var text = ""
      while let chunk = try await stream.readChunk() { text += String(decoding: chunk, as: UTF8.self) }
      #expect(text.contains("event: auth_revoked"), "\(text)")
      #expect(!text.contains("event: cancel"))
    }
  }
}

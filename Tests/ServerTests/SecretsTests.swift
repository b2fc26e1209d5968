import Foundation
import Identity
import Server
import Testing

/// Secrets, keys and users, as the operator manages them.
@Suite struct SecretsTests {
  private typealias Work = (TestServer, String) async throws -> Void

  private func withServer(_ work: Work) async throws {
    try await TestServer.run(with: {
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = Set(SignInMethod.allCases)
    }) { server async throws in
      try await work(server, try #require(server.server.newAdminSecret))
    }
  }

  private func make(_ name: String, _ server: TestServer, _ admin: String) async throws -> String {
    let answer = try await server.ask(.PUT, "/.admin/databases/\(name).json", credential: admin)
    #expect(answer.status == 201)
    return AuthClient.object(answer.body).text("secret")
  }

  @Test func `a new database's secret opens it, and tokens made with it are believed`() async throws {
    try await withServer { server, admin async throws in
      let secret = try await make("shop", server, admin)
      #expect(secret.utf8.count == 40)
      let rules = #"{"rules":{"mine":{".read":"auth.token.role === 'x'"}}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json?ns=shop", body: rules, credential: secret).status
          == 200)
      #expect(try await server.ask(.PUT, "/mine.json?ns=shop&auth=\(secret)", body: "1").status == 200)
      let token = try await TokenTool.mint(
        secret: secret, uid: "ann", claims: #"{"role":"x"}"#, isAdmin: false, seconds: 60)
      #expect(try await server.ask(.GET, "/mine.json?ns=shop", credential: token).body == "1")
      #expect(try await server.ask(.GET, "/other.json?ns=shop", credential: token).status == 401)
      #expect(try await server.ask(.GET, "/mine.json", credential: token).status == 401)
    }
  }

  @Test func `a database's secret is no good for the server`() async throws {
    try await withServer { server, admin async throws in
      _ = try await make("shop", server, admin)
      let made = try await server.ask(
        .POST, "/.admin/databases/default/secrets.json", body: "{}", credential: admin)
      let secret = AuthClient.object(made.body).text("secret")
      #expect(try await server.ask(.PUT, "/x.json", body: "1", credential: secret).status == 200)
      let token = try await TokenTool.mint(
        secret: secret, uid: "root", claims: nil, isAdmin: true, seconds: 60)
      #expect(try await server.ask(.PUT, "/x.json", body: "2", credential: token).status == 200)
      for credential in [secret, token] {
        for (method, target) in [
          (TestServer.Method.GET, "/.admin/databases.json"), (.PUT, "/.admin/databases/new.json"),
          (.DELETE, "/.admin/databases/shop.json"), (.GET, "/.admin/databases/shop/secrets.json"),
          (.POST, "/.admin/keys/rotate.json"), (.GET, "/.admin/audit.json"), (.GET, "/.metrics"),
          (.GET, "/.inspect/databases.json"), (.GET, "/x.json?ns=shop"),
        ] {
          let answer = try await server.ask(method, target, credential: credential)
          #expect(answer.status == 401, "\(method) \(target)")
        }
      }
    }
  }

  @Test func `secrets are added, listed without being shown, and revoked`() async throws {
    try await withServer { server, admin async throws in
      let first = try await make("shop", server, admin)
      let place = "/.admin/databases/shop/secrets"
      let made = try await server.ask(
        .POST, place + ".json", body: #"{"note":"web"}"#, credential: admin)
      #expect(made.status == 201)
      let second = AuthClient.object(made.body)
      let list = try await server.ask(.GET, place + ".json", credential: admin).body
      #expect(list.contains(second.text("id")) && list.contains(#""note":"web""#))
      #expect(!list.contains(first) && !list.contains(second.text("secret")))
      let revoked = try await server.ask(
        .DELETE, place + "/\(second.text("id")).json", credential: admin)
      #expect(revoked.status == 200)
      #expect(
        try await server.ask(.GET, "/x.json?ns=shop", credential: second.text("secret")).status == 401)
      #expect(try await server.ask(.GET, "/x.json?ns=shop", credential: first).status == 200)
      #expect(
        try await server.ask(.DELETE, place + "/\(second.text("id")).json", credential: admin).status == 404)
      #expect(
        try await server.ask(
          .GET, "/.admin/databases/none/secrets.json", credential: admin
        ).status == 404)
    }
  }

  @Test func `secrets outlive a restart, and go with their database`() async throws {
    let first = try await TestServer.start { $0.isDevelopment = false }
    let admin = try #require(first.server.newAdminSecret)
    let secret = try await make("shop", first, admin)
    await first.stop()
    let second = try await TestServer.start(folder: first.configuration.dataFolder) {
      $0.isDevelopment = false
    }
    #expect(try await second.ask(.GET, "/x.json?ns=shop", credential: secret).status == 200)
    #expect(try await second.ask(.DELETE, "/.admin/databases/shop.json", credential: admin).status == 200)
    _ = try await make("shop", second, admin)
    #expect(try await second.ask(.GET, "/x.json?ns=shop", credential: secret).status == 401)
    await second.stop(removing: true)
  }

  @Test func `what operators do is written down, without secrets`() async throws {
    try await withServer { server, admin async throws in
      let secret = try await make("shop", server, admin)
      let rules = #"{"rules":{}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json?ns=shop", body: rules, credential: secret).status
          == 200)
      #expect(try await server.ask(.PUT, "/.admin/databases/x.json", credential: "wrong").status == 401)
      #expect(try await server.ask(.DELETE, "/.admin/databases/shop.json", credential: admin).status == 200)
      var text = ""
      while !text.contains("rules.install") {
        text = try await server.ask(.GET, "/.admin/audit.json?limit=10", credential: admin).body
      }
      for action in ["database.create", "rules.install", "database.delete"] {
        #expect(text.contains(#""action":"\#(action)""#))
      }
      #expect(text.contains(#""address":"127.0.0.1""#) && !text.contains(secret))
    }
  }

  @Test func `a user is signed out, kept out, given claims and deleted`() async throws {
    try await withServer { server, admin async throws in
      let rules = #"{"rules":{".read":"auth.token.role === 'x'"}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: admin).status == 200)
      let client = AuthClient(server: server)
      let ann = try await client.toolkit("signUp", ["email": "a@b.c", "password": "secret1"])
      let place = "/.admin/databases/default/users/\(ann.text("localId"))"
      let claims = #"{"claims":{"role":"x"}}"#
      #expect(
        try await server.ask(.POST, place + "/claims.json", body: claims, credential: admin).status == 200)
      #expect(try await server.ask(.GET, "/x.json", credential: ann.text("idToken")).status == 401)
      let fresh = try await client.refresh(ann.text("refreshToken")).text("id_token")
      #expect(try await server.ask(.GET, "/x.json", credential: fresh).status == 200)
      #expect(
        try await server.ask(.POST, place + "/disable.json", body: "{}", credential: admin).status == 200)
      await #expect(throws: AuthClient.Failure.self) { try await client.refresh(ann.text("refreshToken")) }
      #expect(
        try await server.ask(.POST, place + "/delete.json", body: "{}", credential: admin).status == 200)
      #expect(
        try await server.ask(.POST, place + "/delete.json", body: "{}", credential: admin).status == 404)
      #expect(try await server.ask(.POST, place + "/explode.json", credential: admin).status == 400)
      #expect(try await server.ask(.POST, place + "/claims.json", body: "{}", credential: "x").status == 401)
    }
  }
}

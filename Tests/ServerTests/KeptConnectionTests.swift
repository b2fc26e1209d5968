import Foundation
import Server
import TestSupport
import Testing

/// A connection that is kept remembers who asked over it, but for no longer than that holds.
@Suite struct KeptConnectionTests {
  private func get(_ client: WireClient, _ target: String, _ credential: String?) async throws -> Int {
    let header = credential.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return try await client.get(target, headers: header).status
  }

  @Test func `who was accepted over a connection is refused over it once that is revoked`() async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      let admin = try #require(server.server.newAdminSecret)
      for name in ["shop", "blog"] {
        #expect(
          try await server.ask(.PUT, "/.admin/databases/\(name).json", credential: admin).status == 201)
      }
      let place = "/.admin/databases/shop/secrets"
      let made = try await server.ask(.POST, place + ".json", body: "{}", credential: admin)
      let secret = AuthClient.object(made.body)
      let rules = #"{"rules":{"mine":{".read":"auth.uid === 'ann'"}}}"#
      let target = "/.settings/rules.json?ns=shop"
      #expect(try await server.ask(.PUT, target, body: rules, credential: admin).status == 200)
      let token = try await TokenTool.mint(
        secret: secret.text("secret"), uid: "ann", claims: nil, isAdmin: false, seconds: 60)

      let client = try WireClient(port: server.server.port)
      for _ in 0..<3 { #expect(try await get(client, "/mine.json?ns=shop", token) == 200) }
      // Neither others, nor the same one elsewhere, are taken for who asked before.
      #expect(try await get(client, "/mine.json?ns=shop", nil) == 401)
      #expect(try await get(client, "/mine.json?ns=blog", token) == 401)
      #expect(try await get(client, "/mine.json?ns=shop", String(token.dropLast(2)) + "AA") == 401)
      #expect(try await get(client, "/mine.json?ns=shop", token) == 200)
      #expect(try await get(client, "/other.json?ns=shop", token) == 401)
      let revoked = try await server.ask(
        .DELETE, place + "/\(secret.text("id")).json", credential: admin)
      #expect(revoked.status == 200)
      #expect(try await get(client, "/mine.json?ns=shop", token) == 401)
      client.close()
    }
  }

  @Test func `a token that ends while its connection is kept is refused from then on`() async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      let admin = try #require(server.server.newAdminSecret)
      let made = try await server.ask(.PUT, "/.admin/databases/shop.json", credential: admin)
      let token = try await TokenTool.mint(
        secret: AuthClient.object(made.body).text("secret"), uid: "ann", claims: nil, isAdmin: true,
        seconds: 3)
      let client = try WireClient(port: server.server.port)
      #expect(try await get(client, "/x.json?ns=shop", token) == 200)
      var status = 200
      for _ in 0..<300 where status == 200 {
        try await Task.sleep(for: .milliseconds(100))
        status = try await get(client, "/x.json?ns=shop", token)
      }
      #expect(status == 401)
      client.close()
    }
  }
}

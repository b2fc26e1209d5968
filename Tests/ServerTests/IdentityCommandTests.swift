import Foundation
import Server
import Testing

/// The commands about secrets, tokens and keys.
@Suite struct IdentityCommandTests {
  private func dhole(_ server: TestServer, _ arguments: String...) async throws -> Dhole.Outcome {
    try await Dhole.run(arguments + ["--url", "http://127.0.0.1:\(server.server.port)"])
  }

  private func withServer(_ work: (TestServer, String) async throws -> Void) async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      try await work(server, try #require(server.server.newAdminSecret))
    }
  }

  @Test func `secrets are added, listed, rotated and revoked`() async throws {
    try await withServer { server, admin async throws in
      let word = { (output: String) in String(output.split(separator: " ").last ?? "").dropLast() }
      let first = try await dhole(server, "db", "create", "shop", "--auth", admin).output
      let added = try await dhole(server, "secret", "add", "shop", "--note", "web", "--auth", admin)
      #expect(added.code == 0 && added.output.hasPrefix("secret "))
      let list = try await dhole(server, "secret", "list", "shop", "--auth", admin).output
      #expect(list.split(separator: "\n").count == 2 && list.contains("  web\n"))
      let id = try #require(added.output.split(separator: " ").dropFirst().first?.dropLast())
      #expect(list.contains(id))
      let get = { (secret: Substring) async throws -> Int32 in
        try await dhole(server, "get", "/x", "--db", "shop", "--auth", String(secret)).code
      }
      #expect(try await get(word(first)) == 0)
      #expect(try await get(word(added.output)) == 0)
      #expect(
        try await dhole(server, "secret", "revoke", "shop", String(id), "--auth", admin).output
          == "revoked \(id)\n")
      #expect(try await get(word(added.output)) == 3)
      let rotated = try await dhole(server, "secret", "rotate", "shop", "--auth", admin).output
      #expect(try await get(word(first)) == 3)
      #expect(try await get(word(rotated)) == 0)
      #expect(try await dhole(server, "secret", "list", "none", "--auth", admin).code == 4)
      #expect(try await dhole(server, "secret", "list", "shop", "--auth", String(word(rotated))).code == 3)
      let audit = try await dhole(server, "audit", "--auth", admin).output.split(separator: "\n")
      #expect(audit.count == 4 && audit.first?.contains("secret.add") == true)
      #expect(!audit.joined().contains(word(rotated)))
    }
  }

  @Test func `a token is made without a server, and says what it is`() async throws {
    let secret = String(repeating: "s", count: 40)
    let made = try await Dhole.run([
      "token", "mint", "--uid", "mia", "--claims", #"{"role":"x"}"#, "--ttl", "2h", "--secret", secret,
    ])
    #expect(made.code == 0)
    let token = made.output.trimmingCharacters(in: .newlines)
    let seen = try await Dhole.run(["token", "inspect", token, "--secret", secret])
    #expect(seen.code == 0 && seen.output.contains(#""role":"x""#))
    #expect(seen.output.contains("expires    in 119 minutes") || seen.output.contains("in 2 hours"))
    #expect(seen.output.contains("signature  by this secret"))
    let wrong = try await Dhole.run(["token", "inspect", token, "--secret", secret + "x"])
    #expect(wrong.code == 1 && wrong.output.contains("NOT by this secret"))
    #expect(try await Dhole.run(["token", "inspect", "-"], input: token + "\n").code == 0)
    #expect(try await Dhole.run(["token", "inspect", "nonsense"]).code == 6)
    let short = try await Dhole.run(["token", "mint", "--uid", "mia", "--secret", "short"])
    #expect(short.code == 1 && short.errors.contains("dhole secret add"))
    let bad = try await Dhole.run(["token", "mint", "--uid", "mia", "--secret", secret, "--claims", "[1"])
    #expect(bad.code == 1 && bad.errors.contains("JSON object"))
    #expect(try await Dhole.run(["token", "mint", "--uid", "mia"]).code == 6)
    #expect(try await Dhole.run(["token", "mint", "--uid", "mia", "--ttl", "never"]).code == 64)
  }

  @Test func `a service account's file is made once, for its owner's eyes only`() async throws {
    try await withServer { server, admin async throws in
      let file = TestServer.temporaryFolder() + ".json"
      defer { try? FileManager.default.removeItem(atPath: file) }
      let made = try await dhole(server, "service-account", "create", "default", file, "--auth", admin)
      #expect(made.code == 0, "\(made.errors)")
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
      #expect(mode as? Int == 0o600)
      let object = AuthClient.object(try String(contentsOfFile: file, encoding: .utf8))
      #expect(object.text("type") == "service_account" && object.text("project_id") == "default")
      #expect(object.text("private_key").hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
      #expect(object.text("token_uri") == "http://127.0.0.1:\(server.server.port)/.auth/token")
      #expect(
        try await dhole(server, "service-account", "create", "default", file, "--auth", admin).code == 1)
      let id = object.text("private_key_id")
      #expect(
        try await dhole(server, "service-account", "revoke", "default", id, "--auth", admin).code == 0)
      #expect(
        try await dhole(server, "service-account", "revoke", "default", id, "--auth", admin).code == 4)
      let refused = file + "2"
      #expect(
        try await dhole(server, "service-account", "create", "default", refused, "--auth", "x").code == 3)
      #expect(!FileManager.default.fileExists(atPath: refused))
    }
  }

  @Test func `keys are rotated, and a stopped server's databases have secrets, too`() async throws {
    try await withServer { server, admin async throws in
      let before = try await server.ask(.GET, "/.auth/jwks.json").body
      #expect(try await dhole(server, "keys", "rotate", "--auth", admin).code == 0)
      let after = try await server.ask(.GET, "/.auth/jwks.json").body
      #expect(after.split(separator: "kid").count == 3 && after != before)
      #expect(try await dhole(server, "keys", "rotate", "--distrust-old", "--auth", admin).code == 0)
      #expect(try await server.ask(.GET, "/.auth/jwks.json").body.split(separator: "kid").count == 2)
      #expect(try await dhole(server, "keys", "rotate").code == 3)
    }
    let first = try await TestServer.start { $0.isDevelopment = false }
    let folder = first.configuration.dataFolder
    await first.stop()
    let made = try await Dhole.run(["db", "create", "shop", "--data", folder, "--json"])
    let secret = AuthClient.object(made.output).text("secret")
    #expect(secret.utf8.count == 40)
    let second = try await TestServer.start(folder: folder) { $0.isDevelopment = false }
    #expect(try await second.ask(.GET, "/x.json?ns=shop", credential: secret).status == 200)
    await second.stop(removing: true)
  }
}

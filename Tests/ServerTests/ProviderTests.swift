import Foundation
import Identity
import Server
import Synchronization
import Testing

/// Identity providers whose keys are fetched over HTTP. This server plays the provider: it publishes its
/// keys.
@Suite struct ProviderTests {
  @Test func `another server's users are believed with keys from its address, and only where it is trusted`()
    async throws
  {
    let other = try await TestServer.start {
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = [.anonymous]
      $0.issuer = "https://id.example.com"
    }
    let token = try await AuthClient(server: other).toolkit("signUp", [:]).text("idToken")
    let settings = ProviderSettings(
      issuer: "https://id.example.com/default", audiences: ["default"],
      keys: "http://127.0.0.1:\(other.server.port)/.auth/jwks.json", databases: ["shop"])
    try await TestServer.run(with: {
      $0.isDevelopment = false
      $0.identityProviders = [settings]
    }) { server async throws in
      let admin = try #require(server.server.newAdminSecret)
      #expect(try await server.ask(.PUT, "/.admin/databases/shop.json", credential: admin).status == 201)
      let rules = #"{"rules":{".read":"auth != null"}}"#
      for name in ["shop", "default"] {
        let target = "/.settings/rules.json?ns=\(name)"
        #expect(try await server.ask(.PUT, target, body: rules, credential: admin).status == 200)
      }
      #expect(try await server.ask(.GET, "/x.json?ns=shop", credential: token).status == 200)
      #expect(try await server.ask(.GET, "/x.json", credential: token).status == 401)
      let text = server.server.announcement.joined(separator: "\n")
      #expect(text.contains("https://id.example.com/default, in shop"))
    }
    await other.stop(removing: true)
  }

  @Test func `a key that came after the start is fetched while the request waits`() async throws {
    let keys = Mutex(#"{"keys":[]}"#)
    let provider = try await StandIn.start { _ in
      .init(headers: [("cache-control", "public, max-age=600")], body: keys.withLock { $0 })
    }
    let other = try await TestServer.start {
      $0.isDevelopment = false
      $0.passwordCost = .cheap
      $0.signInMethods = [.anonymous]
      $0.issuer = "https://id.example.com"
    }
    let token = try await AuthClient(server: other).toolkit("signUp", [:]).text("idToken")
    let settings = ProviderSettings(
      issuer: "https://id.example.com/default", audiences: ["default"], keys: provider.url)
    try await TestServer.run(with: {
      $0.isDevelopment = false
      $0.identityProviders = [settings]
    }) { server async throws in
      let admin = try #require(server.server.newAdminSecret)
      let rules = #"{"rules":{".read":"auth != null"}}"#
      #expect(
        try await server.ask(.PUT, "/.settings/rules.json", body: rules, credential: admin).status == 200)
      #expect(try await server.ask(.GET, "/x.json", credential: token).status == 401)
      let published = try await other.ask(.GET, "/.auth/jwks.json").body
      keys.withLock { $0 = published }
      // Nobody is asked again within ten seconds of the start.
      var status = 401
      let end = ContinuousClock.now + .seconds(20)
      while status == 401, ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(500))
        status = try await server.ask(.GET, "/x.json", credential: token).status
      }
      #expect(status == 200)
      #expect(provider.requests.count <= 4)
    }
    await other.stop(removing: true)
    try await provider.stop()
  }

  @Test func `a provider that can't be reached does not keep the server from starting`() async throws {
    let settings = ProviderSettings(
      issuer: "https://id.example.com", audiences: ["a"], keys: "http://127.0.0.1:1/jwks.json")
    try await TestServer.run(with: { $0.identityProviders = [settings] }) { server async throws in
      #expect(try await server.ask(.GET, "/.health").status == 200)
    }
  }

  @Test func `a list of providers is read, and faults are said`() throws {
    let file = TestServer.temporaryFolder() + ".json"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let read = { (text: String) throws -> [ProviderSettings] in
      try Data(text.utf8).write(to: URL(filePath: file))
      return try ProviderSettings.read(file: file)
    }
    let good = #"[{"issuer":"https://i","audiences":["a"],"keys":"https://i/k","databases":["shop"]}]"#
    #expect(
      try read(good)
        == [ProviderSettings(issuer: "https://i", audiences: ["a"], keys: "https://i/k", databases: ["shop"])]
    )
    for bad in [
      "", "{}", #"[{"issuer":"https://i"}]"#, #"[{"issuer":"","audiences":["a"],"keys":"k"}]"#,
      #"[{"issuer":"i","audiences":[],"keys":"k"}]"#,
      #"[{"issuer":"i","audiences":["a"],"keys":"http://id.example.com/k"}]"#,
    ] {
      #expect(throws: ServerError.self, "\(bad)") { try read(bad) }
    }
    #expect(throws: ServerError.self) { try ProviderSettings.read(file: file + ".none") }
  }
}

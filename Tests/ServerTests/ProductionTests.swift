import Foundation
import Server
import Testing

/// A server without `--dev`: closed until its operator opens it.
@Suite struct ProductionTests {
  private func withServer(_ work: (TestServer, String) async throws -> Void) async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      try await work(server, try #require(server.server.newAdminSecret))
    }
  }

  @Test func `rules deny everything to all but the operator`() async throws {
    try await withServer { server, secret async throws in
      let denied = TestServer.Answer(status: 401, body: #"{"error":"Permission denied"}"#)
      #expect(try await server.ask(.GET, "/x.json") == denied)
      #expect(try await server.ask(.PUT, "/x.json", body: "1") == denied)
      #expect(try await server.ask(.PUT, "/x.json", body: "1", credential: secret).status == 200)
      #expect(try await server.ask(.GET, "/x.json?auth=\(secret)").body == "1")
    }
  }

  @Test func `what dev mode believes is refused`() async throws {
    try await withServer { server, secret async throws in
      let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."
      for credential in ["owner", unsigned, secret + "x", secret.lowercased()] {
        #expect(try await server.ask(.GET, "/x.json", credential: credential).status == 401)
      }
      #expect(try await server.ask(.GET, "/.metrics").status == 401)
      #expect(try await server.ask(.GET, "/.metrics", credential: secret).status == 200)
    }
  }

  @Test func `a database has to be created first`() async throws {
    try await withServer { server, secret async throws in
      #expect(try await server.ask(.GET, "/x.json?ns=other", credential: secret).status == 404)
      #expect(try await server.ask(.PUT, "/.admin/databases/other.json", credential: secret).status == 201)
      #expect(try await server.ask(.PUT, "/x.json?ns=other", body: "1", credential: secret).status == 200)
    }
  }

  @Test func `the secret is shown once, holds for ever, and is not in the folder`() async throws {
    let first = try await TestServer.start { $0.isDevelopment = false }
    let folder = first.configuration.dataFolder
    let secret = try #require(first.server.newAdminSecret)
    await first.stop()
    let file = try String(contentsOfFile: folder + "/admin-secret", encoding: .utf8)
    #expect(file.hasPrefix("sha256:") && !file.contains(secret))
    let mode = try FileManager.default.attributesOfItem(atPath: folder + "/admin-secret")[.posixPermissions]
    #expect(mode as? Int == 0o600)
    let second = try await TestServer.start(folder: folder) { $0.isDevelopment = false }
    #expect(second.server.newAdminSecret == nil)
    #expect(try await second.ask(.GET, "/x.json", credential: secret).status == 200)
    await second.stop(removing: true)
  }

  @Test func `a start that fails does not use up the secret`() async throws {
    try await withServer { server, _ async throws in
      let folder = TestServer.temporaryFolder()
      await #expect(throws: ServerError.self) {
        try await TestServer.start(folder: folder) {
          $0.isDevelopment = false
          $0.port = server.server.port
        }
      }
      let next = try await TestServer.start(folder: folder) { $0.isDevelopment = false }
      #expect(next.server.newAdminSecret != nil)
      await next.stop(removing: true)
    }
  }

  @Test func `a damaged secret stops the server instead of making a new one`() async throws {
    let folder = TestServer.temporaryFolder()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try "nonsense\n".write(toFile: folder + "/admin-secret", atomically: true, encoding: .utf8)
    await #expect {
      try await TestServer.start(folder: folder) { $0.isDevelopment = false }
    } throws: { error in
      (error as? ServerError)?.message.contains("admin-secret is damaged") == true
    }
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `rules that the operator installs hold at once and after a restart`() async throws {
    let first = try await TestServer.start { $0.isDevelopment = false }
    let folder = first.configuration.dataFolder
    let secret = try #require(first.server.newAdminSecret)
    let rules = #"{"rules":{"public":{".read":true}}}"#
    #expect(try await first.ask(.PUT, "/.settings/rules.json", body: rules).status == 401)
    #expect(try await first.ask(.PUT, "/.settings/rules.json", body: rules, credential: secret).status == 200)
    #expect(try await first.ask(.GET, "/public.json").status == 200)
    #expect(try await first.ask(.GET, "/x.json").status == 401)
    await first.stop()
    let second = try await TestServer.start(folder: folder) { $0.isDevelopment = false }
    #expect(try await second.ask(.GET, "/public.json").status == 200)
    #expect(try await second.ask(.GET, "/x.json").status == 401)
    await second.stop(removing: true)
  }

  @Test func `the announcement says what is open to whom`() async throws {
    try await TestServer.run { server async throws in
      let text = server.server.announcement.joined(separator: "\n")
      #expect(text.contains("listening on http://127.0.0.1:\(server.server.port)"))
      #expect(text.contains("WARNING: --dev"))
    }
    try await withServer { server, secret async throws in
      let text = server.server.announcement.joined(separator: "\n")
      #expect(text.contains(secret))
      #expect(text.contains("denies everything"))
      #expect(!text.contains("WARNING"))
    }
  }
}

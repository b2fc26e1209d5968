import Foundation
import Server
import Testing

/// What a locked server says at its start about who gets in, and that it is so.
@Suite struct ReachTests {
  /// What the built program says when it starts, up to the last line.
  private func announcement(_ options: [String]) async throws -> String {
    let folder = TestServer.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (process, output) = (Process(), Pipe())
    process.executableURL = Dhole.binary
    process.arguments = ["serve", "--port", "0", "--data", folder + "/data"] + options
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": NSTemporaryDirectory()]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try process.run()
    defer { process.terminate() }
    var text = ""
    while !text.contains("/.settings/rules.json'\n"), !text.contains("/x.json'\n") {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "the server says no more: \(text)")
      text += String(decoding: piece, as: UTF8.self)
    }
    return text
  }

  @Test func `a locked server says at its start what is reachable with what`() async throws {
    let plain = try await announcement([])
    for line in [
      "dhole \(Version.current) listening on http://127.0.0.1:", "admin secret, shown only now: ",
      "open to everybody: /.health, the public keys at /.auth/jwks.json, the SDK at /.sdk/\n",
      "open to the admin secret: everything; to a database's own secrets and service accounts: that database",
      "open as rules allow: to tokens made with a database's secret, and to users who sign in by: custom\n",
      "closed: each database denies everything until its rules are installed with the admin secret:\n",
    ] { #expect(plain.contains(line), "\(line)\n\(plain)") }
    #expect(!plain.contains("WARNING") && !plain.contains("--dev"))
  }

  @Test func `it warns of secrets in the clear, and names who else is trusted and how users sign in`()
    async throws
  {
    let file = TestServer.temporaryFolder() + ".json"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let providers =
      #"[{"issuer":"https://id.example.com","audiences":["a"],"keys":"/none","databases":["x"]}]"#
    try providers.write(toFile: file, atomically: true, encoding: .utf8)
    let text = try await announcement([
      "--host", "0.0.0.0", "--sign-in", "password,anonymous", "--identity-providers", file,
    ])
    #expect(text.contains("WARNING: without --tls-cert and --tls-key, secrets cross the network"))
    #expect(text.contains("users who sign in by: anonymous, password\n"))
    #expect(text.contains("open as rules allow: to tokens of https://id.example.com, in x\n"))
    let nobody = try await announcement(["--sign-in", "none"])
    #expect(nobody.contains("users who sign in by: nothing (--sign-in)\n"))
  }

  @Test func `without --dev nothing else answers, and what is said to be open does`() async throws {
    try await TestServer.run(with: { $0.isDevelopment = false }) { server async throws in
      for place in ["/.health", "/.auth/jwks.json", "/.sdk/"] {
        #expect(try await server.ask(.GET, place).status == 200, "\(place)")
      }
      for (method, place) in [
        (TestServer.Method.GET, "/.json"), (.PUT, "/x.json"), (.PATCH, "/.json"), (.DELETE, "/.json"),
        (.GET, "/.settings/rules.json"), (.PUT, "/.settings/rules.json"), (.GET, "/.metrics"),
        (.GET, "/.admin/databases.json"), (.PUT, "/.admin/databases/x.json"), (.GET, "/.admin/audit.json"),
        (.GET, "/.admin/databases/default/users.json"), (.POST, "/.admin/databases/default/users.json"),
        (.POST, "/.admin/keys/rotate.json"), (.GET, "/.inspect/databases.json"),
        (.GET, "/identitytoolkit.googleapis.com/v1/projects/default/accounts:batchGet"),
        (.POST, "/identitytoolkit.googleapis.com/v1/projects/default/accounts"),
      ] {
        for credential in [nil, "owner"] {
          let answer = try await server.ask(
            method, place, body: method == .GET || method == .DELETE ? nil : #"{"x":1}"#,
            credential: credential)
          #expect(answer.status == 401, "\(method) \(place) as \(credential ?? "nobody"): \(answer)")
        }
      }
      for method in ["signUp", "signInWithPassword"] {
        let place = "/identitytoolkit.googleapis.com/v1/accounts:\(method)?key=default"
        let body = #"{"email":"a@b.c","password":"secret1"}"#
        let answer = try await server.ask(.POST, place, body: body)
        #expect(answer.status == 400 && answer.body.contains("OPERATION_NOT_ALLOWED"), "\(method): \(answer)")
      }
    }
  }
}

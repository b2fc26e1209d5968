import Foundation
import Testing

/// Real clients, unmodified from PyPI, and bare sockets against the built binary.
///
/// What each scenario checks stands in Tests/InteropClients. Without PyPI, or the virtual environment that
/// `make python` builds, the tests fail and say so.
@Suite(.serialized) struct InteropTests {
  @Test(arguments: ["basics", "etags", "contention", "queries", "overrides", "listening"])
  func `firebase-admin works as with an emulator`(scenario: String) async throws {
    try await run("admin_client.py", scenario)
  }

  @Test(arguments: ["sample", "large"])
  func `a bare WebSocket client speaks the Firebase protocol`(scenario: String) async throws {
    try await run("raw_socket.py", scenario)
  }

  @Test(arguments: ["admin", "socket"])
  func `real clients are allowed and denied as the cases of the shipped rule sets say`(
    scenario: String
  ) async throws {
    try await run("rules_cases.py", scenario)
  }

  @Test(arguments: ["session", "moving"])
  func `a bare client polls, and moves to a WebSocket`(scenario: String) async throws {
    try await run("raw_poll.py", scenario)
  }

  @Test(arguments: ["hostile", "large", "stream"])
  func `bare HTTP is answered whatever it brings`(scenario: String) async throws {
    try await run("raw_http.py", scenario)
  }

  @Test(arguments: [
    "v4-polling", "v4-websocket", "v4-upgrade", "v5-polling", "v5-websocket", "v5-upgrade",
  ])
  func `python-socketio speaks Wilddog's protocol`(scenario: String) async throws {
    try await run("socketio_client.py", scenario)
  }

  @Test func `the guide for apps that come from Wilddog can be followed`() async throws {
    let guide = PythonEnvironment.root.appending(path: "Sources/Server/Server.docc/MovingFromWilddog.md")
    let script = PythonEnvironment.root.appending(path: "Tests/InteropClients/wilddog_app.js")
    try await run("wilddog_app.js", "guide", URL(filePath: "/usr/bin/env")) { server in
      ["node", script.path, "127.0.0.1:\(server.port)", guide.path, BuiltServer.binary.path]
    }
  }

  /// The whole of it takes minutes with a debug build: that is for `make soak`.
  @Test(arguments: [ProcessInfo.processInfo.environment["SOAK"] == "1" ? "whole" : "part"])
  func `a public data set is imported, listened to, queried with and without indexes, and exported again`(
    scenario: String
  ) async throws {
    let script = PythonEnvironment.root.appending(path: "Tests/InteropClients/public_data.py")
    try await run("public_data.py", scenario, try await PythonEnvironment.shared.python()) { server in
      [script.path, "127.0.0.1:\(server.port)", scenario, BuiltServer.binary.path]
    }
  }

  @Test func `firebase-admin manages users as with an emulator`() async throws {
    try await run("admin_auth.py", "users")
  }

  @Test(arguments: ["custom", "expiry"])
  func `tokens of firebase-admin and of a secret open a locked server over REST and WebSocket`(
    scenario: String
  ) async throws {
    let path = PythonEnvironment.root.appending(path: "Tests/InteropClients/auth_client.py")
    let python = try await PythonEnvironment.shared.python()
    try await run("auth_client.py", scenario, python, options: ["--sign-in", "custom"]) { server in
      [path.path, "127.0.0.1:\(server.port)", scenario, server.adminSecret ?? ""]
    }
  }

  @Test func `firebase-admin works with a locked server over TLS, by a service account of the server`()
    async throws
  {
    let clients = PythonEnvironment.root.appending(path: "Tests/InteropClients")
    let python = try await PythonEnvironment.shared.python()
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = try Command(
      python, [clients.appending(path: "tls_files.py").path, folder.path],
      output: folder.appending(path: "log"))
    #expect(await files.exitCode(within: .seconds(120)) == 0, "\(files.text)")
    let options = [
      "--tls-cert", folder.appending(path: "server.pem").path, "--tls-key",
      folder.appending(path: "server.key").path,
    ]
    try await run("tls_client.py", "locked", python, options: options) { server in
      [
        clients.appending(path: "tls_client.py").path, "127.0.0.1:\(server.port)", "locked",
        server.adminSecret ?? "", folder.path, BuiltServer.binary.path,
      ]
    }
  }

  private static func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dhole-interop-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private func run(_ script: String, _ scenario: String) async throws {
    let path = PythonEnvironment.root.appending(path: "Tests/InteropClients/\(script)")
    try await run(script, scenario, try await PythonEnvironment.shared.python()) { server in
      [path.path, "127.0.0.1:\(server.port)", scenario]
    }
  }

  private func run(
    _ script: String, _ scenario: String, _ executable: URL, options: [String] = ["--dev"],
    arguments: (BuiltServer) -> [String]
  ) async throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let server = try await BuiltServer.start(in: folder, options: options)
    let client = try Command(executable, arguments(server), output: folder.appending(path: "client"))
    let status = await client.exitCode(within: .seconds(scenario == "whole" ? 900 : 180))
    let output = client.text.split(separator: "\n").suffix(25).joined(separator: "\n")
    #expect(
      status == 0, "\(script) \(scenario) ended with \(status.map(String.init) ?? "a time-out"):\n\(output)")
    #expect(client.text.contains("done \(scenario)"), "\(output)")
    #expect(server.command.isRunning, "the server has ended: \(server.command.text)")
    let stopped = await server.stop()
    #expect(
      stopped == 0,
      "the server stopped with \(stopped.map(String.init) ?? "a time-out"): \(server.command.text)")
  }
}

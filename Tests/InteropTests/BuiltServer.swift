import Foundation

/// The built binary serving an empty folder.
struct BuiltServer {
  /// The program that was built with the tests.
  static let binary = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "dhole")

  let command: Command
  let port: Int

  /// The admin secret that a locked server prints at its first start.
  var adminSecret: String? {
    let prefix = "admin secret, shown only now: "
    return command.text.split(separator: "\n").first { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
  }

  /// In development, or with the options of a locked server.
  static func start(in folder: URL, options: [String] = ["--dev"]) async throws -> BuiltServer {
    let data = folder.appending(path: "data").path
    let arguments = ["serve"] + options + ["--port", "0", "--threads", "2", "--data", data]
    let command = try Command(binary, arguments, output: folder.appending(path: "server"))
    for _ in 0..<600 {
      let line = command.text.split(separator: "\n", omittingEmptySubsequences: false)
      if line.count > 1, command.text.contains("curl"),
        let port = line[0].split(separator: ":").last.flatMap({ Int($0) })
      {
        return BuiltServer(command: command, port: port)
      }
      guard command.isRunning else { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw PythonEnvironment.Missing(description: "the server does not start: \(command.text)")
  }

  func stop() async -> Int32? {
    command.interrupt()
    return await command.exitCode(within: .seconds(30))
  }
}

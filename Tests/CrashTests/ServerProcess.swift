import Foundation
import Synchronization

/// The built binary, serving a data folder until it is killed.
final class ServerProcess: Sendable {
  let port: Int
  private let process: Process

  struct NoStart: Error, CustomStringConvertible {
    let description: String
  }

  /// `dhole` beside the test bundle.
  static var binary: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(
      path: "dhole")
  }

  /// Starts a server and waits until it listens.
  static func start(folder: URL, options: [String] = []) async throws -> ServerProcess {
    let (process, output) = try launch(folder: folder, options: options)
    let line = await firstLine(of: output)
    guard let port = line.split(separator: ":").last.flatMap({ Int($0) }), line.contains("listening on")
    else {
      process.terminate()
      throw NoStart(description: "the server said \"\(line)\" instead of where it listens")
    }
    return ServerProcess(process: process, port: port)
  }

  /// Starts a server and kills it a moment later, wherever it is by then.
  static func startAndKill(folder: URL, after delay: Duration) async throws {
    let (process, _) = try launch(folder: folder, options: [])
    try await Task.sleep(for: delay)
    await ServerProcess(process: process, port: 0).kill()
  }

  private init(process: Process, port: Int) {
    self.process = process
    self.port = port
  }

  private static func launch(folder: URL, options: [String]) throws -> (Process, Pipe) {
    let process = Process()
    let output = Pipe()
    process.executableURL = binary
    process.arguments =
      ["serve", "--dev", "--port", "0", "--threads", "2", "--data", folder.path, "--log-level", "error"]
      + options
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output)
  }

  private static func firstLine(of output: Pipe) async -> String {
    let text = Mutex("")
    return await withCheckedContinuation { continuation in
      let isDone = Mutex(false)
      output.fileHandleForReading.readabilityHandler = { handle in
        let piece = handle.availableData
        let line = text.withLock { text -> String? in
          text += String(decoding: piece, as: UTF8.self)
          return text.contains("\n") || piece.isEmpty ? String(text.prefix { $0 != "\n" }) : nil
        }
        guard let line, !isDone.withLock({ was in (was, was = true).0 }) else { return }
        handle.readabilityHandler = nil
        continuation.resume(returning: line)
      }
    }
  }

  /// Ends it as a power failure would end the process.
  func kill() async {
    Foundation.kill(process.processIdentifier, SIGKILL)
    _ = await exitCode()
  }

  /// Asks it to stop, and gives its exit code.
  func stop() async -> Int32 {
    Foundation.kill(process.processIdentifier, SIGTERM)
    return await exitCode()
  }

  private func exitCode() async -> Int32 {
    while process.isRunning { try? await Task.sleep(for: .milliseconds(2)) }
    return process.terminationStatus
  }
}

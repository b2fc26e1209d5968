import Foundation
import Synchronization

/// Runs the built command line beside the test bundle.
enum Dhole {
  struct Outcome: Equatable {
    var code: Int32
    var output: String
    var errors: String
  }

  static var binary: URL {
    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "dhole")
  }

  /// Runs a command to its end; what it may say is short enough for a pipe.
  static func run(
    _ arguments: [String], input: String? = nil, in folder: URL = FileManager.default.temporaryDirectory,
    environment: [String: String] = [:]
  ) async throws -> Outcome {
    let process = Process()
    let (output, errors, stdin) = (Pipe(), Pipe(), Pipe())
    process.executableURL = binary
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = stdin
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": NSTemporaryDirectory()]
      .merging(environment) { $1 }
    process.currentDirectoryURL = folder
    try process.run()
    if let input { try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
    try stdin.fileHandleForWriting.close()
    while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
    func text(_ pipe: Pipe) -> String {
      String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
    return Outcome(code: process.terminationStatus, output: text(output), errors: text(errors))
  }
}

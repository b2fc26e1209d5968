import Foundation

/// A process whose output goes to a file.
final class Command: Sendable {
  private let process: Process
  private let output: URL

  init(_ executable: URL, _ arguments: [String], output: URL) throws {
    self.output = output
    if output.path != "/dev/null" { try Data().write(to: output) }
    let handle = try FileHandle(forWritingTo: output)
    process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = handle
    process.standardError = handle
    process.standardInput = FileHandle.nullDevice
    try process.run()
    try handle.close()
  }

  var isRunning: Bool { process.isRunning }

  /// What it has said so far.
  var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  func interrupt() { process.interrupt() }

  /// How it ended; nil if it had to be killed because it took too long.
  func exitCode(within limit: Duration) async -> Int32? {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while process.isRunning {
      if clock.now > end {
        kill(process.processIdentifier, SIGKILL)
        return nil
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return process.terminationStatus
  }
}

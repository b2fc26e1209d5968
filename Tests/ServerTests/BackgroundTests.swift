import Foundation
import Testing

#if os(Linux)
  import Glibc

  /// An import lets everybody else on its machine go first, unless it is told not to.
  @Suite struct BackgroundTests {
    /// Linux's `SCHED_OTHER` and `SCHED_IDLE`.
    private static let (normal, idle): (Int32, Int32) = (0, 5)

    @Test func `an import runs when no other program wants the core`() async throws {
      #expect(try await policies(ofImport: []) == [Self.idle])
    }

    @Test func `an import in the foreground runs like any other program`() async throws {
      #expect(try await policies(ofImport: ["--foreground"]) == [Self.normal])
    }

    /// The policies of all threads of an import that has begun to read its input.
    private func policies(ofImport more: [String]) async throws -> Set<Int32> {
      let process = Process()
      let input = Pipe()
      process.executableURL = Dhole.binary
      process.arguments = ["import", "-", "/x", "--url", "http://127.0.0.1:1"] + more
      process.standardInput = input
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      // More than a pipe holds, so that this returns only when some of it has been read.
      let text = Data("[\(String(repeating: " ", count: 300_000))".utf8)
      try await Task.detached { try input.fileHandleForWriting.write(contentsOf: text) }.value
      let threads = try FileManager.default.contentsOfDirectory(
        atPath: "/proc/\(process.processIdentifier)/task")
      let found = Set(threads.compactMap { pid_t($0) }.map { sched_getscheduler($0) })
      process.terminate()
      while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
      return found
    }
  }
#endif

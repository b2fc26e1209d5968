import Foundation
import Testing

/// The SDK of `sdk-js`, in a mini-program's bare context, against the built binary.
///
/// What is checked stands in sdk-js/test; here it is only run. `make javascript` installs what it needs.
@Suite(.serialized) struct SDKTests {
  @Test(
    arguments: [
      "tree", "view", "build", "client", "auth", "firebase", "platforms", "network", "converge",
      "demo", "miniprogram", "web",
      "storm",
    ])
  func `the JavaScript SDK passes its own tests`(file: String) async throws {
    try await run(file)
  }

  /// Bundles as they are shipped have other names for private members, which must make no difference.
  @Test(arguments: ["client", "auth", "firebase", "platforms", "network", "converge"])
  func `the JavaScript SDK passes the same tests if it is not minified`(file: String) async throws {
    try await run(file, "SDK=source")
  }

  private func run(_ file: String, _ variables: String...) async throws {
    let binary = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appending(path: "dhole")
    let path = PythonEnvironment.root.appending(path: "sdk-js/test/\(file).test.js")
    let output = FileManager.default.temporaryDirectory.appending(path: "dhole-sdk-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: output) }
    let arguments = ["DHOLE_BINARY=\(binary.path)"] + variables + ["node", "--test", path.path]
    let tests = try Command(URL(filePath: "/usr/bin/env"), arguments, output: output)
    let status = await tests.exitCode(within: .seconds(180))
    let text = tests.text.split(separator: "\n").suffix(80).joined(separator: "\n")
    #expect(status == 0, "\(file) ended with \(status.map(String.init) ?? "a time-out"):\n\(text)")
    #expect(tests.text.contains("# fail 0"), "\(text)")
  }
}

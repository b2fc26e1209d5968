import Foundation
import Testing

/// The page of `dhole rules coverage --html`, as a browser draws it.
struct CoveragePageTests {
  /// What is looked for on the picture stands in the script. `COVERAGE_PICTURE=FILE` keeps the picture.
  @Test func `every verdict can be seen on the coverage page, in a wide window and in a narrow one`()
    async throws
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dhole-page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let script = PythonEnvironment.root.appending(path: "Tests/InteropClients/coverage_page.py")
    var arguments = ["python3", script.path, BuiltServer.binary.path, folder.path]
    if let picture = ProcessInfo.processInfo.environment["COVERAGE_PICTURE"] { arguments.append(picture) }
    let look = try Command(
      URL(filePath: "/usr/bin/env"), arguments, output: folder.appending(path: "output"))
    let status = await look.exitCode(within: .seconds(180))
    #expect(
      status == 0 && look.text.contains("done coverage page"),
      "it ended with \(status.map(String.init) ?? "a time-out"):\n\(look.text.suffix(2000))")
  }
}

import Foundation
import Server
import Testing

/// What the documentation says is done as it is written.
@Suite struct GuideTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    .standardized

  private static func page(_ name: String) throws -> String {
    try String(contentsOf: root.appending(path: "Sources/Server/Server.docc/\(name).md"), encoding: .utf8)
  }

  /// The shell commands of a page, in their order.
  private static func commands(of page: String) -> [String] {
    page.components(separatedBy: "```sh\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first?.trimmingCharacters(in: .newlines) }
  }

  private func environment(port: Int) -> [String: String] {
    let tools = Dhole.binary.deletingLastPathComponent().path
    return [
      "PATH": "\(tools):/usr/bin:/bin", "HOME": NSTemporaryDirectory(),
      "DHOLE_URL": "http://127.0.0.1:\(port)",
    ]
  }

  private func start(_ command: String, in folder: URL, port: Int, output: Pipe, input: Pipe? = nil) throws
    -> Process
  {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-e", "-c", command]
    process.environment = environment(port: port)
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = output
    process.standardInput = input ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// A port that nobody has just now.
  private static func freePort() async throws -> Int {
    let server = try await TestServer.start()
    await server.stop(removing: true)
    return server.server.port
  }

  @Test func `five commands lead to a locked server`() async throws {
    let commands = Self.commands(of: try Self.page("SecureIt"))
    try #require(commands.count == 5)
    let folder = URL(filePath: TestServer.temporaryFolder())
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createSymbolicLink(
      at: folder.appending(path: "rules"), withDestinationURL: Self.root.appending(path: "rules"))
    let port = try await Self.freePort()
    let serving = Pipe()
    // As written, but for the port and for standing in the shell's place, so that it can be stopped.
    let command = "exec " + commands[0].replacing("--port 9000", with: "--port \(port)")
    #expect(command.contains("--port \(port)"))
    let server = try start(command, in: folder, port: port, output: serving)
    defer { server.terminate() }
    var text = ""
    while !text.contains("curl") {
      let piece = serving.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "the server says no more: \(text)")
      text += String(decoding: piece, as: UTF8.self)
    }
    let admin = try #require(Self.word(after: "admin secret, shown only now: ", in: text))
    #expect(!text.contains("WARNING"))

    // The second terminal: what a person pastes there comes from standard input.
    let script =
      [commands[1], commands[2], "read -r DHOLE_SECRET; export DHOLE_SECRET", commands[3]]
      + [
        "TOKEN=$(\(commands[4]))",
        #"dhole set /private/mia/x 1 --db shop --auth "$TOKEN""#,
        #"dhole get /private/mia/x --db shop --auth "$TOKEN""#,
        #"dhole token inspect "$TOKEN""#,
        #"! dhole get /private/leo --db shop --auth "$TOKEN""#,
        "unset DHOLE_AUTH", "! dhole get /private/mia --db shop", "echo reached the end",
      ]
    let (output, input) = (Pipe(), Pipe())
    let shell = try start(
      script.joined(separator: "\n"), in: folder, port: port, output: output, input: input)
    try input.fileHandleForWriting.write(contentsOf: Data("\(admin)\n".utf8))
    var said = ""
    while !said.contains("shown only now: ") || !said.hasSuffix("\n") {
      let piece = output.fileHandleForReading.availableData
      try #require(!piece.isEmpty, "\(said)")
      said += String(decoding: piece, as: UTF8.self)
    }
    let secret = try #require(Self.word(after: "its secret, shown only now: ", in: said))
    try input.fileHandleForWriting.write(contentsOf: Data("\(secret)\n".utf8))
    while shell.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    said += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(shell.terminationStatus == 0, "\(said)")
    #expect(said.contains("reached the end") && said.contains("signature  by this secret"), "\(said)")
    #expect(said.contains(#""role":"editor""#), "\(said)")
  }

  private static func word(after prefix: String, in text: String) -> String? {
    guard let range = text.range(of: prefix) else { return nil }
    return String(text[range.upperBound...].prefix { !$0.isWhitespace })
  }

  @Test func `each row of the table of attacks names a test that is there`() throws {
    let rows = try Self.page("Attacks").split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
    let folder = Self.root.appending(path: "Tests")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    var sources = ""
    for case let file as URL in files where file.pathExtension == "swift" {
      sources += try String(contentsOf: file, encoding: .utf8)
    }
    #expect(rows.count >= 40)
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(cells.count == 3, "\(row)")
      let name = cells[2].trimmingCharacters(in: CharacterSet(charactersIn: "`"))
      #expect(sources.contains("func `\(name)`("), "no test is called \(name)")
    }
  }
}

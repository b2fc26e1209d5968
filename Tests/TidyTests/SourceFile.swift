import Foundation

/// A Swift file of the project, with a second copy of its text in which comments and the insides of strings
/// are blanks, so that searching the code never trips over prose.
struct SourceFile {
  /// The path below the project's folder, such as `Sources/Engine/Database.swift`.
  let path: String
  let lines: [String]
  /// As many lines as `lines`, holding code only.
  let codeLines: [String]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var scanner = CodeScanner(Array(text.utf8))
    codeLines = String(decoding: scanner.codeOnly(), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// `Engine` for `Sources/Engine/Database.swift`.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  /// Whether it is shipped as a library, and so may not print, trap or talk to the terminal.
  var isLibrary: Bool { path.hasPrefix("Sources/") && target != "dhole" }

  /// The modules it imports, with the line of each.
  var imports: [(module: String, line: Int)] {
    codeLines.enumerated().compactMap { number, line in
      var words = line.split(separator: " ").map(String.init)
      let access: Set = ["package", "public", "internal", "private", "@testable"]
      while let first = words.first, access.contains(first) {
        words.removeFirst()
      }
      guard words.count >= 2, words[0] == "import" else { return nil }
      let name = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) ? words[2] : words[1]
      return (String(name.prefix { $0 != "." }), number + 1)
    }
  }

  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Every Swift file under `Sources` and `Tests`, in the order of their paths; read once.
  static func all() throws -> [SourceFile] { try read.get() }

  private static let read = Result { try readAll() }

  private static func readAll() throws -> [SourceFile] {
    try ["Sources", "Tests"].flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        .filter { $0.hasSuffix(".swift") }.sorted()
        .map { name in
          let url = root.appending(path: folder).appending(path: name)
          return SourceFile(path: "\(folder)/\(name)", text: try String(contentsOf: url, encoding: .utf8))
        }
    }
  }
}

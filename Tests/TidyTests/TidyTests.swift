import Foundation
import Testing

@Suite struct TidyTests {
  let files: [SourceFile]

  init() throws {
    files = try SourceFile.all()
  }

  @Test func `a file has at most 400 lines`() {
    for file in files {
      let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
      #expect(count <= 400, "\(file.path) has \(count) lines: split it by idea")
    }
  }

  @Test func `a line has at most 110 columns`() {
    for file in files {
      for (number, line) in file.lines.enumerated() where line.utf8.count > 110 && line.count > 110 {
        Issue.record("\(file.path):\(number + 1) has \(line.count) columns")
      }
    }
  }

  @Test func `a function has at most 60 lines`() {
    for file in files {
      for function in file.functions where function.length > 60 {
        Issue.record("\(file.path):\(function.line) \(function.name) has \(function.length) lines")
      }
    }
  }

  @Test func `a library neither traps on purpose nor prints nor steps around the concurrency checks`() {
    let forbidden = [
      "try!", "as!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)", "DispatchQueue",
      "debugPrint(", "assertionFailure(",
    ]
    for file in files where file.isLibrary {
      for (number, line) in file.codeLines.enumerated() {
        for word in forbidden where line.contains(word) && !isAllowed(word, in: file) {
          Issue.record("\(file.path):\(number + 1) uses \(word)")
        }
        if line.contains("print("), line.firstMatch(of: /(^|[^.\w])print\(/) != nil {
          Issue.record("\(file.path):\(number + 1) prints")
        }
      }
    }
  }

  /// The one place that the language can't check: blocks of the tree are changed only by their sole owner.
  private func isAllowed(_ word: String, in file: SourceFile) -> Bool {
    word == "@unchecked Sendable" && file.path == "Sources/JSONTree/Node.swift"
  }

  @Test func `a request handler starts no task`() {
    for file in files where ["FirebaseWire", "RESTWire", "Transport"].contains(file.target) && file.isLibrary
    {
      for (number, line) in file.codeLines.enumerated()
      where line.contains("Task") && line.firstMatch(of: /(^|[^.\w])Task(\.detached)?\s*\{/) != nil {
        Issue.record("\(file.path):\(number + 1) starts a Task: it would reorder messages")
      }
    }
  }

  @Test func `nothing is left to be done without an issue`() {
    for file in files {
      // Written so that this line is none of them.
      for (number, line) in file.lines.enumerated()
      where line.firstMatch(of: /TO[D]O|FIX[M]E|X{3}/) != nil && !line.contains("#") {
        Issue.record("\(file.path):\(number + 1) has a note without an issue")
      }
    }
  }
}

/// One fault in a rules text, at its place.
package struct RulesError: Error, Equatable, Sendable {
  /// 1-based, in the uploaded text.
  package let line: Int
  /// 1-based, in characters of that line.
  package let column: Int
  package let message: String

  package init(line: Int, column: Int, message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  /// `line:column: message`, as the rules endpoint answers.
  package var text: String { "\(line):\(column): \(message)" }
}

/// All faults of a rules text, in the order of their places. Never empty.
package struct RulesErrors: Error, Equatable, Sendable {
  package let errors: [RulesError]

  package init(_ errors: [RulesError]) {
    self.errors = errors
  }

  /// One line an error.
  package var text: String { errors.map(\.text).joined(separator: "\n") }
}

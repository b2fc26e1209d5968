/// A function or initializer and the lines it takes, from its declaration to its closing brace.
struct FunctionSpan: Equatable {
  let name: String
  let line: Int
  let length: Int
}

extension SourceFile {
  /// The functions and initializers of the file; one inside another is counted for both.
  var functions: [FunctionSpan] {
    codeLines.indices.compactMap { index in
      guard let name = Self.functionName(declaredIn: codeLines[index]) else { return nil }
      guard let end = endOfBody(from: index) else { return nil }
      return FunctionSpan(name: name, line: index + 1, length: end - index + 1)
    }
  }

  private static func functionName(declaredIn line: String) -> String? {
    let words = line.split { " \t({".contains($0) }.map(String.init)
    if let place = words.firstIndex(of: "func"), place + 1 < words.count { return words[place + 1] }
    let modifiers: Set = [
      "package", "public", "private", "fileprivate", "internal", "required", "convenience", "override",
      "nonisolated",
    ]
    let first = words.first { !modifiers.contains($0) }
    guard let first, first.hasPrefix("init") || first == "deinit" else { return nil }
    return ["init", "init?", "deinit"].contains(first) || first.hasPrefix("init<") ? first : nil
  }

  /// The line with the brace that closes the body opened at or after `start`; nil when there is no body, as
  /// for a protocol's requirement.
  private func endOfBody(from start: Int) -> Int? {
    var braces = 0
    var parentheses = 0
    var hasBody = false
    for index in start..<codeLines.count {
      // A declaration without a body ends where the next one begins.
      let isNext = index > start && Self.functionName(declaredIn: codeLines[index]) != nil
      if isNext, !hasBody, parentheses == 0 { return nil }
      for character in codeLines[index].utf8 {
        switch character {
        case UInt8(ascii: "("): parentheses += 1
        case UInt8(ascii: ")"): parentheses -= 1
        case UInt8(ascii: "{") where parentheses == 0 || hasBody:
          braces += 1
          hasBody = true
        case UInt8(ascii: "}") where parentheses == 0 || hasBody:
          braces -= 1
          if braces < 0 { return nil }
          if hasBody && braces == 0 { return index }
        default: break
        }
      }
    }
    return nil
  }
}

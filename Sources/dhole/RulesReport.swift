import Glibc
import JSONTree
import NIOCore
import Rules

/// A rule set and what files of cases make of it.
struct RulesReport {
  let rules: RuleSet
  private(set) var outcomes: [RuleCases.Outcome] = []
  private var files: [(name: String, count: Int)] = []

  init(_ file: String, _ caseFiles: [String]) throws {
    rules = try RulesInput.rules(file)
    for name in caseFiles {
      let cases = try RulesInput.cases(name)
      files.append((name, cases.cases.count))
      outcomes += cases.run(rules)
    }
  }

  var failures: Int { outcomes.count { $0.failure != nil } }

  /// The file of the outcome at a place.
  private func file(_ place: Int) -> String {
    var left = place
    for file in files {
      if left < file.count { return file.name }
      left -= file.count
    }
    return ""
  }

  func table(explains: Bool) -> String {
    var lines: [String] = []
    for (place, outcome) in outcomes.enumerated() {
      let entry = outcome.entry
      guard let failure = outcome.failure else {
        let verdict = entry.expectsAllowed ? "allow" : "deny "
        lines.append("\(Terminal.coloured("ok  ", .green)) \(verdict)  \(entry.name)")
        continue
      }
      lines.append("\(Terminal.coloured("FAIL", .red)) \(file(place)):\(entry.line) \(entry.name)")
      lines.append("       \(failure)")
      if let why = entry.why { lines.append("       because: \(why)") }
      if explains { lines += ExplainText.lines(outcome.trace).map { "       " + $0 } }
    }
    let summary = "\(outcomes.count - failures) passed, \(failures) failed"
    lines.append(Terminal.coloured(summary, failures == 0 ? .green : .red))
    return lines.joined(separator: "\n")
  }

  /// The Test Anything Protocol, version 13.
  var tap: String {
    var lines = ["TAP version 13", "1..\(outcomes.count)"]
    for (place, outcome) in outcomes.enumerated() {
      let name = outcome.entry.name.replacing("#", with: "\\#")
      lines.append("\(outcome.failure == nil ? "ok" : "not ok") \(place + 1) - \(name)")
      if let failure = outcome.failure { lines.append("  # \(file(place)):\(outcome.entry.line) \(failure)") }
    }
    return lines.joined(separator: "\n")
  }

  /// JUnit's XML, as CI systems read it.
  var junit: String {
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      #"<testsuite name="rules" tests="\#(outcomes.count)" failures="\#(failures)">"#,
    ]
    for (place, outcome) in outcomes.enumerated() {
      let name = Markup.escaped(outcome.entry.name), place = Markup.escaped(file(place))
      if let failure = outcome.failure {
        lines.append(#"  <testcase classname="\#(place)" name="\#(name)">"#)
        let text = Markup.escaped("\(failure) (line \(outcome.entry.line))")
        lines.append(#"    <failure message="\#(text)"/>"#)
        lines.append("  </testcase>")
      } else {
        lines.append(#"  <testcase classname="\#(place)" name="\#(name)"/>"#)
      }
    }
    return (lines + ["</testsuite>"]).joined(separator: "\n")
  }
}

/// Files that the rules commands read and write, and what is wrong with them in words.
enum RulesInput {
  static func text(_ file: String) throws -> String {
    let input = try InputFile.open(file)
    var bytes: [UInt8] = []
    while let piece = try input.next() {
      bytes.append(contentsOf: piece.readableBytesView)
      guard bytes.count <= RuleSet.textLimitBytes else {
        throw Failure(.wrongInput, "\(file) is larger than \(RuleSet.textLimitBytes) bytes")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func rules(_ file: String) throws -> RuleSet {
    let text = try text(file)
    do {
      return try RuleSet(text: text)
    } catch {
      let faults = error.errors.map { "\(file):\($0.text)" }.joined(separator: "\n")
      // What has no fault once it may use Wilddog's spellings was written for Wilddog.
      guard (try? RuleSet(text: text, assuming: .wilddog)) != nil else { throw Failure(.wrongInput, faults) }
      throw Failure(
        .wrongInput, faults,
        advice: #"These are legal rules of Wilddog's: write "dialect": "wilddog" beside "rules"."#)
    }
  }

  static func cases(_ file: String) throws -> RuleCases {
    let text = try text(file)
    do {
      return try YAMLCases.isYAML(file) ? YAMLCases.read(text) : RuleCases(text: text)
    } catch {
      throw Failure(
        .wrongInput, "\(file):\(error.text)", advice: "`dhole rules --help` shows what a case looks like.")
    }
  }

  static func write(_ text: String, to file: String) throws {
    let output = try OutputFile.create(file)
    do {
      try output.append(ByteBuffer(string: text))
      try output.finish()
    } catch {
      output.abandon()
      throw error
    }
  }

  /// Changes whenever the file does.
  static func modification(_ file: String) -> [Int] {
    var facts = stat()
    guard stat(file, &facts) == 0 else { return [0, 0, 0] }
    return [facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, Int(facts.st_size)]
  }
}

/// Text inside XML and HTML.
enum Markup {
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}

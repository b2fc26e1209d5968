import ArgumentParser
import AsyncHTTPClient
import Glibc
import JSONTree
import NIOHTTP1
import Rules

/// Everything about security rules, without and with a server.
struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Check, test, explain and deploy security rules.",
    discussion: """
      Cases are JSON with comments, or YAML in a file named .yaml or .yml:
        { "auth": {"mia": {"uid": "mia"}}, "data": {…}, "cases": [
          {"as": "mia", "read": "rooms/a", "expect": "allow"},
          {"set": "rooms/a/text", "value": 7, "expect": "deny", "by": ".validate rooms/a/text"} ] }
      Each case has one of read, set, update and remove; `as` is a name under auth, an auth object, or \
      "admin".
      """,
    subcommands: [
      CheckRules.self, TestRules.self, CoverRules.self, ExplainRules.self, FormatRules.self, WatchRules.self,
      GetRules.self, DeployRules.self,
    ])
}

struct CheckRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Report errors, and what is probably not meant, by line.")

  @Argument(help: "The rules file.") var file: String
  @Flag(name: .long, help: "Exit with 1 when there are warnings, too.") var strict = false
  @Flag(name: .long, help: "One JSON object a line.") var json = false

  func run() throws {
    let lints = try RulesInput.rules(file).lints
    for lint in lints {
      if json {
        var line = Array(#"{"line":\#(lint.line),"kind":"\#(lint.kind.rawValue)","location":"#.utf8)
        JSONText.appendString(lint.location, to: &line)
        line.append(contentsOf: #","message":"#.utf8)
        JSONText.appendString(lint.message, to: &line)
        Terminal.line(String(decoding: line, as: UTF8.self) + "}")
      } else {
        let place = Terminal.coloured("\(file):\(lint.line)", .bold)
        Terminal.line(
          "\(place) \(Terminal.coloured(lint.kind.rawValue, .yellow)) at \(lint.location): \(lint.message)")
      }
    }
    if lints.isEmpty, !json { Terminal.line(Terminal.coloured("\(file): no faults", .green)) }
    if strict, !lints.isEmpty { throw ExitCode(1) }
  }
}

struct TestRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run declared cases against rules; exit code 1 when one fails.")

  @Argument(help: "The rules file.") var file: String
  @Argument(help: "Files of cases, .json or .yaml.") var cases: [String]
  @Flag(name: .long, help: "The Test Anything Protocol.") var tap = false
  @Flag(name: .long, help: "JUnit XML.") var junit = false
  @Flag(name: .long, help: "How each failing case was decided.") var explain = false

  func run() throws {
    let report = try RulesReport(file, cases)
    if tap {
      Terminal.line(report.tap)
    } else if junit {
      Terminal.line(report.junit)
    } else {
      Terminal.line(report.table(explains: explain))
    }
    if report.failures > 0 { throw ExitCode(1) }
  }
}

struct CoverRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage", abstract: "Show which expressions the cases made true, false or neither.")

  @Argument(help: "The rules file.") var file: String
  @Argument(help: "Files of cases, .json or .yaml.") var cases: [String]
  @Option(name: .long, help: "Write a page to look at to this file.") var html: String?

  func run() throws {
    let report = try RulesReport(file, cases)
    let coverage = RuleCoverage(of: report.rules, by: report.outcomes.map(\.trace))
    if let html {
      try RulesInput.write(CoveragePage.html(coverage, title: file), to: html)
      Terminal.line("wrote \(html)")
    }
    for entry in coverage.entries {
      let verdict = entry.whole.verdict
      let colour: Terminal.Colour = verdict == "both" ? .green : verdict == "never asked" ? .red : .yellow
      let padded = verdict + String(repeating: " ", count: max(1, 13 - verdict.count))
      Terminal.line(
        "\(Terminal.coloured(padded, colour)) \(file):\(entry.line) \(entry.rule) at \(entry.location)")
      for (range, tally) in entry.parts.sorted(by: { $0.key.lowerBound < $1.key.lowerBound })
      where tally.verdict != "both" && verdict != "never asked" {
        let part = String(decoding: Array(entry.expression.utf8)[range], as: UTF8.self)
        Terminal.line(Terminal.coloured("              \(tally.verdict): \(part)", .grey))
      }
    }
    let (both, all) = coverage.covered
    Terminal.line("\(both) of \(all) expressions were both true and false")
  }
}

struct FormatRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fmt", abstract: "Lay a rules file out canonically, comments kept.")

  @Argument(help: "The rules file; - for standard input to standard output.") var file: String
  @Flag(name: .long, help: "Change nothing; exit with 1 when the layout differs.") var check = false

  func run() throws {
    let text = try RulesInput.text(file)
    let formatted: String
    do {
      formatted = try RuleFormat.format(text)
    } catch {
      throw Failure(.wrongInput, "\(file):\(error.text)")
    }
    if file == "-" { return Terminal.bytes(Array(formatted.utf8)) }
    if formatted == text { return }
    if check {
      Terminal.line("\(file) is not laid out canonically; run dhole rules fmt \(file)")
      throw ExitCode(1)
    }
    try RulesInput.write(formatted, to: file)
  }
}

struct WatchRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Run the cases again whenever a file changes.")

  @Argument(help: "The rules file.") var file: String
  @Argument(help: "Files of cases, .json or .yaml.") var cases: [String]

  func run() throws {
    var last: [Int] = []
    while true {
      let now = ([file] + cases).flatMap(RulesInput.modification)
      if now != last {
        last = now
        do {
          Terminal.line(try RulesReport(file, cases).table(explains: true))
        } catch let failure as Failure {
          failure.report(asJSON: false)
        }
      }
      usleep(200_000)
    }
  }
}

struct GetRules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Print the rules in force on a server, comments included.")

  @OptionGroup var server: ServerOptions

  func run() async throws {
    let answer = try await server.client.answer(to: .init(path: ".settings/rules.json"))
    Terminal.bytes(answer.body)
  }
}

struct DeployRules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deploy", abstract: "Put rules in force on a server, at once.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "The rules file.") var file: String
  @Flag(name: .long, help: "Only have the server check them.") var dryRun = false

  func run() async throws {
    let text = try RulesInput.text(file)
    _ = try RulesInput.rules(file)
    var call = RESTClient.Call(method: .PUT, path: ".settings/rules.json")
    if dryRun { call.query = [("dryRun", "true")] }
    call.body = .bytes(Array(text.utf8))
    _ = try await server.client.answer(to: call)
    Terminal.line(Terminal.coloured(dryRun ? "the server takes these rules" : "in force", .green))
  }
}

import ArgumentParser
import JSONTree
import Rules

struct ExplainRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Show how one operation is decided, part by part.",
    discussion: """
      dhole rules explain rules.json --read /rooms/a --auth '{"uid":"mia"}' --data data.json
      dhole rules explain rules.json --set /rooms/a/text --value '"hi"' --auth '{"uid":"mia"}'
      """)

  @Argument(help: "The rules file.") var file: String
  @Option(name: .long, help: "Read this path.") var read: String?
  @Option(name: .long, help: "Set this path to --value.") var set: String?
  @Option(name: .long, help: "Update this path with the members of --value.") var update: String?
  @Option(name: .long, help: "Remove this path.") var remove: String?
  @Option(name: .long, help: "The value that is written, as JSON.") var value: String?
  @Option(name: .long, help: "The rules variable auth, as JSON; signed out without it.") var auth: String?
  @Option(name: .long, help: "A file with the tree before, in export form.") var data: String?
  @Option(name: .long, help: "The time, in milliseconds since 1970.") var now: Int64 = 1_700_000_000_000

  func run() throws {
    let rules = try RulesInput.rules(file)
    var parts: [String] = []
    for (verb, path) in [("read", read), ("set", set), ("update", update), ("remove", remove)] {
      if let path { parts.append(#""\#(verb)":\#(Self.quoted(path))"#) }
    }
    guard parts.count == 1 else {
      throw Failure(.wrongInput, "give one of --read, --set, --update and --remove")
    }
    if let value { parts.append(#""value":\#(value)"#) }
    if let auth { parts.append(#""as":\#(auth)"#) }
    parts.append(#""now":\#(now),"expect":"allow""#)
    let tree = try data.map(RulesInput.text) ?? "null"
    let text = #"{"data":\#(tree),"cases":[{\#(parts.joined(separator: ","))}]}"#
    let outcome: RuleCases.Outcome
    do {
      guard let first = try RuleCases(text: text).run(rules).first else { return }
      outcome = first
    } catch {
      throw Failure(
        .wrongInput, error.message,
        advice: "--value and --auth are JSON, such as '\"text\"' or '{\"uid\":\"mia\"}'.")
    }
    for line in ExplainText.lines(outcome.trace) { Terminal.line(line) }
    let verdict = outcome.trace.isAllowed
    Terminal.line(Terminal.coloured(verdict ? "allowed" : "denied", verdict ? .green : .red))
    if !verdict { throw ExitCode(Failure.Code.refused.rawValue) }
  }

  private static func quoted(_ text: String) -> String {
    var out: [UInt8] = []
    JSONText.appendString(text, to: &out)
    return String(decoding: out, as: UTF8.self)
  }
}

/// A decision as an indented list.
enum ExplainText {
  static func lines(_ trace: DecisionTrace) -> [String] {
    if trace.rules.isEmpty { return ["no rule applies"] }
    return trace.rules.flatMap { rule -> [String] in
      let colour: Terminal.Colour = rule.outcome ? .green : .red
      let head = "line \(rule.line): \(rule.rule) at /\(rule.path)"
      let parts = rule.parts.map { part in
        String(repeating: "  ", count: part.depth + 1) + part.text
          + Terminal.coloured("  → \(part.value)", .grey)
      }
      let whole = parts.isEmpty ? ["  \(rule.expression)"] : parts
      return ["\(head) is \(Terminal.coloured(rule.outcome ? "true" : "false", colour))"] + whole
    }
  }
}

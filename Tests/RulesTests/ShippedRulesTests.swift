import Foundation
import Rules
import Testing

/// The rule sets under rules/, each with its cases.
struct ShippedRulesTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(
      path: "rules")

  static let names = [
    "board", "chat", "im", "leaderboard", "locked", "open", "per-user", "presence", "roles", "todo", "webrtc",
  ]

  private static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  @Test(arguments: names) func `every case of a shipped rule set holds`(name: String) throws {
    let rules = try RuleSet(text: Self.text("\(name).json"))
    let outcomes = try RuleCases(text: Self.text("\(name).cases.json")).run(rules)
    #expect(!outcomes.isEmpty)
    for outcome in outcomes {
      #expect(outcome.failure == nil, "\(name).cases.json:\(outcome.entry.line) \(outcome.entry.name)")
    }
  }

  @Test func `all that is shipped is tested`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let found = files.filter { $0.hasSuffix(".json") && !$0.hasSuffix(".cases.json") }.map {
      String($0.dropLast(5))
    }
    #expect(found.sorted() == Self.names)
  }

  @Test(arguments: names) func `a shipped rule set is laid out canonically and has no lints`(name: String)
    throws
  {
    let text = try Self.text("\(name).json")
    #expect(try RuleFormat.format(text) == text)
    let lints = try RuleSet(text: text).lints.map(\.kind)
    #expect(lints == (name == "open" ? [.openRoot, .openRoot] : []))
  }

  @Test(arguments: names) func `a shipped rule set has a page, and the overview leads to it`(
    name: String
  ) throws {
    let page = try Self.text("\(name).md")
    #expect(page.contains("**When to use it.**") && page.contains("rules/\(name).json"))
    #expect(try Self.text("README.md").contains("(\(name).md)"))
  }

  @Test func `the examples in the language reference are taken`() throws {
    let page = try Self.text("LANGUAGE.md")
    let blocks = page.components(separatedBy: "```json\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    #expect(blocks.count == 3)
    for block in blocks {
      let whole = block.hasPrefix("{") ? block : #"{"rules":{\#(block)}}"#
      do {
        _ = try RuleSet(text: whole)
      } catch {
        Issue.record("\(error.text)\n\(whole)")
      }
    }
  }

  @Test func `breaking the chat rules on purpose makes their cases fail`() throws {
    let whole = try Self.text("chat.json")
    let cases = try RuleCases(text: Self.text("chat.cases.json"))
    for (part, broken) in [
      ("\"newData.val() == auth.uid\"", "\"true\""),
      ("newData.val().length >= 1 && newData.val().length < 2000", "true"),
      ("(!data.exists() || data.child('from').val() == auth.uid)", "true"),
      ("auth.uid == $uid && root.child('members')", "root.child('members')"),
    ] {
      let text = whole.replacing(part, with: broken)
      #expect(text != whole, "\(part)")
      let failures = cases.run(try RuleSet(text: text)).count { $0.failure != nil }
      #expect(failures > 0, "\(part)")
    }
  }
}

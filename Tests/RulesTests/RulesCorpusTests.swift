import Foundation
import JSONTree
import Rules
import Testing

/// Runs Tests/Corpora/rules: expressions as a `.read` at the root, and rule sets with operations.
struct RulesCorpusTests {
  private static let now: Int64 = 1_700_000_000_000

  private static func corpus(_ name: String) throws -> [String: Any] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appending(path: "Corpora/rules/\(name).json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private static func node(_ object: Any?) throws -> Node {
    let data = try JSONSerialization.data(withJSONObject: object ?? NSNull(), options: .fragmentsAllowed)
    return try Node.parse(utf8: [UInt8](data))
  }

  private static func rules(_ object: Any) throws -> RuleSet {
    let data = try JSONSerialization.data(withJSONObject: ["rules": object])
    return try RuleSet(text: String(decoding: data, as: UTF8.self))
  }

  @Test func `every expression of the corpus is refused, allowed or denied as it says`() throws {
    let corpus = try Self.corpus("expressions")
    let data = try Self.node(corpus["data"])
    let callers = try #require(corpus["auth"] as? [String: Any])
    let cases = try #require(corpus["cases"] as? [[String: String]])
    #expect(cases.count > 100)
    for entry in cases {
      let expression = try #require(entry["read"])
      let auth = try Self.node(callers[try #require(entry["who"])])
      var outcome: String
      do {
        let rules = try Self.rules([".read": expression])
        let decision = rules.read(
          at: .root, caller: Caller(auth: auth), root: data, nowMilliseconds: Self.now, query: nil)
        outcome = decision.isAllowed ? "allowed" : "denied"
      } catch is RulesErrors {
        outcome = "refused"
      }
      #expect(outcome == entry["expect"], "\(entry["case"] ?? ""): \(expression)")
    }
  }

  @Test func `every rule set of the corpus decides its operations as it says`() throws {
    let corpus = try Self.corpus("rulesets")
    let caller = Caller(auth: try Self.node(corpus["auth"]))
    for entry in try #require(corpus["cases"] as? [[String: Any]]) {
      let rules = try Self.rules(try #require(entry["rules"]))
      let before = try Self.node(entry["data"])
      for operation in try #require(entry["operations"] as? [[String: Any]]) {
        let outcome = try Self.decide(operation, rules, caller, before).isAllowed ? "allowed" : "denied"
        #expect(outcome == operation["expect"] as? String, "\(entry["case"] ?? ""): \(operation)")
      }
    }
  }

  private static func decide(
    _ operation: [String: Any], _ rules: RuleSet, _ caller: Caller, _ before: Node
  ) throws -> Decision {
    let path = try Path(try #require(operation["path"] as? String), allowsPriority: true)
    if operation["do"] as? String == "read" {
      return rules.read(at: path, caller: caller, root: before, nowMilliseconds: now, query: nil)
    }
    var changes: [(Path, Node)] = []
    if operation["do"] as? String == "update" {
      for (key, value) in try #require(operation["value"] as? [String: Any]) {
        changes.append((path.appending(try Path(key)), try node(value)))
      }
    } else {
      changes = [(path, try node(operation["value"]))]
    }
    var after = before
    for (place, value) in changes { after.set(value, at: place) }
    return rules.write(
      at: changes.map(\.0), caller: caller, before: before, after: after, nowMilliseconds: now)
  }
}

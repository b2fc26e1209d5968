import Foundation
import JSONTree
import Rules
import Testing

/// The cases of Tests/Corpora/rules that are ordered by topic, each with its reason: expressions as a `.read`
/// of the root, and rule sets with the operations that they decide.
struct TopicCorpusTests {
  static let topics: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    // These two follow the specification's own numbering.
    return files.filter { $0.hasSuffix(".json") && $0 != "expressions.json" && $0 != "rulesets.json" }
      .sorted()
  }()

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpora/rules")

  private struct Topic {
    let about: String
    let expressions: [[String: Any]]
    let sets: [[String: Any]]
    /// Of every set that does not say otherwise.
    let dialect: Any?
    /// What every file of cases made from the topic begins with.
    let shared: [String: Any]

    init(_ name: String) throws {
      let data = try Data(contentsOf: TopicCorpusTests.folder.appending(path: name))
      let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      about = try #require(file["about"] as? String)
      expressions = try #require(file["expressions"] as? [[String: Any]])
      sets = try #require(file["sets"] as? [[String: Any]])
      dialect = file["dialect"]
      shared = file.filter { ["now", "auth", "data"].contains($0.key) }
    }
  }

  private static func text(_ value: Any) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: value, options: .sortedKeys), as: UTF8.self)
  }

  private static func cases(_ topic: Topic, _ data: Any?, _ cases: [[String: Any]]) throws -> RuleCases {
    var file = topic.shared
    if let data { file["data"] = data }
    file["cases"] = cases
    return try RuleCases(text: text(file))
  }

  private static func rules(_ body: Any, _ topic: Topic, _ entry: [String: Any]) throws -> RuleSet {
    var file = ["rules": body]
    file["dialect"] = entry["dialect"] ?? topic.dialect
    return try RuleSet(text: text(file))
  }

  @Test(arguments: topics) func `every expression of the topic is refused, allowed or denied as it says`(
    name: String
  ) throws {
    let topic = try Topic(name)
    for entry in topic.expressions {
      let rule = try #require(entry["rule"] as? String), why = try #require(entry["why"] as? String)
      let expected = try #require(entry["expect"] as? String)
      let label: Comment = "\(name): \(rule): \(why)"
      do {
        let rules = try Self.rules([".read": rule], topic, entry)
        #expect(expected != "refuse", label)
        guard expected != "refuse" else { continue }
        let operation: [String: Any] = ["read": "", "as": try #require(entry["as"]), "expect": expected]
        for outcome in try Self.cases(topic, nil, [operation]).run(rules) {
          #expect(outcome.failure == nil, label)
        }
      } catch let refused as RulesErrors {
        #expect(expected == "refuse", "\(name): \(rule): \(refused.text)")
        guard let message = entry["error"] as? String else { continue }
        #expect(refused.errors.first?.message == message, label)
      }
    }
  }

  @Test(arguments: topics) func `every rule set of the topic decides its operations as it says`(
    name: String
  ) throws {
    let topic = try Topic(name)
    for entry in topic.sets {
      let body = try #require(entry["rules"])
      guard entry["error"] == nil else {
        #expect(entry["why"] is String)
        do {
          _ = try Self.rules(body, topic, entry)
          Issue.record("\(name): taken: \(body)")
        } catch let refused as RulesErrors {
          #expect(refused.errors.map(\.message).contains(entry["error"] as? String ?? ""), "\(refused.text)")
        }
        continue
      }
      let rules = try Self.rules(body, topic, entry)
      let cases = try #require(entry["cases"] as? [[String: Any]])
      for outcome in try Self.cases(topic, entry["data"], cases).run(rules) {
        let entry = outcome.entry
        #expect(entry.why != nil, "\(name): \(entry.name)")
        #expect(outcome.failure == nil, "\(name): \(body): \(entry.name): \(entry.why ?? "")")
      }
    }
  }

  @Test func `there are at least 300 cases, and each says why`() throws {
    let topics = try Self.topics.map(Topic.init)
    let expressions = topics.flatMap(\.expressions)
    let operations = topics.flatMap(\.sets).flatMap { $0["cases"] as? [[String: Any]] ?? [$0] }
    #expect(expressions.count + operations.count >= 300)
    #expect((expressions + operations).allSatisfy { ($0["why"] as? String)?.isEmpty == false })
  }
}

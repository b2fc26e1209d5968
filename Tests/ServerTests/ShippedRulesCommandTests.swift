import Foundation
import FoundationXML
import Testing

/// `dhole rules test` on the rule sets as they are shipped, by the built program as a user runs it.
struct ShippedRulesCommandTests {
  private static let rules = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../rules").standardized

  /// Runs `dhole rules test` in a folder that has the shipped files under `rules/`, the chat rules changed.
  private func test(
    _ name: String = "chat", replacing part: String? = nil, with broken: String = "", _ options: String...
  ) async throws -> Dhole.Outcome {
    let folder = URL(filePath: TestServer.temporaryFolder()).appending(path: "rules")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }
    for file in ["\(name).json", "\(name).cases.json"] {
      try FileManager.default.copyItem(at: Self.rules.appending(path: file), to: folder.appending(path: file))
    }
    if let part {
      let file = folder.appending(path: "\(name).json")
      let whole = try String(contentsOf: file, encoding: .utf8)
      try #require(whole.contains(part), "the shipped rules have no `\(part)`")
      try whole.replacing(part, with: broken).write(to: file, atomically: true, encoding: .utf8)
    }
    return try await Dhole.run(
      ["rules", "test", "rules/\(name).json", "rules/\(name).cases.json"] + options,
      in: folder.deletingLastPathComponent())
  }

  @Test(arguments: [
    "board", "chat", "im", "leaderboard", "locked", "open", "per-user", "presence", "roles", "todo", "webrtc",
  ]) func `the shipped cases pass on the command line`(name: String) async throws {
    let outcome = try await test(name)
    #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
    #expect(outcome.output.contains(" passed, 0 failed\n") && !outcome.output.contains("FAIL"))
    #expect(!outcome.output.contains("\n0 passed") && outcome.errors.isEmpty)
  }

  @Test(arguments: [
    // Nobody looks any more whether the caller is a member.
    (
      "auth != null && root.child('members').child($room).child(auth.uid).exists() && (", "auth != null && (",
      "a stranger does not post",
      "expected to be denied, was allowed by .write messages/harbor/m2 at line "
    ),
    // Anybody may sign as anybody.
    (
      "\"newData.val() == auth.uid\"", "true", "nobody posts in another's name",
      "expected to be denied, was allowed by .write messages/harbor/m2 at line "
    ),
    // Nobody can leave.
    (
      " || (auth.uid == $uid && !newData.exists())", "", "a member leaves",
      "expected to be allowed, was denied: line 27 at /members/harbor/leo: "
    ),
  ]) func `a rule that is broken on purpose fails its case, which is named with the reason`(
    part: String, broken: String, name: String, reason: String
  ) async throws {
    let table = try await test(replacing: part, with: broken)
    #expect(table.code == 1 && table.errors.isEmpty, "\(table)")
    let lines = table.output.split(separator: "\n").map(String.init)
    let place = try #require(lines.firstIndex { $0.hasPrefix("FAIL ") && $0.hasSuffix(name) }, "\(table)")
    #expect(lines[place].hasPrefix("FAIL rules/chat.cases.json:"))
    #expect(lines[place + 1].contains(reason), "\(table.output)")
    #expect(lines.last?.hasSuffix(" failed") == true && lines.last?.hasSuffix(" 0 failed") == false)
    #expect(lines.contains { $0.hasPrefix("ok  ") && $0.hasSuffix("a member posts") })

    let tap = try await test(replacing: part, with: broken, "--tap")
    #expect(tap.code == 1 && tap.output.hasPrefix("TAP version 13\n1..28\n"))
    let results = tap.output.split(separator: "\n").map(String.init)
    let failed = try #require(results.firstIndex { $0.hasPrefix("not ok ") && $0.hasSuffix(" - " + name) })
    #expect(results[failed + 1].hasPrefix("  # rules/chat.cases.json:"))
    #expect(results[failed + 1].contains(reason))

    let junit = try await test(replacing: part, with: broken, "--junit")
    #expect(junit.code == 1)
    let report = try JUnit(junit.output)
    #expect(report.tests == 28 && report.failures == report.failed.count && report.failures > 0)
    #expect(report.failed[name]?.contains(reason) == true, "\(junit.output)")
    #expect(!report.failed.keys.contains("a member posts") && report.names.contains("a member posts"))
  }

  @Test func `a passing run is reported as such in every format`() async throws {
    let tap = try await test("chat", "--tap")
    #expect(tap.code == 0 && tap.output.hasPrefix("TAP version 13\n1..28\nok 1 - "))
    #expect(!tap.output.contains("not ok"))
    let junit = try await test("chat", "--junit")
    let report = try JUnit(junit.output)
    #expect(junit.code == 0 && report.tests == 28 && report.failures == 0 && report.failed.isEmpty)
  }

  @Test func `rules that no longer compile, and files that are not there, are no failing cases`() async throws
  {
    let faulty = try await test(replacing: "auth.uid == $uid", with: "auth.uid == $nobody")
    #expect(faulty.code == 6 && faulty.output.isEmpty)
    #expect(faulty.errors.contains("rules/chat.json:") && faulty.errors.contains("$nobody"), "\(faulty)")
    let missing = try await Dhole.run(["rules", "test", "none.json", "none.cases.json"])
    #expect(missing.code != 0 && missing.errors.contains("none.json"), "\(missing)")
  }
}

/// What a CI system reads from JUnit's XML.
private final class JUnit: NSObject, XMLParserDelegate {
  private(set) var tests = 0
  private(set) var failures = 0
  private(set) var names: Set<String> = []
  /// The messages of those that failed, by name.
  private(set) var failed: [String: String] = [:]
  private var current = ""

  struct Unreadable: Error {
    let text: String
  }

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    guard parser.parse() else { throw Unreadable(text: text) }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String] = [:]
  ) {
    switch name {
    case "testsuite":
      tests = attributes["tests"].flatMap { Int($0) } ?? 0
      failures = attributes["failures"].flatMap { Int($0) } ?? 0
    case "testcase":
      current = attributes["name"] ?? ""
      names.insert(current)
    case "failure": failed[current] = attributes["message"] ?? ""
    default: break
    }
  }
}

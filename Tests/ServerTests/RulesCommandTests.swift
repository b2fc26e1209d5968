import Foundation
import Testing

/// `dhole rules` on files.
struct RulesCommandTests {
  private static let rules = """
    {"rules": {"rooms": {"$room": {
      ".read": "auth != null",
      ".write": "auth != null",
      "text": {".validate": "newData.isString() && newData.val().length < 5"}
    }}}}
    """

  private static let yaml = """
    # Who is who, and what is there
    now: 1700000000000
    auth:
      mia: &mia {uid: mia, token: {level: 3, vip: true}}
    data:
      rooms: {a: {text: hi}}
    cases:
      - {name: somebody reads, as: mia, read: rooms/a, expect: allow}
      - name: nobody reads
        why: |
          rooms are for
          those who are *known
        read: rooms/a
        expect: deny
      - {as: *mia, set: rooms/a/text, value: "1234", expect: allow}
      - {as: mia, set: rooms/a/text, value: 1234, expect: deny, by: .validate rooms/a/text}
      - {as: mia, set: rooms/a/text, value: yes, expect: allow}
      - {as: mia, set: rooms/a/text, value: 0x10, expect: allow}
      - {as: mia, set: rooms/a/text, value: -1.5e3, expect: deny}
      - {as: mia, set: rooms/a/text, value: true, expect: deny}
      - {as: mia, set: rooms/a/text, value: ~, expect: allow}
      - {as: admin, remove: rooms, expect: allow}

    """

  /// Runs `dhole rules` in a folder that holds the files.
  private func rules(_ arguments: [String], _ files: [String: String]) async throws -> Dhole.Outcome {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dhole-rules-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }
    let paths = arguments.map { files[$0] == nil ? $0 : folder.appending(path: $0).path }
    var outcome = try await Dhole.run(["rules"] + paths)
    outcome.output = outcome.output.replacing(folder.path + "/", with: "")
    outcome.errors = outcome.errors.replacing(folder.path + "/", with: "")
    return outcome
  }

  private func test(_ cases: String, as name: String = "c.yaml") async throws -> Dhole.Outcome {
    try await rules(["test", "r.json", name], ["r.json": Self.rules, name: cases])
  }

  @Test func `cases in YAML are run as cases in JSON are`() async throws {
    let outcome = try await test(Self.yaml)
    #expect(outcome.code == 0, "\(outcome.output) \(outcome.errors)")
    #expect(outcome.output.contains("10 passed, 0 failed"))
    #expect(try await test(Self.yaml, as: "c.yml").code == 0)
  }

  @Test func `a failing case in YAML is named with its line, and the exit code is 1`() async throws {
    let outcome = try await test(
      """
      cases:
        - {read: rooms/a, expect: deny}
        - read: rooms/b
          why: they are open
          expect: allow
      """)
    #expect(outcome.code == 1)
    #expect(outcome.output.contains("FAIL c.yaml:3 read /rooms/b"))
    #expect(outcome.output.contains("because: they are open"))
    #expect(outcome.output.contains("1 passed, 1 failed"))
  }

  @Test(arguments: [
    ("cases:\n  - {raed: a, expect: deny}\n", "c.yaml:2:6: Unknown member 'raed'."),
    ("cases:\n  - {read: a, read: b, expect: deny}\n", "Duplicate key 'read'."),
    ("cases: [\n", "c.yaml:2:1: YAML: "),
    ("", "c.yaml:1:1: Expected 'cases', an array of cases."),
    ("cases: []\n---\ncases: []\n", "YAML: "),
    ("cases:\n  - {? [a, b] : 1}\n", "c.yaml:2:8: A key is a text."),
    ("cases:\n  - *gone\n", "YAML: found undefined alias."),
    ("data: \"\u{1}\"\ncases: []\n", "YAML: "),
  ]) func `a faulty file in YAML is refused with its place`(text: String, expected: String) async throws {
    let outcome = try await test(text)
    #expect(outcome.code == 6)
    #expect(outcome.errors.contains(expected), "\(outcome.errors)")
  }

  @Test func `rules that only Wilddog takes are refused with what makes them legal`() async throws {
    let old = #"{"rules": {".read": "auth.uid.length() > 3 && auth.uid.startsWith('a')"}}"#
    let refused = try await rules(["check", "r.json"], ["r.json": old])
    #expect(refused.code == 6)
    #expect(refused.errors.contains("r.json:1:22: Type error: Function call"), "\(refused.errors)")
    #expect(refused.errors.contains(#""dialect": "wilddog" beside "rules""#), "\(refused.errors)")
    let new = old.replacing("{\"rules\"", with: "{\"dialect\": \"wilddog\", \"rules\"")
    #expect(try await rules(["check", "r.json"], ["r.json": new]).code == 0)
    let wrong = try await rules(["check", "r.json"], ["r.json": #"{"rules": {".read": "nobody == 1"}}"#])
    #expect(wrong.code == 6 && !wrong.errors.contains("dialect"), "\(wrong.errors)")
  }

  @Test func `coverage is a page of its own, with every rule and what the cases made of it`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "dhole-page-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = folder.appending(path: "page.html").path
    let rules = Self.rules.replacing(
      #""text":"#, with: #""note": {".validate": "newData.val() < 5 && !data.exists()"}, "text":"#)
    let outcome = try await self.rules(
      ["coverage", "r.json", "c.yaml", "--html", page], ["r.json": rules, "c.yaml": Self.yaml])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("2 of 4 expressions were both true and false"))
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.hasPrefix("<!doctype html>") && html.hasSuffix("</html>\n"))
    // Nothing is fetched from anywhere.
    #expect(!html.contains("http") && !html.contains("src=") && !html.contains("<script"))
    #expect(html.components(separatedBy: "<tr class=").count == 5)
    #expect(html.contains(#"<span class="badge">never asked</span>"#))
    #expect(html.contains("newData.val() &lt; 5 &amp;&amp; !data.exists()"))
    #expect(html.contains(#"<span class="place">/rooms/$room/note</span>"#))
    #expect(html.contains(#"width:50%"#))
  }

  @Test func `aliases of aliases and bottomless nesting are refused before they cost anything`() async throws
  {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let alias = "*a\(level - 1)"
      bomb += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
    }
    let pairs = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1),*a\($0 - 1)]\n" }.joined()
    let few =
      "data: &d {\(((0..<20_000).map { "k\($0): 1" }).joined(separator: ", "))}\n"
      + "b: [\(Array(repeating: "*d", count: 15).joined(separator: ", "))]\n"
    for (text, expected) in [
      (bomb + "cases: []\n", "More than 16 aliases"),
      ("a0: &a0 x\n" + pairs + "? *a30\n: 1\ncases: []\n", "More than 16 aliases"),
      (few + "cases: []\n", "More than 200000 values"),
      (
        "data: " + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "\n",
        "too deeply"
      ),
      ("data: " + String(repeating: "[", count: 100_000), "YAML: "),
      (String(repeating: "- ", count: 100_000), "YAML: "),
      ("# " + String(repeating: "x", count: 1024 * 1024), "at most 1048576 bytes"),
    ] {
      let outcome = try await test(text)
      #expect(outcome.code == 6)
      #expect(outcome.errors.contains(expected), "\(outcome.errors.prefix(300))")
    }
  }
}

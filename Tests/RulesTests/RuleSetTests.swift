import JSONTree
import Rules
import Testing

struct RuleSetTests {
  private func errors(_ text: String) -> [String] {
    do {
      _ = try RuleSet(text: text)
      return []
    } catch {
      return error.errors.map(\.text)
    }
  }

  private func reads(_ rules: RuleSet, _ path: String, _ caller: Caller = .anonymous) throws -> Bool {
    rules.read(at: try Path(path), caller: caller, root: .null, nowMilliseconds: 0, query: nil).isAllowed
  }

  private func writes(_ rules: RuleSet, _ paths: [String], after: String) throws -> Bool {
    let paths = try paths.map { try Path($0, allowsPriority: true) }
    let after = try Node.parse(after)
    return rules.write(at: paths, caller: .anonymous, before: .null, after: after, nowMilliseconds: 0)
      .isAllowed
  }

  @Test func `open lets everybody in and closed only admins`() throws {
    #expect(try reads(.open, "a/b"))
    #expect(try !reads(.closed, "a/b"))
    #expect(try reads(.closed, "a/b", .admin))
    #expect(try writes(.open, ["a"], after: #"{"a":1}"#))
    #expect(try !writes(.closed, ["a"], after: #"{"a":1}"#))
  }

  @Test func `the built-in sets are what their texts say`() throws {
    for (set, allows) in [(RuleSet.open, true), (.closed, false)] {
      let again = try RuleSet(text: set.text)
      #expect(try reads(again, "x") == allows)
      #expect(again.strictText == set.strictText)
    }
  }

  @Test func `a grant cascades downwards and cannot be revoked`() throws {
    let rules = try RuleSet(text: #"{"rules":{"boats":{".read":true,"$id":{"secret":{".read":false}}}}}"#)
    #expect(try reads(rules, "boats/a/secret"))
    #expect(try !reads(rules, ""))
    #expect(try !reads(rules, "planes"))
  }

  @Test func `a literal child wins over the wildcard`() throws {
    let rules = try RuleSet(text: #"{"rules":{"k":{"$w":{".read":true},"spec":{".read":false}}}}"#)
    #expect(try !reads(rules, "k/spec"))
    #expect(try reads(rules, "k/o"))
    #expect(try reads(rules, "k/o/deep"))
  }

  @Test func `validate false refuses data but not its deletion`() throws {
    let rules = try RuleSet(text: #"{"rules":{"z":{".write":true,"kid":{".validate":false}}}}"#)
    #expect(try writes(rules, ["z"], after: #"{"z":5}"#))
    #expect(try !writes(rules, ["z/kid"], after: #"{"z":{"kid":2}}"#))
    #expect(try !writes(rules, ["z"], after: #"{"z":{"kid":2}}"#))
    #expect(try writes(rules, ["z/kid"], after: "null"))
  }

  @Test func `every path of an update must be allowed`() throws {
    let rules = try RuleSet(text: #"{"rules":{"a":{".write":true}}}"#)
    #expect(try writes(rules, ["a/x", "a/y"], after: "null"))
    #expect(try !writes(rules, ["a/x", "b"], after: "null"))
  }

  @Test func `a denial names the rule and its line`() throws {
    let rules = try RuleSet(text: "{\"rules\":{\n\".read\":false}}")
    let decision = rules.read(
      at: try Path("a/b"), caller: .anonymous, root: .null, nowMilliseconds: 0, query: nil)
    guard case .denied(let explanation) = decision else {
      Issue.record("allowed")
      return
    }
    #expect(explanation.rule == ".read" && explanation.path == "a/b")
    #expect(explanation.reason.contains("line 2"))
  }

  @Test func `indexes are declared at the location itself or its wildcard`() throws {
    let rules = try RuleSet(
      text: #"{"rules":{"s":{".indexOn":["pos",".value"],"$id":{".indexOn":"addr/zip"}}}}"#)
    #expect(rules.hasIndex("pos", at: try Path("s")))
    #expect(rules.hasIndex(".value", at: try Path("s")))
    #expect(!rules.hasIndex("pos", at: try Path("s/1")))
    #expect(rules.hasIndex("addr/zip", at: try Path("s/1")))
    #expect(!rules.hasIndex("pos", at: .root))
  }

  @Test func `comments, trailing commas and raw line breaks are taken and stripped`() throws {
    let text = """
      { // all
        "rules": { /* open */ ".read": "true", "a": {".indexOn": ["x", "y",],}, },
      }
      """
    let rules = try RuleSet(text: text)
    #expect(rules.text == text)
    #expect(rules.strictText == #"{"rules":{".read":"true","a":{".indexOn":["x","y"]}}}"#)
  }

  @Test(arguments: [
    ("{}", "1:2: Expected 'rules' property."),
    ("[]", "1:2: Expected 'rules' property."),
    (#"{"rules":{"a":true}}"#, "1:15: Expected '{'."),
    (#"{"rules":{"a#b":{}}}"#, ##"1:11: String can't contain ".", "#", "$", "/", "[", or "]""##),
    (#"{"rules":{"$a":{},"$b":{}}}"#, "1:19: Cannot have multiple default rules ('$a' and '$b')."),
    (
      #"{"rules":{".read":1}}"#,
      "1:19: Invalid rule expression.  Expected 'true', 'false', or an expression string."
    ),
    (
      #"{"rules":{".read":"foo == 1",".write":"\u0061uth == null && bar"}}"#,
      "1:20: Unknown variable 'foo'.\n1:61: Unknown variable 'bar'."
    ),
    (
      "{\"rules\":{\".read\":\n\"auth != null &&\n  data.val()\"}}",
      "3:3: Right operand of && must be boolean."
    ),
    (
      #"{"rules":{".indexOn":5}}"#,
      "1:22: Invalid indexOn expression. Must be either a string or an array of strings"
    ),
    ("{\"rules\":{\n  ,}}", "2:3: Unexpected ','."),
    (#"{"rules":{"a":"\x"}}"#, #"1:16: Invalid escape: '\x'"#),
    ("{'rules':{}}", "1:2: Expected '\"'."),
    ("", "1:1: Unexpected end of file."),
    ("{\"rules\":{}} x", "1:14: Unexpected 'x'."),
    ("{\"rules\":{} /*", "1:13: Unclosed comment."),
  ]) func `a faulty text is refused with its place`(text: String, expected: String) {
    #expect(errors(text).joined(separator: "\n") == expected)
  }

  @Test func `all faults are reported at once`() {
    #expect(errors(#"{"rules":{".read":1,"a":true}}"#).count == 2)
  }

  @Test func `nesting is bounded at 200 levels`() {
    func nested(_ levels: Int) -> String {
      #"{"rules":"# + String(repeating: #"{"a":"#, count: levels) + "{}"
        + String(repeating: "}", count: levels + 1)
    }
    #expect(errors(nested(198)) == [])
    #expect(errors(nested(199)).first?.contains("nested too deeply") == true)
    #expect(errors(nested(100_000)).first?.contains("nested too deeply") == true)
  }
}

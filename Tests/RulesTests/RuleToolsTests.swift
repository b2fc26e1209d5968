import Rules
import Testing

struct RuleToolsTests {
  private func rules(_ body: String) throws -> RuleSet { try RuleSet(text: "{\"rules\":\(body)}") }

  // MARK: Cases

  private static let chat = """
    {"rules": {"rooms": {"$room": {
      ".read": "auth != null",
      ".write": "auth != null",
      "text": {".validate": "newData.isString() && newData.val().length < 5"}
    }}}}
    """

  @Test func `cases hold or tell what was otherwise`() throws {
    let cases = try RuleCases(
      text: """
        { // who
          "auth": {"mia": {"uid": "mia"}},
          "data": {"rooms": {"a": {"text": "hi"}}},
          "cases": [
            {"name": "members read", "as": "mia", "read": "rooms/a", "expect": "allow"},
            {"read": "rooms/a", "expect": "allow"},
            {"as": "mia", "set": "rooms/a/text", "value": 7, "expect": "deny",
              "by": ".validate rooms/a/text"},
            {"as": "mia", "set": "rooms/a/text", "value": 7, "expect": "deny", "by": ".write rooms/a"},
            {"as": "mia", "update": "rooms", "value": {"a/text": "new", "b/text": "x"}, "expect": "allow"},
            {"as": "admin", "remove": "rooms", "expect": "allow"},
            {"as": {"uid": "leo"}, "remove": "rooms/a", "expect": "allow"},
          ]
        }
        """)
    let outcomes = cases.run(try RuleSet(text: Self.chat))
    #expect(outcomes.map { $0.failure == nil } == [true, false, true, false, true, true, true])
    #expect(outcomes[1].failure == "expected to be allowed, was denied: line 2 at /rooms/a: auth = null")
    #expect(
      outcomes[3].failure
        == "expected to be refused by .write rooms/a, was refused by .validate rooms/a/text at line 4")
    #expect(outcomes[1].entry.name == "read /rooms/a" && outcomes[1].entry.line == 6)
  }

  @Test func `server values in a case are resolved at its time`() throws {
    let rules = try rules(#"{"t":{".write":true,".validate":"newData.val() == now"}}"#)
    let cases = try RuleCases(
      text: """
        {"now": 5, "cases": [
          {"set": "t", "value": {".sv": "timestamp"}, "expect": "allow"},
          {"set": "t", "value": {".sv": "timestamp"}, "now": 6, "expect": "allow"},
          {"set": "t", "value": 4, "expect": "deny"}]}
        """)
    #expect(cases.run(rules).allSatisfy { $0.failure == nil })
  }

  @Test func `claims may have names that keys of the tree may not`() throws {
    let rules = try rules(
      #"{".read":"auth.token.firebase.identities['google.com'] != null && auth['a' + '.b'] == 1"}"#)
    let cases = try RuleCases(
      text: """
        {"cases": [
          {"as": {"a.b": 1, "token": {"firebase": {"identities": {"google.com": ["7"]}}}},
            "read": "", "expect": "allow"},
          {"as": {"a.b": 2, "token": {"firebase": {"identities": {"google.com": ["7"]}}}},
            "read": "", "expect": "deny"}]}
        """)
    #expect(cases.run(rules).allSatisfy { $0.failure == nil })
  }

  @Test(arguments: [
    (#"{"cases":[{"read":"a"}]}"#, "1:11: Expected 'expect': \"allow\" or \"deny\"."),
    (
      #"{"cases":[{"read":"a","set":"b","expect":"allow"}]}"#,
      "1:11: A case has one of 'read', 'set', 'update' and 'remove'."
    ),
    (#"{"cases":[{"raed":"a","expect":"allow"}]}"#, "1:12: Unknown member 'raed'."),
    (#"{"cases":[{"as":"bob","read":"a","expect":"allow"}]}"#, "1:17: Nobody is called 'bob' under 'auth'."),
    (#"{"cases":[{"read":"a#b","expect":"allow"}]}"#, "1:19: 'a#b' is not a path."),
    (#"{"case":[]}"#, "1:2: Unknown member 'case'."),
    (#"{}"#, "1:1: Expected 'cases', an array of cases."),
  ]) func `a faulty file of cases is refused with its place`(text: String, expected: String) {
    #expect(throws: RulesError.self) { try RuleCases(text: text) }
    do { _ = try RuleCases(text: text) } catch { #expect(error.text == expected) }
  }

  // MARK: Coverage

  @Test func `coverage tells which expressions were never true or never false`() throws {
    let rules = try RuleSet(text: Self.chat)
    let cases = try RuleCases(
      text: """
        {"cases": [
          {"as": {"uid": "m"}, "read": "rooms/a", "expect": "allow"},
          {"read": "rooms/a", "expect": "deny"},
          {"as": {"uid": "m"}, "set": "rooms/a/text", "value": "ok", "expect": "allow"}]}
        """)
    let coverage = RuleCoverage(of: rules, by: cases.run(rules).map(\.trace))
    #expect(
      coverage.entries.map { "\($0.line) \($0.rule) \($0.location): \($0.whole.verdict)" } == [
        "2 .read /rooms/$room: both", "3 .write /rooms/$room: always true",
        "4 .validate /rooms/$room/text: always true",
      ])
    #expect(coverage.covered == (1, 3))
    let validate = try #require(coverage.entries.last)
    #expect(validate.parts[0..<18]?.verdict == "always true")
  }

  @Test(arguments: [
    ("true", "always true", "never asked"), ("false", "always false", "only errors"),
    ("\"true\"", "always false", "only errors"),
  ])
  func `coverage counts what can only be true or false, not values that happen to be`(
    value: String, left: String, right: String
  ) throws {
    let rules = try rules(#"{".read":"data.child('open').val() == true || auth.uid.length > 3"}"#)
    let expected = value == "true" ? "allow" : "deny"
    let cases = try RuleCases(
      text: #"{"data":{"open":\#(value)},"cases":[{"read":"","expect":"\#(expected)"}]}"#)
    let outcomes = cases.run(rules)
    #expect(outcomes.allSatisfy { $0.failure == nil })
    let entry = try #require(RuleCoverage(of: rules, by: outcomes.map(\.trace)).entries.first)
    let text = Array(entry.expression.utf8)
    let parts = Dictionary(
      uniqueKeysWithValues: entry.parts.map {
        (String(decoding: text[$0.key], as: UTF8.self), $0.value.verdict)
      })
    #expect(parts == ["data.child('open').val() == true": left, "auth.uid.length > 3": right])
  }

  // MARK: Layout

  @Test func `the layout is canonical and keeps comments`() throws {
    let untidy = """
      // all
      {"rules" : { ".read":true, // open
      /* people */ "users":{"$uid":{".write":"auth.uid == $uid",},


      ".indexOn":["a","b",] },"empty":{} } }
      """
    let tidy = """
      // all
      {
        "rules": {
          ".read": true, // open
          /* people */
          "users": {
            "$uid": {
              ".write": "auth.uid == $uid"
            },

            ".indexOn": ["a", "b"]
          },
          "empty": {}
        }
      }

      """
    #expect(try RuleFormat.format(untidy) == tidy)
    #expect(try RuleFormat.format(tidy) == tidy)
  }

  // MARK: Lints

  @Test func `what is probably not meant is pointed out`() throws {
    let rules = try RuleSet(
      text: """
        {"rules": {
          ".read": true,
          "a": {".read": "auth != null"},
          "b": {".write": "auth != null", "c": {".write": false}},
          "d": {".validate": "newData.isString()"},
          "e": {".write": "auth.uid == data.child('owner').val()"},
          "f": {".write": "auth != null && auth.uid == data.child('owner').val()"}
        }}
        """)
    #expect(
      rules.lints.map { "\($0.line) \($0.kind.rawValue) \($0.location)" } == [
        "2 open-root /", "3 unreachable /a", "4 revokes-nothing /b/c", "5 validate-without-write /d",
        "6 null-equals-null /e",
      ])
    let closed = try RuleSet(text: "{\"rules\":{\n\"list\":{\".indexOn\":\"x\"}}}")
    #expect(closed.lints.map(\.kind) == [.unusableIndex])
  }

  @Test func `a tidy rule set has no lints`() throws {
    #expect(try RuleSet(text: Self.chat).lints == [])
  }
}

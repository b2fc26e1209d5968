import JSONTree
import Testing

@testable import Rules

/// Rules that are made to be too much: they are taken, or refused with a reason, and nothing ever traps.
struct BoundsTests {
  private func refusal(_ text: String) -> String? {
    do {
      _ = try RuleSet(text: text)
      return nil
    } catch {
      return error.errors[0].message
    }
  }

  private func refusal(rule: String) -> String? {
    refusal(#"{"rules":{".read":""# + rule + #""}}"#)
  }

  private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  @Test func `ten thousand rules are taken and decide`() throws {
    let locations = (0..<10_000).map { index in
      #""k\#(index)":{".read":"auth.uid == 'u\#(index)' && data.child('n').val() == \#(index)"}"#
    }
    let rules = try RuleSet(text: #"{"rules":{"# + locations.joined(separator: ",") + "}}")
    for index in [0, 4999, 9999] {
      let root = try Node.parse(#"{"k\#(index)":{"n":\#(index)}}"#)
      for (uid, expected) in [("u\(index)", true), ("u1", false)] {
        let caller = Caller(auth: Node(children: [(ChildKey(unchecked: "uid"), Node(uid))]))
        let decision = rules.read(
          at: try Path("k\(index)"), caller: caller, root: root, nowMilliseconds: 0, query: nil)
        #expect(decision.isAllowed == expected)
      }
    }
    #expect(rules.lints.count == 0)
  }

  @Test func `ten thousand faults are all reported`() {
    let locations = (0..<10_000).map { #""k\#($0)":{".read":"nobody == \#($0)"}"# }
    do {
      _ = try RuleSet(text: #"{"rules":{"# + locations.joined(separator: ",\n") + "}}")
      Issue.record("taken")
    } catch {
      #expect(error.errors.count == 10_000)
      #expect(error.errors.last?.line == 10_000)
    }
  }

  @Test func `rules at the deepest nesting are taken and decide, one level more is refused`() throws {
    func nested(_ levels: Int) -> String {
      #"{"rules":"# + repeated(#"{"a":"#, levels) + #"{".read":"data.val() == 1"}"#
        + repeated("}", levels + 1)
    }
    let rules = try RuleSet(text: nested(198))
    let path = Path(Array(repeating: ChildKey(unchecked: "a"), count: 198))
    let decision = rules.read(at: path, caller: .anonymous, root: .null, nowMilliseconds: 0, query: nil)
    #expect(!decision.isAllowed)
    #expect(refusal(nested(199)) == "Rules are nested too deeply.")
  }

  @Test(arguments: [
    ("(", "true", ")", 199), ("!", "true", "", 198), ("true ? true : ", "true", "", 199),
    ("data.child(data.child('a').val() + ", "'b'", ").exists() == true", 1),
  ]) func `expressions nested below the bound are taken`(
    open: String, middle: String, close: String, count: Int
  ) {
    #expect(refusal(rule: repeated(open, count) + middle + repeated(close, count)) == nil)
  }

  @Test(arguments: [
    ("(", "true", ")"), ("!", "true", ""), ("-", "1", ""), ("[", "", "]"), ("data[", "1", "]"),
    ("true ? true : ", "true", ""), ("true ? ", "true", " : true"), ("data.child(", "'a'", ")"),
    ("data.hasChildren([", "'a'", "])"), ("true && ", "true", ""), ("1 + ", "1", " == 2"),
    ("data", ".parent()", ""), ("auth", ".a", ""), ("1+(", "1", ")+1+1+1+1+1+1+1+1+1+1"),
    ("1 == 1 || (", "true", ") || true || true || true || true || true || true || true || true"),
    ("'a'.matches(/", "(", "/)"), ("'a'.replace('a',", "'b'", ")"), ("$", "a", "$"), ("'", "\\\\", "'"),
    ("/[", "a", "]/"), ("now = ", "1", ""),
  ]) func `bottomless expressions are refused with a reason`(open: String, middle: String, close: String) {
    for count in [1000, 5000, 20_000] {
      let isChain = open == "data" || open == "auth"
      let rule =
        isChain
        ? open + repeated(middle, count) + " == 1" : repeated(open, count) + middle + repeated(close, count)
      #expect(refusal(rule: rule) != nil, "\(open)\(middle)\(close)")
    }
  }

  @Test func `an expression is bounded by its height, however its parts lean`() {
    // Two hundred parentheses, each with a chain of its own around it: tall without being nested.
    var rule = "1"
    for _ in 0..<100 { rule = "1+(\(rule))" + repeated("+1", 100) }
    #expect(rule.utf8.count < Parser.lengthLimitBytes)
    #expect(refusal(rule: rule + " == 1") == "The expression is nested too deeply.")
    #expect(refusal(rule: "1" + repeated("+1", 790) + " == 791") == nil)
    #expect(refusal(rule: "1" + repeated("+1", 810) + " == 811") == "The expression is nested too deeply.")
  }

  @Test func `a long expression is taken up to its bound and refused past it`() {
    let filling = repeated(" ", Parser.lengthLimitBytes - 4)
    #expect(refusal(rule: "true" + filling) == nil)
    #expect(refusal(rule: "true" + filling + " ")?.contains("longer than") == true)
    #expect(refusal(repeated(" ", RuleSet.textLimitBytes + 1))?.contains("at most") == true)
  }

  @Test func `a text that would grow past the longest string has no value`() throws {
    let rules = try RuleSet(
      text:
        #"{"rules":{"sum":{".read":"(root.child('t').val() + root.child('t').val()).length > 1 || true"},"#
        + #""all":{".read":"root.child('t').val().replace('a', root.child('t').val()).length > 1 || true"},"#
        + #""one":{".read":"(root.child('t').val() + '!').length > 1"}}}"#)
    let long = repeated("a", Limits.standard.stringBytes / 2 + 1)
    let root = Node(children: [(ChildKey(unchecked: "t"), Node(long))])
    for (path, expected) in [("sum", false), ("all", false), ("one", true)] {
      let decision = rules.read(
        at: try Path(path), caller: .anonymous, root: root, nowMilliseconds: 0, query: nil)
      #expect(decision.isAllowed == expected, "\(path)")
    }
  }

  // MARK: Patterns

  private func steps(_ pattern: String, _ subject: String) throws -> (matches: Bool, steps: Int) {
    let pattern = try Pattern(pattern, ignoresCase: false)
    return Array(subject.utf8).withUnsafeBytes { bytes in
      var run = PatternRun(pattern)
      let matches = run.matches(bytes)
      return (matches, run.steps)
    }
  }

  @Test(arguments: [
    "^(a+)+$", "^(a|a)*$", "(a*)*$", "(a?){20}a{20}$", "^(a|ab)*$", "(x+x+)+y", "^(([a-z])+.)+$",
  ])
  func `a hostile pattern takes steps in proportion to its subject`(pattern: String) throws {
    let short = try steps(pattern, repeated("a", 50_000) + "b")
    let long = try steps(pattern, repeated("a", 100_000) + "b")
    #expect(short.matches == long.matches)
    #expect(long.steps <= 2 * short.steps + 1000, "\(short.steps) \(long.steps)")
    #expect(long.steps <= 100_000 * 4, "\(long.steps)")
  }

  @Test func `a subject of changing letters does not make more steps than its length times the pattern`()
    throws
  {
    // Every character leads elsewhere, so hardly any set of ways is met again.
    let subject = (0..<4000).map { ["a", "b", "c", "ä", "漢"][$0 * $0 / 7 % 5] }.joined()
    let outcome = try steps("(a|b)(a|b|c|ä)(b|c|漢){1,30}x", subject)
    #expect(!outcome.matches)
    #expect(outcome.steps < 4000 * 600, "\(outcome.steps)")
  }
}

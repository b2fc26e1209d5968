import JSONTree
import Rules
import Testing

struct TraceTests {
  private let mia = Caller(auth: Node(children: [(ChildKey(unchecked: "uid"), Node("mia"))]))

  private func rules(_ body: String) throws -> RuleSet { try RuleSet(text: "{\"rules\":\(body)}") }

  @Test func `a denied read shows each rule on the way and the values of its parts`() throws {
    let rules = try rules(
      #"{".read":false,"$room":{".read":"auth != null && "#
        + #"root.child('members').child($room).child(auth.uid).exists()"}}"#)
    let trace = rules.trace(
      readAt: try Path("r1/x"), caller: mia, root: try Node.parse(#"{"members":{"r2":{"mia":true}}}"#),
      nowMilliseconds: 0, query: nil)
    #expect(!trace.isAllowed)
    #expect(trace.rules.map(\.path) == ["", "r1"])
    let parts = try #require(trace.rules.last).parts.map { "\($0.text) = \($0.value)" }
    #expect(
      parts == [
        "auth != null && root.child('members').child($room).child(auth.uid).exists() = false",
        "auth != null = true", #"auth = {"uid":"mia"}"#,
        "root.child('members').child($room).child(auth.uid).exists() = false", #"$room = "r1""#,
        #"auth.uid = "mia""#, #"auth = {"uid":"mia"}"#,
      ])
  }

  @Test func `parts that were not evaluated are not shown and errors are named`() throws {
    let rules = try rules(#"{".read":"auth.uid.length > 2 && now > 5"}"#)
    let trace = rules.trace(readAt: .root, caller: .anonymous, root: .null, nowMilliseconds: 9, query: nil)
    let parts = try #require(trace.rules.first).parts.map { "\($0.text) = \($0.value)" }
    #expect(parts.first == "auth.uid.length > 2 && now > 5 = error: a string was needed")
    #expect(!parts.contains { $0.hasPrefix("now") })
  }

  @Test func `a write names the first validate that refuses, below the written path too`() throws {
    let rules = try rules(
      #"{"list":{".write":true,"$id":{"n":{".validate":"newData.isNumber()"}}}}"#)
    let after = try Node.parse(#"{"list":{"a":{"n":1},"b":{"n":"x"}}}"#)
    let trace = rules.trace(
      writeAt: [try Path("list")], caller: mia, before: .null, after: after, nowMilliseconds: 0)
    #expect(!trace.isAllowed)
    #expect(
      trace.rules.map { "\($0.rule) \($0.path) \($0.outcome)" } == [
        ".write list true", ".validate list/a/n true", ".validate list/b/n false",
      ])
  }
}

import Engine
import FirebaseWire
import JSONTree
import NIOCore
import Testing

@Suite struct DialectTests {
  let dialect = FirebaseDialect()

  private func texts(_ change: Change, variant: UInt32 = 0) -> [String] {
    let form = PushForm(dialect: FirebaseDialect.number, variant: variant)
    return ServerFrames.texts(dialect.encode(change, form: form))
  }

  @Test func `a set is pushed at its path without a leading slash`() throws {
    #expect(
      texts(.set(at("harbor/berths"), Node(4))) == [
        #"{"t":"d","d":{"a":"d","b":{"p":"harbor/berths","d":4}}}"#
      ])
    #expect(texts(.set(.root, .null)) == [#"{"t":"d","d":{"a":"d","b":{"p":"","d":null}}}"#])
    #expect(
      texts(.set(try Path("a/.priority", allowsPriority: true), Node("x")))
        == [#"{"t":"d","d":{"a":"d","b":{"p":"a/.priority","d":"x"}}}"#])
    #expect(
      texts(.set(at("a"), try Node.parse(#"{".value":1,".priority":2}"#)), variant: 6)
        == [#"{"t":"d","d":{"a":"d","b":{"p":"a","d":{".value":1,".priority":2},"t":5}}}"#])
  }

  @Test func `a merge has relative paths as keys`() {
    let entries = [MergeEntry(at("berths"), Node(5)), MergeEntry(at("a/b"), .null)]
    #expect(
      texts(.merge(at("harbor"), entries), variant: 1)
        == [#"{"t":"d","d":{"a":"m","b":{"p":"harbor","d":{"berths":5,"a/b":null},"t":0}}}"#])
    #expect(
      texts(.merge(.root, [MergeEntry(at("a"), Node(true))]))
        == [#"{"t":"d","d":{"a":"m","b":{"p":"","d":{"a":true}}}}"#])
  }

  @Test func `an empty merge is not sent`() {
    #expect(texts(.merge(at("a"), [])) == [])
  }

  @Test func `keys are escaped as JSON needs it`() throws {
    #expect(
      texts(.set(try Path(#"a"b\c/é"#), Node(1)))
        == [#"{"t":"d","d":{"a":"d","b":{"p":"a\"b\\c/é","d":1}}}"#]
    )
  }

  @Test func `a long push is announced and cut`() {
    let change = Change.set(at("a"), Node(String(repeating: "😀", count: 20_000)))
    let form = PushForm(dialect: FirebaseDialect.number)
    let frames = ServerFrames.payloads(dialect.encode(change, form: form))
    #expect(frames.first == "\(frames.count - 1)")
    #expect(frames.dropFirst().allSatisfy { $0.utf16.count <= 16_384 && !$0.contains("\u{FFFD}") })
    let head = #"{"t":"d","d":{"a":"d","b":{"p":"a","d":""#
    #expect(frames.dropFirst().joined() == head + String(repeating: "😀", count: 20_000) + #""}}}"#)
    #expect(texts(change) == [frames.dropFirst().joined()])
  }

  @Test func `a push is one frame up to the bound and two chunks past it`() {
    let frame = #"{"t":"d","d":{"a":"d","b":{"p":"a","d":""}}}"#
    for (extra, count) in [(0, 1), (1, 3)] {
      let value = Node(String(repeating: "x", count: 16_384 - frame.utf8.count + extra))
      let form = PushForm(dialect: FirebaseDialect.number)
      #expect(ServerFrames.payloads(dialect.encode(.set(at("a"), value), form: form)).count == count)
    }
  }
}

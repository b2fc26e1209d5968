import Engine
import JSONTree
import NIOCore
import Testing

@testable import RESTWire

struct EventTextTests {
  private func text(_ change: Change, at path: String, _ form: TextForm = .value) throws -> String {
    let encoded = EventText().encode(change, form: EventText.form(at: try Path(path), form))
    return Self.unchunked(encoded)
  }

  static func unchunked(_ frames: ByteBuffer) -> String {
    var frames = frames
    var text = ""
    while let line = frames.readableBytesView.firstIndex(of: UInt8(ascii: "\r")),
      let count = Int(frames.readString(length: line - frames.readerIndex) ?? "", radix: 16)
    {
      frames.moveReaderIndex(forwardBy: 2)
      text += frames.readString(length: count) ?? ""
      frames.moveReaderIndex(forwardBy: 2)
    }
    return text
  }

  @Test func `a set is a put at the path below the stream's own`() throws {
    let set = Change.set(try Path("a/b/c"), try Node.parse("{\"x\":[1,2]}"))
    #expect(try text(set, at: "a") == "event: put\ndata: {\"path\":\"/b/c\",\"data\":{\"x\":[1,2]}}\n\n")
    #expect(try text(set, at: "a/b/c") == "event: put\ndata: {\"path\":\"/\",\"data\":{\"x\":[1,2]}}\n\n")
    #expect(try text(set, at: "") == "event: put\ndata: {\"path\":\"/a/b/c\",\"data\":{\"x\":[1,2]}}\n\n")
  }

  @Test func `a deletion is a put of null`() throws {
    let text = try text(.set(try Path("a/b"), .null), at: "a")
    #expect(text == "event: put\ndata: {\"path\":\"/b\",\"data\":null}\n\n")
  }

  @Test func `a merge is a patch`() throws {
    let entries = [MergeEntry(try Path("x/y"), Node(Int64(1))), MergeEntry(try Path("z"), .null)]
    let text = try text(.merge(try Path("a/b"), entries), at: "a")
    #expect(text == "event: patch\ndata: {\"path\":\"/b\",\"data\":{\"x/y\":1,\"z\":null}}\n\n")
  }

  @Test func `priorities show in exports only`() throws {
    let place = try Path("a/b/.priority", allowsPriority: true)
    #expect(try text(.set(place, Node("p")), at: "a") == "")
    let shown = try text(.set(place, Node("p")), at: "a", .export)
    #expect(shown == "event: put\ndata: {\"path\":\"/b/.priority\",\"data\":\"p\"}\n\n")
    let entries = [
      MergeEntry(try Path("b/.priority", allowsPriority: true), Node(Int64(1))),
      MergeEntry(try Path("c"), Node(true)),
    ]
    let merged = try text(.merge(try Path("a"), entries), at: "a")
    #expect(merged == "event: patch\ndata: {\"path\":\"/\",\"data\":{\"c\":true}}\n\n")
    #expect(try text(.merge(try Path("a"), [entries[0]]), at: "a") == "")
    let leaf = Node(Int64(1)).withPriority(Node(Int64(2)))
    let exported = try text(.set(try Path("a"), leaf), at: "a", .export)
    #expect(exported == "event: put\ndata: {\"path\":\"/\",\"data\":{\".value\":1,\".priority\":2}}\n\n")
  }

  @Test func `forms of other depth or other text are other forms, and none is the plain one`() throws {
    let a = EventText.form(at: try Path("a"), .value)
    #expect(a == EventText.form(at: try Path("b"), .value))
    #expect(a != EventText.form(at: try Path("a/b"), .value))
    #expect(a != EventText.form(at: try Path("a"), .export))
    #expect(EventText.form(at: .root, .value).variant != 0)
  }

  @Test func `the events without data are as clients know them`() {
    #expect(Self.unchunked(EventText.keepAlive) == "event: keep-alive\ndata: null\n\n")
    #expect(Self.unchunked(EventText.cancel(nil)) == "event: cancel\ndata: null\n\n")
    #expect(Self.unchunked(EventText.cancel("x\"y")) == "event: cancel\ndata: \"x\\\"y\"\n\n")
    let revoked = "event: auth_revoked\ndata: credential is no longer valid\n\n"
    #expect(Self.unchunked(EventText.credentialRevoked) == revoked)
  }
}

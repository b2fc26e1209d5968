import Engine
import JSONTree
import Testing

@testable import FirebaseWire

@Suite struct ChangePiecesTests {
  private func apply(_ changes: [Change], to root: Node) -> Node {
    changes.reduce(root) { root, change in
      switch change {
      case .set(let path, let value): root.setting(value, at: path)
      case .merge(let path, let entries):
        root.merging(entries.map { ($0.path, $0.value) }, at: path)
      }
    }
  }

  private let before = try? Node.parse(#"{"a":{"old":1,"big":{"old":2}},"b":1}"#)
  private let value = try? Node.parse(
    #"{"x":"0123456789","y":{"p":"0123456789","q":{".value":"0123456789",".priority":1},".priority":"y"},"#
      + #""z":1,".priority":3}"#)

  @Test(arguments: [1, 20, 30, 60, 1000]) func `pieces of a set leave what it would have left`(bytes: Int)
    throws
  {
    let before = try #require(before)
    let value = try #require(value)
    let pieces = Change.set(at("a"), value).pieces(of: bytes)
    #expect(apply(pieces, to: before) == before.setting(value, at: at("a")))
    #expect(pieces.count == 1 || bytes < 1000)
    #expect(pieces.count > 1 || bytes == 1000)
  }

  @Test(arguments: [1, 20, 30, 60, 1000]) func `pieces of a merge leave what it would have left`(bytes: Int)
    throws
  {
    let before = try #require(before)
    let value = try #require(value)
    let entries = [
      MergeEntry(at("big"), value), MergeEntry(at("old"), .null), MergeEntry(at("new/n"), Node(1)),
    ]
    let pieces = Change.merge(at("a"), entries).pieces(of: bytes)
    #expect(apply(pieces, to: before) == apply([.merge(at("a"), entries)], to: before))
    for piece in pieces {
      if case .merge(_, let entries) = piece { #expect(!entries.isEmpty) }
    }
  }

  @Test func `a push that is too long for its count is sent in pieces`() throws {
    let value = try #require(value)
    let form = PushForm(dialect: FirebaseDialect.number, variant: 3)
    let texts = ServerFrames.texts(FirebaseDialect(mostBytes: 150).encode(.set(at("a"), value), form: form))
    #expect(texts.count > 1)
    #expect(texts.allSatisfy { $0.utf8.count <= 150 && $0.hasSuffix(#","t":2}}}"#) })
  }
}

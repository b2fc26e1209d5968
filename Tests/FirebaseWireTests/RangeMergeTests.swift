import Engine
import FirebaseWire
import JSONTree
import TestSupport
import Testing

/// Listens of clients that say which stretches of a value they have.
@Suite struct RangeMergeTests {
  /// A listen on `/list` by a client that holds a value.
  private func listen(_ held: Node, _ number: Int = 1, query: String = "") -> String {
    let ranges = RangeClient.ranges(of: held)
    let hashes = ranges.hashes.map { Node($0).text() }.joined(separator: ",")
    let posts = ranges.posts.map { Node($0).text() }.joined(separator: ",")
    return #"{"t":"d","d":{"r":\#(number),"a":"q","b":{"p":"/list"\#(query),"h":"\#(held.simpleHash)","#
      + #""ch":{"hs":[\#(hashes)],"ps":[\#(posts)]}}}}"#
  }

  private func room(with value: Node) async throws -> FirebaseRoom {
    let room = try await FirebaseRoom()
    try await room.enter { $0.write(.put(at("list"), value), tag: 1, client: $1) }
    return room
  }

  private func list(_ count: Int) -> Node {
    Node(
      children: (0..<count).map { number in
        let item = Node(children: [
          (ChildKey(unchecked: "title"), Node("Entry number \(number)")),
          (ChildKey(unchecked: "done"), Node(number % 3 == 0)),
        ])
        return (ChildKey(unchecked: "item\(10_000 + number)"), item)
      })
  }

  /// The merges in a push, as a client reads them.
  private func merges(_ push: String) throws -> [RangeMerge] {
    let message = try Node.parse(
      push.replacing("\".priority\"", with: "\"priority\"").replacing("null", with: "\"\""))
    let list = message[at("d/b/d")]
    var merges: [RangeMerge] = []
    list.forEachChild { _, merge in
      let value = merge[ChildKey(unchecked: "m")]
      merges.append(
        RangeMerge(
          start: merge[ChildKey(unchecked: "s")].string, end: merge[ChildKey(unchecked: "e")].string,
          value: value.string == "" ? .null : value))
      return true
    }
    return merges
  }

  @Test(arguments: [(apart: 333, share: 5), (1, 40)])
  func `of 10,000 nodes of which 10 have changed a small part travels`(apart: Int, share: Int) async throws {
    // An item is three nodes: itself, a title and a mark. A client's stretch is about 64 of these long.
    let old = list(3_333)
    var new = old
    for number in 0..<10 {
      new.set(Node("changed \(number)"), at: at("item\(10_000 + number * apart)/title"))
    }
    let room = try await room(with: new)
    let whole = try await room.connect()
    _ = whole.received()
    try await whole.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/list","h":""}}}"#)
    let wholeBytes = whole.received().first?.utf8.count ?? 0
    let client = try await room.connect(onOtherLoop: true)
    _ = client.received()
    let request = listen(old)
    try await client.send(request)
    let answer = client.received()
    #expect(answer.count == 2 && answer.last == ok(1, "{}"))
    let push = try #require(answer.first)
    #expect(push.hasPrefix(#"{"t":"d","d":{"a":"rm","b":{"p":"list","d":["#))
    #expect(RangeClient.applying(try merges(push), to: old) == new)
    #expect(new.leafCount == 6_666)
    #expect(wholeBytes > 180_000)
    #expect(push.utf8.count < wholeBytes / share, "\(push.utf8.count) bytes of \(wholeBytes)")
    #expect(request.utf8.count < 3_000, "a request of \(request.utf8.count) bytes")
  }

  @Test func `a client that has it all is sent nothing`() async throws {
    let value = list(200)
    let client = try await room(with: value).connect()
    _ = client.received()
    try await client.send(listen(value))
    #expect(client.received() == [ok(1, "{}")])
  }

  @Test func `a client that has nothing of it is sent it whole`() async throws {
    let room = try await room(with: list(2))
    let client = try await room.connect()
    _ = client.received()
    try await client.send(listen(Node.null))
    #expect(client.received().first?.contains(#""a":"d""#) == true)
    // All of it differs: a push of everything says the same in fewer words.
    try await client.send(#"{"t":"d","d":{"r":2,"a":"n","b":{"p":"/list"}}}"#)
    _ = client.received()
    try await client.send(listen(Node("something else"), 3))
    #expect(client.received().first?.contains(#""a":"d""#) == true)
  }

  @Test func `what is gone is told as a stretch of nothing, and the listen goes on`() async throws {
    let old = list(200)
    var new = old
    new.set(.null, at: at("item10000"))
    let room = try await room(with: new)
    let client = try await room.connect()
    _ = client.received()
    try await client.send(listen(old))
    let answer = client.received()
    let push = try #require(answer.first)
    #expect(RangeClient.applying(try merges(push), to: old) == new)
    let writer = try await room.connect()
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/list/item10000","d":1}}}"#)
    #expect(client.received() == [#"{"t":"d","d":{"a":"d","b":{"p":"list/item10000","d":1}}}"#])
  }

  @Test func `the window of a query is merged under its tag`() async throws {
    let old = list(300)
    var new = old
    new.set(Node("changed"), at: at("item10250/title"))
    let room = try await room(with: new)
    let client = try await room.connect()
    _ = client.received()
    func window(_ value: Node) -> Node {
      var children: [(ChildKey, Node)] = []
      value.forEachChild { key, child in
        children.append((key, child))
        return true
      }
      return Node(children: children.suffix(100))
    }
    try await client.send(
      listen(window(old), query: #","q":{"l":100,"vf":"r","i":".key"},"t":7"#))
    let push = try #require(client.received().first)
    #expect(push.contains(#""a":"rm""#) && push.hasSuffix(#","t":7}}}"#))
    #expect(RangeClient.applying(try merges(push), to: window(old)) == window(new))
    #expect(push.utf8.count < 2000)
  }

  @Test(arguments: [
    "1", "[]", "{}", #"{"hs":[""]}"#, #"{"ps":[]}"#, #"{"hs":[],"ps":[]}"#, #"{"hs":["a",1],"ps":["b"]}"#,
    #"{"hs":["a",""],"ps":[null]}"#, #"{"hs":["","",""],"ps":["b","a"]}"#, #"{"hs":["",""],"ps":["a$b"]}"#,
    #"{"hs":{},"ps":{}}"#, "null", "\"x\"",
  ])
  func `ranges that make no sense are as good as none`(ranges: String) async throws {
    let client = try await room(with: Node(Int64(4))).connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/list","h":"x","ch":\#(ranges)}}}"#)
    #expect(client.received() == [#"{"t":"d","d":{"a":"d","b":{"p":"list","d":4}}}"#, ok(1, "{}")])
  }

  @Test func `a client that does not send ranges is never sent a merge of ranges`() async throws {
    let client = try await room(with: list(200)).connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/list","h":"old"}}}"#)
    #expect(client.received().first?.hasPrefix(#"{"t":"d","d":{"a":"d","b""#) == true)
  }

  @Test func `thousands of posts that lead nowhere do no harm`() async throws {
    let client = try await room(with: list(200)).connect()
    _ = client.received()
    for count in [10_000, 10_001, 100_000] {
      let posts = (0..<count).map { "\"\($0)\"" }.joined(separator: ",")
      let hashes = [String](repeating: "\"x\"", count: count + 1).joined(separator: ",")
      try await client.send(
        #"{"t":"d","d":{"r":\#(count),"a":"q","b":{"p":"/list","h":"x","#
          + #""ch":{"ps":[\#(posts)],"hs":[\#(hashes)]}}}}"#
      )
      let answer = client.received()
      #expect(answer.count == 2 && answer.last == ok(count, "{}"))
      #expect(answer.first?.contains(#""a":"d""#) == true)
    }
  }
}

import Engine
import JSONTree
import Rules
import TestSupport
import Testing

struct WriteTests {
  @Test func `a put is there once it is answered`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let request = try put("a/b", #"{"c":1,"d":null}"#)
    await rig.enter { $0.write(request, tag: 7, client: client.client) }
    #expect(client.received.take() == ["answer 7 written"])
    #expect(try await rig.tree() == #"{"a":{"b":{"c":1}}}"#)
    #expect(rig.log.log.texts(of: rig.database.id) == [#"[["d","a/b",{"c":1}]]"#])
  }

  @Test func `deleting the last child removes its parents`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a/b/c", "1")
    try await rig.given("x", "1")
    try await rig.given("a/b/c", "null")
    #expect(try await rig.tree() == #"{"x":1}"#)
  }

  @Test func `an update replaces its keys and leaves the others`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", #"{"b":1,"c":{"d":2,"e":3},"f":4}"#)
    let client = try await rig.client()
    let request = try merge("a", #"{"b":9,"c/d":null,"g/h":5}"#)
    await rig.enter { $0.write(request, tag: 1, client: client.client) }
    #expect(client.received.take() == ["answer 1 written"])
    #expect(try await rig.tree() == #"{"a":{"b":9,"c":{"e":3},"f":4,"g":{"h":5}}}"#)
  }

  @Test func `server values are filled in, and the answer can tell with what`() async throws {
    let rig = try await Rig.open(clock: ManualClock(5000))
    try await rig.given("n", "40")
    let client = try await rig.client()
    var request = try put("n", #"{".sv":{"increment":2}}"#)
    request.wantsValue = true
    var second = try merge("", #"{"t":{".sv":"timestamp"},"m/k":{".sv":{"increment":1}}}"#)
    second.wantsValue = true
    await rig.enter { [request, second] database in
      database.write(request, tag: 1, client: client.client)
      database.write(second, tag: 2, client: client.client)
    }
    #expect(
      client.received.take() == [#"answer 1 written {"n":42}"#, #"answer 2 written {"t":5000,"m/k":1}"#])
  }

  @Test func `increments see the value that the writes before them leave`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let request = try put("n", #"{".sv":{"increment":1}}"#)
    await rig.enter { database in
      for tag in 1...10 { database.write(request, tag: UInt64(tag), client: client.client) }
    }
    #expect(try await rig.tree() == #"{"n":10}"#)
    #expect(rig.log.appends == 1)
  }

  @Test func `a conditional put is refused with what is there`() async throws {
    let rig = try await Rig.open()
    try await rig.given("n", "4")
    let client = try await rig.client()
    let hash = Node(4).simpleHash
    let good = try put("n", "5", if: .hash(hash, dialects: [.standard]))
    let absent = try put("n", "6", if: .absent)
    let empty = try put("m", "7", if: .hash("", dialects: [.standard]))
    await rig.enter { database in
      database.write(good, tag: 1, client: client.client)
      database.write(good, tag: 2, client: client.client)
      database.write(absent, tag: 3, client: client.client)
      database.write(empty, tag: 4, client: client.client)
    }
    #expect(
      client.received.take() == [
        "answer 1 written", "answer 2 stale 5", "answer 3 stale 5", "answer 4 written",
      ])
  }

  @Test func `who may not read learns nothing from a conditional put`() async throws {
    let rig = try await Rig.open(rules: #"{"rules":{".write":true,"open":{".read":true}}}"#)
    try await rig.given("n", "4")
    let client = try await rig.client()
    let hash = Condition.hash(Node(4).simpleHash, dialects: [.standard])
    let requests = try [
      put("n", "5", if: hash), put("n", "5", if: .absent), put("m", "5", if: .absent),
      put("open", "5", if: hash),
    ]
    await rig.enter { database in
      for (tag, request) in requests.enumerated() {
        database.write(request, tag: UInt64(tag), client: client.client)
      }
    }
    #expect(
      client.received.take() == [
        "answer 0 denied", "answer 1 denied", "answer 2 written", "answer 3 stale null",
      ])
  }

  @Test func `a write that changes nothing is acknowledged and not told`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", #"{"b":1}"#)
    let client = try await rig.client()
    let requests = try [
      put("a/b", "1"), put("a/x", "null"), put("a/b/x/y", "null"), put("a/x/.priority", "1"),
    ]
    let appends = rig.log.appends
    await rig.enter { database in
      database.listen(ListenRequest(path: .root, form: plain, listen: 1), tag: 0, client: client.client)
      for request in requests { database.write(request, tag: 9, client: client.client) }
    }
    #expect(client.received.take().dropFirst(2) == Array(repeating: "answer 9 written", count: 4)[...])
    #expect(rig.log.appends == appends)
  }

  @Test func `a priority is set alone, kept by deep writes, and cleared by a put`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", #"{"b":1}"#)
    try await rig.given("a/.priority", "5")
    #expect(try await rig.tree() == #"{"a":{"b":1,".priority":5}}"#)
    try await rig.given("a/b", "2")
    #expect(try await rig.tree() == #"{"a":{"b":2,".priority":5}}"#)
    try await rig.given("a", #"{"b":2}"#)
    #expect(try await rig.tree() == #"{"a":{"b":2}}"#)
    let client = try await rig.client()
    let bad = try [
      put("a/.priority", "true"), put("a/.priority", #"{"x":1}"#), merge("a", #"{".priority":"p"}"#),
    ]
    await rig.enter { database in
      for (tag, request) in bad.enumerated() {
        database.write(request, tag: UInt64(tag), client: client.client)
      }
    }
    #expect(client.received.take() == ["answer 0 invalid", "answer 1 invalid", "answer 2 written"])
  }

  @Test func `a value past the request's own limit is refused`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let text = String(repeating: "x", count: 100)
    var request = try put("a", "\"\(text)\"")
    let bytes = Node(text).estimatedBytes
    request.sizeLimitBytes = bytes
    var larger = request
    larger.sizeLimitBytes = bytes - 1
    await rig.enter { [request, larger] database in
      database.write(request, tag: 1, client: client.client)
      database.write(larger, tag: 2, client: client.client)
    }
    #expect(Set(client.received.take()) == ["answer 1 written", "answer 2 tooBig"])
  }

  @Test func `rules see the tree that the writes before leave, not only the durable one`() async throws {
    let rig = try await Rig.open(
      rules: #"{"rules":{"$k":{".write":"!data.exists() && newData.isNumber()"}}}"#)
    let client = try await rig.client()
    let (first, text) = (try put("a", "1"), try put("b", "\"x\""))
    await rig.enter { database in
      database.write(first, tag: 1, client: client.client)
      database.write(first, tag: 2, client: client.client)
      database.write(text, tag: 3, client: client.client)
    }
    #expect(client.received.take() == ["answer 1 written", "answer 2 denied", "answer 3 denied"])
  }

  @Test func `a client that is not attached, or no longer, is refused`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let request = try put("a", "1")
    await rig.enter { database in
      database.detach(client.client)
      database.write(request, tag: 1, client: client.client)
    }
    #expect(client.received.take() == ["answer 1 closed"])
    #expect(try await rig.tree() == "null")
  }

  @Test func `keys with quotes and backslashes come back from the log`() async throws {
    let rig = try await Rig.open()
    try await rig.given(#"a"\b/é😀"#, #""x""#)
    let tree = try await rig.tree()
    #expect(tree == #"{"a\"\\b":{"é😀":"x"}}"#)
    #expect(try await rig.crashed().tree() == tree)
  }
}

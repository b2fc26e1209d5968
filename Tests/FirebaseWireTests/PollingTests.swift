import Engine
import FirebaseWire
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import Transport

/// Long polling as pages see it: what each request is answered, and when.
@Suite struct PollingTests {
  static let put = #"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#
  static let listen = #"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/a","h":""}}}"#

  static func greeting(_ number: Int = 1) -> String {
    #"{"t":"c","d":{"t":"h","d":{"ts":1700000000123,"v":"5","h":"db.example.com:9000","#
      + #""s":"session000000000000000000000000\#(number)"}}}"#
  }

  static func set(_ value: Int) -> String { #"{"t":"d","d":{"a":"d","b":{"p":"a","d":\#(value)}}}"# }

  // MARK: Beginning

  @Test func `the first answer defines the functions, names the session and brings the greeting`()
    async throws
  {
    let room = try await FirebaseRoom()
    let start = try await TestPoll.send(
      "start=t&ser=1&cb=42&v=5&ns=default", to: room.services, on: room.loop)
    await room.settle()
    let answer = try #require(start.answer)
    #expect(answer.status == 200)
    #expect(answer["content-type"] == "text/javascript; charset=utf-8")
    #expect(answer["x-content-type-options"] == "nosniff")
    #expect(answer["cache-control"] == "no-store")
    #expect(answer["cross-origin-resource-policy"] == "cross-origin")
    #expect(answer["access-control-allow-origin"] == nil, "scripts need none, and nothing else may read this")
    #expect(answer.body.contains(#"frame.parent[name+"42"]"#))
    let script = try #require(start.script)
    #expect(script.messages.map(\.number) == [0])
    #expect(script.messages.first?.texts == [PollingTests.greeting()])
    let key = try #require(script.key)
    #expect(key.id.count == 32 && key.password.count == 32 && key.id != key.password)
  }

  @Test func `names and passwords are all different`() async throws {
    let room = try await FirebaseRoom()
    var seen: Set<String> = []
    for _ in 0..<50 {
      let client = try await PolledClient.start(in: room)
      seen.formUnion([client.key.id, client.key.password])
    }
    #expect(seen.count == 100)
  }

  @Test func `a database that does not exist shuts the client down`() async throws {
    let room = try await FirebaseRoom()
    let start = try await TestPoll.send("start=t&ser=1&cb=4&v=5&ns=nowhere", to: room.services, on: room.loop)
    await room.settle()
    let script = try #require(start.script)
    #expect(script.messages.count == 1 && script.messages[0].number == 0)
    #expect(script.messages[0].texts[0].hasPrefix(#"{"t":"c","d":{"t":"s","d":"Firebase error. "#))
    #expect(room.services.polling.count == 0)
  }

  @Test func `a database that can't be opened now ends the session and lets the client try again`()
    async throws
  {
    let room = try await FirebaseRoom()
    room.directory.set("broken", .failure(.failed("disk")))
    let start = try await TestPoll.send("start=t&ser=1&cb=4&v=5&ns=broken", to: room.services, on: room.loop)
    await room.settle()
    let script = try #require(start.script)
    #expect(script.messages.isEmpty && script.close == .some(nil))
    #expect(room.services.polling.count == 0)
  }

  @Test(arguments: ["POST", "HEAD", "OPTIONS", "PUT", "DELETE"])
  func `nothing but GET is answered`(method: String) async throws {
    let room = try await FirebaseRoom()
    let poll = try await TestPoll.send("start=t&cb=1", to: room.services, on: room.loop, method: method)
    #expect(poll.answer?.status == 405)
    #expect(room.services.polling.count == 0)
  }

  @Test func `what makes no sense is refused without a word of it in the answer`() async throws {
    let room = try await FirebaseRoom()
    for query in ["start=t&cb=alert(1)//", "start=t&cb=1%22;x", "id=a&pw=b&ser=<script>", "x"] {
      let poll = try await TestPoll.send(query, to: room.services, on: room.loop)
      #expect(poll.answer?.status == 400)
      #expect(poll.answer?.body == "")
    }
    #expect(room.services.polling.count == 0)
  }

  // MARK: Polls

  @Test func `a poll is held until there is something to say`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    #expect(client.openPolls.count == 1 && client.openPolls[0].answer == nil)
    let idle = client.openPolls[0]
    try await client.send(burst: [PollingTests.listen])
    #expect(client.received() == [PollingTests.greeting(), ok(1, "{}")])
    #expect(idle.script?.messages.map(\.texts) == [[]], "the second poll releases the first, with nothing")
    let writer = try await room.connect(onOtherLoop: true)
    let waiting = try #require(client.openPolls.first)
    #expect(waiting.answer == nil)
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#)
    #expect(client.received() == [PollingTests.set(1)])
    #expect(waiting.answer != nil)
  }

  @Test func `a poll is held for its time and then answered with nothing`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    let poll = try #require(client.openPolls.first)
    await room.loop.advanceTime(by: .seconds(24))
    #expect(poll.answer == nil)
    await room.loop.advanceTime(by: .seconds(1))
    #expect(poll.script?.messages.map(\.number) == [1])
    #expect(poll.script?.messages.map(\.texts) == [[]])
    // The time is that of each poll, not of the session.
    await room.loop.advanceTime(by: .seconds(10))
    try await client.refresh()
    let next = try #require(client.openPolls.first)
    await room.loop.advanceTime(by: .seconds(24))
    #expect(next.answer == nil)
    await room.loop.advanceTime(by: .seconds(1))
    #expect(next.answer != nil)
  }

  @Test func `a lost answer is given again, and its messages count once`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    let query = client.query(serial: 2000, client.segments([PollingTests.put]))
    let first = try await TestPoll.send(query, to: room.services, on: room.loop)
    await room.settle()
    let again = try await TestPoll.send(query, to: room.services, on: room.otherLoop)
    await room.settle()
    #expect(first.script?.messages.map(\.texts) == [[ok(1)]])
    #expect(again.answer?.body == first.answer?.body)
  }

  @Test func `a poll that is repeated while it is held takes the place of its copy`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    try await client.send(burst: [PollingTests.listen])
    _ = client.received()
    let query = client.query(serial: 2000)
    let first = try await TestPoll.send(query, to: room.services, on: room.loop)
    await room.settle()
    let again = try await TestPoll.send(query, to: room.services, on: room.otherLoop)
    await room.settle()
    #expect(first.answer?.body == "", "no number goes where nobody reads it")
    #expect(again.answer == nil)
    let writer = try await room.connect()
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#)
    #expect(again.script?.messages.map(\.texts) == [[PollingTests.set(1)]])
  }

  @Test func `the number of a poll whose peer has left goes to the next`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    try await client.openPolls[0].leave()
    await room.settle()
    let next = try await client.poll(client.segments([PollingTests.put]))
    #expect(next.script?.messages.map(\.number) == [1])
    #expect(next.script?.messages.map(\.texts) == [[ok(1)]])
  }

  @Test func `a poll that another has overtaken brings its messages and is answered at once`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    let first = client.segments([PollingTests.put])
    let second = client.segments([#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/a"}}}"#])
    let overtaking = try await TestPoll.send(
      client.query(serial: 3001, second), to: room.services, on: room.loop)
    await room.settle()
    #expect(overtaking.answer == nil, "what came before is missing")
    let overtaken = try await TestPoll.send(
      client.query(serial: 3000, first), to: room.services, on: room.loop)
    await room.settle()
    let answers = [overtaken, overtaking].compactMap(\.script).flatMap(\.messages)
    #expect(answers.count == 2)
    #expect(answers.sorted { $0.number < $1.number }.flatMap(\.texts) == [ok(1), ok(2, "1")])
  }

  @Test func `what happens between polls waits for the next, in order`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room, on: room.otherLoop)
    try await client.send(burst: [PollingTests.listen])
    _ = client.received()
    let writer = try await room.connect()
    for value in 1...20 {
      try await writer.send(#"{"t":"d","d":{"r":\#(value),"a":"p","b":{"p":"/a","d":\#(value)}}}"#)
    }
    try await client.refresh()
    #expect(client.received() == (1...20).map { PollingTests.set($0) })
    #expect(room.services.polling.bytesWaiting == 0)
  }

  @Test func `a poll may come on a connection of any loop`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room, on: room.loop)
    for number in 1...10 {
      let message = #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/a","d":\#(number)}}}"#
      try await client.poll(client.segments([message]), on: number % 2 == 0 ? room.loop : room.otherLoop)
      try await client.refresh()
    }
    #expect(client.received() == [PollingTests.greeting()] + (1...10).map { ok($0) })
  }

  @Test func `a large message comes in many pieces over many polls`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    let value = String(repeating: "語x\u{2028}", count: 5_000)
    let message = #"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#
    let all = client.segments([message]).split(separator: "&").map { "&" + $0 }
    // Three parameters a piece, one piece a poll.
    for start in stride(from: 0, to: all.count, by: 3) {
      let index = start / 3
      let piece = all[start..<start + 3].joined()
        .replacing("seg\(index)=", with: "seg0=").replacing("ts\(index)=", with: "ts0=")
        .replacing("&d\(index)=", with: "&d0=")
      try await client.poll(piece)
      client.collect()
    }
    try await client.send(burst: [#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/a"}}}"#])
    let escaped = value.replacing("\u{2028}", with: #"\u2028"#)
    #expect(client.received() == [PollingTests.greeting(), ok(1), ok(2, "\"\(escaped)\"")])
    #expect(client.noise.isEmpty)
  }

  @Test func `a request over the limit is too big, and the session lives on`() async throws {
    let room = try await FirebaseRoom(limits: FirebaseLimits(messageBytes: 1000))
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    let long = String(repeating: "x", count: 1000)
    try await client.send(burst: [#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(long)"}}}"#])
    #expect(client.received() == [refused(1, "too_big", "The request is larger than 16 MB")])
    try await client.send(burst: [#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/a"}}}"#])
    #expect(client.received() == [ok(2, "null")])
  }
}

import Engine
import FirebaseWire
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@Suite struct ConnectionTests {
  private static let hello =
    #"{"t":"c","d":{"t":"h","d":{"ts":1700000000123,"v":"5","h":"db.example.com:9000","#
    + #""s":"session0000000000000000000000001"}}}"#

  // MARK: Opening

  @Test func `the greeting is the first message`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect()
    #expect(client.received() == [ConnectionTests.hello])
  }

  @Test func `a database that does not exist shuts the client down`() async throws {
    let room = try await FirebaseRoom()
    room.directory.set("off", .failure(.disabled("Closed for the winter")))
    for (name, reason) in [
      (
        "nowhere",
        "Firebase error. Please ensure that you have the URL of your Firebase Realtime Database instance "
          + "configured correctly."
      ),
      ("off", "Closed for the winter"), ("not%20a$name", nil),
    ] {
      let client = try await room.connect("v=5&ns=\(name)")
      let messages = client.received()
      #expect(messages.count == 1)
      if let reason { #expect(messages == [#"{"t":"c","d":{"t":"s","d":"\#(reason)"}}"#]) }
      #expect(client.link.closes == [1000])
      try await client.send(#"{"t":"d","d":{"r":1,"a":"s","b":{}}}"#)
      #expect(client.received() == [])
      try await client.drop()
    }
  }

  @Test func `a database that can't be opened now ends the connection and lets the client try again`()
    async throws
  {
    let room = try await FirebaseRoom()
    room.directory.set("broken", .failure(.failed("disk")))
    let client = try await room.connect("v=5&ns=broken")
    #expect(client.received() == [])
    #expect(client.link.closes == [1013])
  }

  @Test func `requests that come before the database is open wait for it`() async throws {
    let room = try await FirebaseRoom()
    room.directory.set("slow", room.directory.get("default"))
    let client = try await room.connect("v=5&ns=slow", onOtherLoop: true)
    try await client.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#)
    #expect(client.received() == [ConnectionTests.hello, ok(1)])
  }

  // MARK: Frames

  @Test func `a request in chunks is one request, and a long value comes back in chunks`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect(onOtherLoop: true)
    _ = client.received()
    let value = String(repeating: "語x", count: 100_000)
    let message = #"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#
    let units = Array(message.utf16)
    let chunks = stride(from: 0, to: units.count, by: 16_384).map {
      String(decoding: units[$0..<min($0 + 16_384, units.count)], as: UTF16.self)
    }
    try await client.send("\(chunks.count)")
    for chunk in chunks { try await client.send(chunk) }
    #expect(client.received() == [ok(1)])
    try await client.send(#"{"t":"d","d":{"r":2,"a":"q","b":{"p":"/a","h":""}}}"#)
    #expect(client.received() == [#"{"t":"d","d":{"a":"d","b":{"p":"a","d":"\#(value)"}}}"#, ok(2, "{}")])
  }

  @Test func `signs of life, binary frames and noise are left out of account`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect()
    _ = client.received()
    try await client.send("0", "", "0", "{", "null")
    try await client.send(burst: [#"{"t":"d","d":{"r":1,"a":"s","b":{}}}"#], isText: false)
    #expect(client.received() == [])
    try await client.send("0", #"{"t":"d","d":{"r":2,"a":"s","b":{}}}"#)
    #expect(client.received() == [ok(2)])
    #expect(client.link.closes == [])
  }

  @Test func `a request over the limit is too big, and the connection lives on`() async throws {
    let room = try await FirebaseRoom(limits: FirebaseLimits(messageBytes: 1000))
    let client = try await room.connect()
    _ = client.received()
    let long = String(repeating: "x", count: 1000)
    try await client.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(long)"}}}"#)
    #expect(client.received() == [refused(1, "too_big", "The request is larger than 16 MB")])
    try await client.send("3", #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/a","d":""#, long, #""}}}"#)
    #expect(client.received() == [refused(2, "too_big", "The request is larger than 16 MB")])
    try await client.send(#"{"t":"d","d":{"r":3,"a":"g","b":{"p":"/a"}}}"#)
    #expect(client.received() == [ok(3, "null")])
    try await client.send(long + "x")
    #expect(client.link.closes == [1009])
  }

  // MARK: Turns

  @Test func `what one read brings is answered with one send`() async throws {
    for onOtherLoop in [false, true] {
      let room = try await FirebaseRoom()
      let client = try await room.connect(onOtherLoop: onOtherLoop)
      _ = client.received()
      let before = client.link.flushes
      let burst = (1...16).map { #"{"t":"d","d":{"r":\#($0),"a":"p","b":{"p":"/a/k\#($0)","d":\#($0)}}}"# }
      try await client.send(burst: burst)
      #expect(client.received() == (1...16).map { ok($0) })
      #expect(client.link.flushes == before + 1)
    }
  }

  @Test func `pushes and replies keep their order across loops`() async throws {
    let room = try await FirebaseRoom()
    let writer = try await room.connect()
    let listener = try await room.connect(onOtherLoop: true)
    try await listener.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/a","h":""}}}"#)
    _ = writer.received()
    _ = listener.received()
    for i in 1...50 {
      try await writer.send(#"{"t":"d","d":{"r":\#(i),"a":"p","b":{"p":"/a","d":\#(i)}}}"#)
    }
    #expect(writer.received() == (1...50).map { ok($0) })
    #expect(listener.received() == (1...50).map { #"{"t":"d","d":{"a":"d","b":{"p":"a","d":\#($0)}}}"# })
  }

  @Test func `a write that can't be made durable fails and reads go on`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect()
    _ = client.received()
    room.log.next(.failure(.diskFull("no space left")))
    try await client.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#)
    #expect(client.received() == [refused(1, "unavailable", "The database can't take writes at the moment")])
    try await client.send(#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/a"}}}"#)
    #expect(client.received() == [ok(2, "null")])
  }

  // MARK: Expiry and the end

  @Test func `a credential that ends is taken back in time`() async throws {
    let rules = #"{"rules":{".read":"auth !== null"}}"#
    let room = try await FirebaseRoom(rules: rules)
    let client = try await room.connect()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"auth","b":{"cred":"user:u:1700000060"}}}"#)
    try await client.send(#"{"t":"d","d":{"r":2,"a":"q","b":{"p":"/a","h":""}}}"#)
    _ = client.received()
    room.clock.advance(milliseconds: 50_000)
    await room.loop.advanceTime(by: .seconds(50))
    await room.settle()
    #expect(client.received() == [])
    room.clock.advance(milliseconds: 10_000)
    await room.loop.advanceTime(by: .seconds(10))
    await room.settle()
    #expect(
      client.received() == [
        #"{"t":"d","d":{"a":"ac","b":{"s":"expired_token","d":"Auth token is expired."}}}"#,
        #"{"t":"d","d":{"a":"c","b":{"p":"a"}}}"#,
      ])
  }

  @Test func `while keys for a credential are fetched everything waits in order`() async throws {
    let room = try await FirebaseRoom(rules: #"{"rules":{".read":"auth !== null"}}"#)
    let client = try await room.connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"auth","b":{"cred":"fetch:user:u"}}}"#)
    try await client.send(#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/a"}}}"#)
    #expect(client.received() == [])
    room.fetching.arrive()
    await room.settle()
    let answers = client.received()
    #expect(answers.count == 2 && answers.first?.contains(#""uid":"u""#) == true)
    #expect(answers.last == ok(2, "null"))
    try await client.send(#"{"t":"d","d":{"r":3,"a":"auth","b":{"cred":"fetch:expired"}}}"#)
    room.fetching.arrive()
    await room.settle()
    #expect(client.received().first?.contains("expired_token") == true)
    try await client.send(#"{"t":"d","d":{"r":4,"a":"auth","b":{"cred":"fetch:user:u"}}}"#)
    try await client.drop()
    room.fetching.arrive()
    await room.settle()
    #expect(client.received() == [])
  }

  @Test func `an expiry in the far future or in the past is no matter`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"auth","b":{"cred":"user:u:9223372036854775807"}}}"#)
    #expect(client.received().count == 1)
    await room.loop.advanceTime(by: .hours(100))
    await room.settle()
    #expect(client.received() == [])
    try await client.send(#"{"t":"d","d":{"r":2,"a":"auth","b":{"cred":"user:u:-9223372036854775808"}}}"#)
    await room.loop.advanceTime(by: .seconds(1))
    await room.settle()
    #expect(client.received().count == 2)
    try await client.drop()
    await room.loop.advanceTime(by: .hours(100))
  }

  @Test func `after the end nothing is sent and nothing is held`() async throws {
    let room = try await FirebaseRoom()
    let writer = try await room.connect()
    let client = try await room.connect()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/a","h":""}}}"#)
    _ = client.received()
    try await client.drop()
    try await client.drop()
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":1}}}"#)
    try await client.send(#"{"t":"d","d":{"r":2,"a":"s","b":{}}}"#)
    #expect(client.received() == [])
  }
}

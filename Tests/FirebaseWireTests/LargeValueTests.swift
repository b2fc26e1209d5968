import Engine
import FirebaseWire
import JSONTree
import NIOCore
import TestSupport
import Testing
import Transport

/// A large value is made into text beside the loop. What is told meanwhile waits, and everything leaves in
/// order.
struct LargeValueTests {
  private let work = HeldWork()
  private static let text = String(repeating: "x", count: LongWork.shortBytes)
  private static let large = #"{"big":{"a":"\#(text)","n":1},"small":{"k":true}}"#

  private func room(limits: FirebaseLimits = .standard) async throws -> FirebaseRoom {
    let room = try await FirebaseRoom(limits: limits, longWork: work.longWork)
    let value = try Node.parse(Self.large)
    try await room.enter { $0.write(.put(.root, value), tag: 1, client: $1) }
    return room
  }

  private func made(_ room: FirebaseRoom) async {
    work.run()
    await room.settle()
  }

  private func short(_ messages: [String]) -> [String] {
    messages.map { $0.replacing(Self.text, with: "LONG") }
  }

  @Test func `a listen of a large value is told before everything that came later`() async throws {
    let room = try await room()
    let client = try await room.connect()
    let writer = try await room.connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/big","h":""}}}"#)
    #expect(work.count == 1)
    #expect(client.received() == [])
    // A change, the writer's answer to it, and a read of one's own.
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/big/n","d":2}}}"#)
    #expect(writer.received().last == #"{"t":"d","d":{"r":1,"b":{"s":"ok","d":""}}}"#)
    try await client.send(#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/small"}}}"#)
    #expect(client.received() == [])
    await made(room)
    #expect(
      short(client.received()) == [
        #"{"t":"d","d":{"a":"d","b":{"p":"big","d":{"a":"LONG","n":1}}}}"#,
        #"{"t":"d","d":{"r":1,"b":{"s":"ok","d":{}}}}"#,
        #"{"t":"d","d":{"a":"d","b":{"p":"big/n","d":2}}}"#,
        #"{"t":"d","d":{"r":2,"b":{"s":"ok","d":{"k":true}}}}"#,
      ])
    #expect(work.count == 0)
  }

  @Test func `large values follow each other`() async throws {
    let room = try await room()
    let client = try await room.connect()
    _ = client.received()
    try await client.send(
      #"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/big"}}}"#, #"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/"}}}"#,
      #"{"t":"d","d":{"r":3,"a":"g","b":{"p":"/small"}}}"#)
    #expect(work.count == 1)
    await made(room)
    #expect(
      short(client.received()) == [#"{"t":"d","d":{"r":1,"b":{"s":"ok","d":{"a":"LONG","n":1}}}}"#])
    #expect(work.count == 1)
    await made(room)
    #expect(
      short(client.received()) == [
        #"{"t":"d","d":{"r":2,"b":{"s":"ok","d":{"big":{"a":"LONG","n":1},"small":{"k":true}}}}}"#,
        #"{"t":"d","d":{"r":3,"b":{"s":"ok","d":{"k":true}}}}"#,
      ])
  }

  @Test func `a listen that ends before its value is made is answered in order`() async throws {
    let room = try await room()
    let client = try await room.connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/big","h":""}}}"#)
    try await client.send(#"{"t":"d","d":{"r":2,"a":"n","b":{"p":"/big"}}}"#)
    await made(room)
    #expect(
      short(client.received()) == [
        #"{"t":"d","d":{"a":"d","b":{"p":"big","d":{"a":"LONG","n":1}}}}"#,
        #"{"t":"d","d":{"r":1,"b":{"s":"ok","d":{}}}}"#, #"{"t":"d","d":{"r":2,"b":{"s":"ok","d":""}}}"#,
      ])
  }

  @Test func `a client that holds the value is sent nothing of it`() async throws {
    let room = try await room()
    let client = try await room.connect()
    _ = client.received()
    let hash = try Node.parse(Self.large).simpleHash
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/","h":"\#(hash)"}}}"#)
    #expect(work.count == 1)
    await made(room)
    #expect(client.received() == [#"{"t":"d","d":{"r":1,"b":{"s":"ok","d":{}}}}"#])
  }

  @Test func `a client that leaves before its value is made leaves nothing`() async throws {
    let room = try await room()
    let client = try await room.connect()
    _ = client.received()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/big","h":""}}}"#)
    try await client.drop()
    await made(room)
    #expect(client.received() == [])
  }

  @Test func `what waits for a large value has a bound`() async throws {
    var limits = FirebaseLimits.standard
    limits.backlogBytes = 10_000
    let room = try await room(limits: limits)
    let client = try await room.connect()
    let writer = try await room.connect()
    try await client.send(#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/","h":""}}}"#)
    for number in 1...9 {
      let text = String(repeating: "y", count: 900)
      try await writer.send(
        #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/small/\#(number)","d":"\#(text)"}}}"#)
    }
    #expect(client.link.closes == [])
    try await writer.send(
      #"{"t":"d","d":{"r":10,"a":"p","b":{"p":"/small","d":"\#(String(repeating: "z", count: 900))"}}}"#)
    #expect(client.link.closes == [1013])
    try await writer.send(#"{"t":"d","d":{"r":11,"a":"p","b":{"p":"/small","d":1}}}"#)
    #expect(client.link.closes == [1013])
  }
}

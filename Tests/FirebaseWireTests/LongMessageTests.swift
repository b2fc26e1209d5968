import Engine
import FirebaseWire
import JSONTree
import TestSupport
import Testing

/// A long message is read beside the loop; what its client sends meanwhile waits for it.
struct LongMessageTests {
  private let work = HeldWork()
  private static let text = String(repeating: "x", count: LongWork.shortBytes)
  private static let long = #"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(text)"}}}"#

  private func ok(_ number: Int, _ value: String = #""""#) -> String {
    #"{"t":"d","d":{"r":\#(number),"b":{"s":"ok","d":\#(value)}}}"#
  }

  @Test func `what follows a long message is done after it, and others do not wait`() async throws {
    let room = try await FirebaseRoom(longWork: work.longWork)
    let (client, other) = (try await room.connect(), try await room.connect())
    _ = (client.received(), other.received())
    try await client.send(
      Self.long, #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/a","d":2}}}"#, #"{"t":"c","d":{"t":"p","d":{}}}"#)
    try await client.send(#"{"t":"d","d":{"r":3,"a":"g","b":{"p":"/a"}}}"#)
    #expect(client.received() == [])
    try await other.send(#"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/a"}}}"#)
    #expect(other.received() == [ok(1, "null")])
    work.run()
    await room.settle()
    let received = client.received()
    #expect(received.first == #"{"t":"c","d":{"t":"o","d":null}}"#)
    #expect(received.dropFirst() == [ok(1), ok(2), ok(3, "2")])
  }

  @Test func `long messages follow each other`() async throws {
    let room = try await FirebaseRoom(longWork: work.longWork)
    let client = try await room.connect()
    _ = client.received()
    try await client.send(
      Self.long, #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/b","d":"\#(Self.text)"}}}"#,
      #"{"t":"d","d":{"r":3,"a":"p","b":{"p":"/c","d":1}}}"#)
    work.run()
    await room.settle()
    #expect(client.received() == [ok(1)])
    #expect(work.count == 1)
    work.run()
    await room.settle()
    #expect(client.received() == [ok(2), ok(3)])
  }

  @Test func `a long message that makes no sense is refused in its turn`() async throws {
    let room = try await FirebaseRoom(longWork: work.longWork)
    let client = try await room.connect()
    _ = client.received()
    try await client.send(Self.long + "x", #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/b","d":1}}}"#)
    work.run()
    await room.settle()
    let received = client.received()
    #expect(received.count == 2)
    #expect(received.first?.contains(#""r":1,"b":{"s":"invalid_parameters""#) == true, "\(received)")
    #expect(received.last == ok(2))
  }

  @Test func `a client that is gone before its message is read writes nothing`() async throws {
    let room = try await FirebaseRoom(longWork: work.longWork)
    let (client, other) = (try await room.connect(), try await room.connect())
    _ = other.received()
    try await client.send(Self.long, #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/b","d":1}}}"#)
    try await client.drop()
    work.run()
    await room.settle()
    try await other.send(#"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/"}}}"#)
    #expect(other.received() == [ok(1, "null")])
  }

  @Test func `what waits for a long message has a bound`() async throws {
    var limits = FirebaseLimits.standard
    limits.waitingBytes = 10_000
    let room = try await FirebaseRoom(limits: limits, longWork: work.longWork)
    let client = try await room.connect()
    try await client.send(Self.long)
    let text = String(repeating: "y", count: 900)
    for number in 2...10 {
      try await client.send(#"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/b","d":"\#(text)"}}}"#)
    }
    #expect(client.link.closes == [])
    try await client.send(#"{"t":"d","d":{"r":11,"a":"p","b":{"p":"/b","d":"\#(text)"}}}"#)
    #expect(client.link.closes == [1008])
    try await client.send(#"{"t":"d","d":{"r":12,"a":"p","b":{"p":"/b","d":1}}}"#)
    #expect(client.link.closes == [1008])
  }
}

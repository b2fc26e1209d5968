import FirebaseWire
import NIOCore
import NIOEmbedded
import Testing

/// Sessions that begin with long polling and go on over a WebSocket.
@Suite struct MovingTests {
  private static let name = "session0000000000000000000000001"
  private static let reset = #"{"t":"c","d":{"t":"r","d":"db.example.com:9000"}}"#

  private func put(_ number: Int, _ value: Int) -> String {
    #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/a","d":\#(value)}}}"#
  }

  @Test(arguments: [false, true])
  func `nothing is lost or disordered while a session moves`(onOtherLoop: Bool) async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    try await polled.send(burst: [PollingTests.listen])
    #expect(polled.received() == [PollingTests.greeting(), ok(1, "{}")])
    let writer = try await room.connect()
    let socket = try await room.connect("v=5&ns=default&s=\(MovingTests.name)", onOtherLoop: onOtherLoop)
    #expect(socket.received() == [MovedClient.ready], "no greeting")
    try await socket.send(MovedClient.ping)
    #expect(socket.received() == [MovedClient.pong])
    // Until the client says that it has moved, pushes come by polls.
    try await writer.send(put(1, 1))
    try await polled.refresh()
    #expect(polled.received() == [PollingTests.set(1)])
    // What it sends on the socket comes first, and has to wait for what it has sent by polls.
    try await socket.send(MovedClient.ready, put(3, 3), put(4, 4))
    #expect(socket.received() == [])
    try await polled.send(burst: [put(2, 2), MovedClient.end])
    let byPolls = polled.received()
    #expect(byPolls.last == MovedClient.end)
    let all = byPolls.dropLast() + socket.received()
    #expect(all.filter { $0.contains(#""a":"d""#) } == (2...4).map { PollingTests.set($0) })
    #expect(all.filter { $0.contains(#""r":"#) } == (2...4).map { ok($0) })
    #expect(all.firstIndex(of: PollingTests.set(4)) ?? .max < all.firstIndex(of: ok(4)) ?? 0)
    #expect(polled.isClosed)
    try await writer.send(put(2, 5))
    #expect(socket.received() == [PollingTests.set(5)])
    #expect(room.services.polling.count == 0)
  }

  @Test func `leaving the page of polls after the move ends nothing`() async throws {
    let room = try await FirebaseRoom()
    let client = try await MovedClient.start(in: room, "v=5&ns=default")
    try await client.send(burst: [#"{"t":"d","d":{"r":1,"a":"o","b":{"p":"/gone","d":true}}}"#])
    try await client.polled.drop()
    await room.loop.advanceTime(by: .minutes(10))
    try await client.send(burst: [#"{"t":"d","d":{"r":2,"a":"g","b":{"p":"/gone"}}}"#])
    #expect(client.received() == [PollingTests.greeting(), ok(1), ok(2, "null")])
    try await client.drop()
    let reader = try await room.connect()
    try await reader.send(#"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/gone"}}}"#)
    #expect(reader.received().last == ok(1, "true"), "the session ends with its socket")
  }

  @Test func `long values come in chunks on the socket, whoever listened by polls`() async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    try await polled.send(burst: [PollingTests.listen])
    let socket = try await room.connect("v=5&ns=default&s=\(MovingTests.name)")
    try await polled.send(burst: [MovedClient.end])
    _ = socket.received()
    let value = String(repeating: "x", count: 50_000)
    let writer = try await room.connect()
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#)
    #expect(socket.received() == [#"{"t":"d","d":{"a":"d","b":{"p":"a","d":"\#(value)"}}}"#])
  }

  @Test func `a session that is not there can't move`() async throws {
    let room = try await FirebaseRoom()
    let direct = try await room.connect()
    for name in ["abc", MovingTests.name] {
      let socket = try await room.connect("v=5&ns=default&s=\(name)")
      #expect(socket.received() == [MovingTests.reset], "a session that a WebSocket carries does not move")
      #expect(socket.link.closes == [1000])
      try await socket.send(put(1, 1))
      #expect(socket.received() == [])
    }
    _ = direct
  }

  @Test func `one socket is enough`() async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    let first = try await room.connect("v=5&ns=default&s=\(MovingTests.name)")
    let second = try await room.connect("v=5&ns=default&s=\(MovingTests.name)", onOtherLoop: true)
    #expect(first.received() == [MovedClient.ready])
    #expect(second.received() == [MovingTests.reset])
    try await second.drop()
    try await polled.send(burst: [MovedClient.end])
    try await first.send(put(1, 1))
    #expect(first.received() == [ok(1)])
  }

  @Test func `a socket that fails before the move leaves the session where it is`() async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    _ = polled.received()
    let socket = try await room.connect("v=5&ns=default&s=\(MovingTests.name)", onOtherLoop: true)
    try await socket.drop()
    try await polled.send(burst: [put(1, 1)])
    #expect(polled.received() == [ok(1)])
    let again = try await room.connect("v=5&ns=default&s=\(MovingTests.name)")
    #expect(again.received() == [MovedClient.ready])
  }

  @Test func `a client that has moved to nowhere is told to begin anew`() async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    try await polled.send(burst: [MovedClient.end])
    polled.collect()
    #expect(polled.isClosed)
    #expect(room.services.polling.count == 0)
  }

  @Test func `a page that leaves takes the socket with it that it has not moved to`() async throws {
    let room = try await FirebaseRoom()
    let polled = try await PolledClient.start(in: room)
    let socket = try await room.connect("v=5&ns=default&s=\(MovingTests.name)", onOtherLoop: true)
    _ = socket.received()
    try await polled.drop()
    #expect(socket.received() == [MovingTests.reset])
    #expect(socket.link.closes == [1000])
  }

  @Test func `what may wait on the socket for the move is bounded`() async throws {
    var limits = PollLimits()
    limits.movingBytes = 1000
    let room = try await FirebaseRoom(pollLimits: limits)
    let polled = try await PolledClient.start(in: room)
    let socket = try await room.connect("v=5&ns=default&s=\(MovingTests.name)")
    _ = socket.received()
    for number in 1...100 { try await socket.send(put(number, 1)) }
    polled.collect()
    #expect(polled.isClosed)
    #expect(socket.received() == [MovingTests.reset])
    #expect(room.services.polling.count == 0)
  }

  @Test func `an end of transmission on a WebSocket means nothing`() async throws {
    let room = try await FirebaseRoom()
    let client = try await room.connect()
    _ = client.received()
    try await client.send(MovedClient.end, put(1, 1))
    #expect(client.received() == [ok(1)])
  }
}

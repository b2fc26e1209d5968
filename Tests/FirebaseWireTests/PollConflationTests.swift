import FirebaseWire
import NIOCore
import NIOEmbedded
import Testing
import TestSupport
import Transport

/// Clients of long polling that stop polling, and moved ones that stop reading, while the tree changes.
@Suite struct PollConflationTests {
  private static func put(_ number: Int, _ value: String) -> String {
    #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#
  }

  private static func pushed(_ value: String) -> String {
    #"{"t":"d","d":{"a":"d","b":{"p":"a","d":"\#(value)"}}}"#
  }

  private static func text(_ number: Int) -> String { "\(number) " + String(repeating: "x", count: 1000) }

  private var limits: PollLimits {
    var limits = PollLimits()
    limits.conflationBytes = 8 * 1024
    limits.budgetBytes = 32 * 1024
    return limits
  }

  @Test func `a client that does not poll costs a bounded wait, and sees the value when it polls again`()
    async throws
  {
    let room = try await FirebaseRoom(pollLimits: limits)
    let client = try await PolledClient.start(in: room)
    let writer = try await room.connect()
    try await client.send(burst: [PollingTests.listen])
    #expect(client.received() == [PollingTests.greeting(), ok(1, "{}")])
    var most = 0
    // Five times what may wait at most.
    for number in 1...160 {
      try await writer.send(Self.put(number, Self.text(number)))
      most = max(most, room.services.polling.bytesWaiting)
    }
    #expect(most > limits.conflationBytes && most < limits.conflationBytes + 2048)
    #expect(room.services.polling.count == 1)
    try await client.refresh()
    await room.settle()
    try await client.refresh()
    let received = client.received()
    #expect(!client.isClosed)
    #expect(received.last == Self.pushed(Self.text(160)))
    #expect(received.count < 16, "\(received.count) messages")
    // From here on every change comes again.
    for number in 161...163 {
      try await writer.send(Self.put(number, "\(number)"))
      try await client.refresh()
    }
    #expect(client.received() == (161...163).map { Self.pushed("\($0)") })
    #expect(room.services.polling.bytesWaiting == 0)
  }

  @Test func `its own write is acknowledged after its listen shows it, behind or not`() async throws {
    let room = try await FirebaseRoom(pollLimits: limits)
    let client = try await PolledClient.start(in: room)
    let writer = try await room.connect()
    try await client.send(burst: [PollingTests.listen])
    for number in 1...40 { try await writer.send(Self.put(number, Self.text(number))) }
    _ = client.received()
    try await client.send(burst: [Self.put(2, "own")])
    try await client.refresh()
    let received = client.received()
    let shown = try #require(received.lastIndex(of: Self.pushed("own")))
    let told = try #require(received.firstIndex(of: ok(2)))
    #expect(shown < told, "\(received.suffix(4))")
  }

  @Test func `a session that moves while it is behind is told on its socket`() async throws {
    let room = try await FirebaseRoom(pollLimits: limits)
    let polled = try await PolledClient.start(in: room)
    let writer = try await room.connect()
    try await polled.send(burst: [PollingTests.listen])
    let socket = try await room.connect("v=5&ns=default&s=session0000000000000000000000001")
    for number in 1...40 { try await writer.send(Self.put(number, Self.text(number))) }
    _ = socket.received()
    try await polled.send(burst: [MovedClient.end])
    await room.settle()
    #expect(socket.received().last == Self.pushed(Self.text(40)))
    try await writer.send(Self.put(41, "on"))
    #expect(socket.received() == [Self.pushed("on")])
  }

  @Test func `a moved session whose socket is read too slowly is told the value once it is read again`()
    async throws
  {
    let room = try await FirebaseRoom()
    let client = try await MovedClient.start(in: room, "v=5&ns=default")
    let writer = try await room.connect()
    try await client.send(burst: [PollingTests.listen])
    #expect(client.received() == [PollingTests.greeting(), ok(1, "{}")])
    try await client.socket.tell { $0.fellBehind() }
    for number in 1...5 { try await writer.send(Self.put(number, "\(number)")) }
    #expect(client.received() == [])
    try await client.socket.tell { $0.caughtUp() }
    #expect(client.received() == [Self.pushed("5")])
    try await writer.send(Self.put(6, "6"))
    #expect(client.received() == [Self.pushed("6")])
    // Behind, and nothing missed.
    try await client.socket.tell { $0.fellBehind() }
    try await client.socket.tell { $0.caughtUp() }
    try await writer.send(Self.put(7, "7"))
    #expect(client.received() == [Self.pushed("7")])
  }
}

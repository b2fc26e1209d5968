import EngineIOWire
import TestSupport
import Testing

/// Sessions that move from polls to a WebSocket.
@Suite struct UpgradeTests {
  /// A polled session that has been greeted.
  private func polled(_ room: EngineRoom, _ revision: Int) async throws -> EngineClient {
    let client = try await EngineClient(port: room.port, revision: revision, carrier: .polling)
    if revision == 4 { try await client.send("40") }
    #expect(try await client.nextPacket().hasPrefix("40"))
    #expect(try await client.nextPacket().hasPrefix(#"42["wd",{"t":"c""#))
    return client
  }

  private func text(_ socket: WireClient) async throws -> String {
    String(decoding: try await socket.readFrame().payload, as: UTF8.self)
  }

  private let put = #"42["wd",{"t":"d","d":{"r":1,"a":"p","b":{"p":"/x","d":1}}}]"#
  private let done = #"42["wd",{"t":"d","d":{"r":1,"b":{"s":"ok","d":""}}}]"#

  @Test(arguments: [3, 4])
  func `the poll that waits is sent away when the WebSocket works`(revision: Int) async throws {
    try await EngineRoom.run { room in
      let client = try await polled(room, revision)
      try await client.beginPoll()
      let socket = try await client.openUpgrade()
      try await socket.send(.text("2probe"))
      #expect(try await text(socket) == "3probe")
      #expect(try await client.finishPoll() == ["6"])
      // What comes meanwhile by the old way is taken, and its answer waits.
      try await client.send(put)
      try await socket.send(.text("5"))
      #expect(try await text(socket) == done)
      try await socket.send(.text(#"42["wd",{"t":"d","d":{"r":2,"a":"p","b":{"p":"/x","d":2}}}]"#))
      #expect(try await text(socket).contains(#""r":2"#))
      await #expect(throws: WireClient.Failure.self) { try await client.poll() }
      #expect(try await client.post(Array("1:2".utf8)).status == 400)
      // A second WebSocket finds nothing to take over.
      let second = try await client.openUpgrade()
      #expect(try await second.readFrame().closeCode == 1002)
      try await socket.send(.text(#"42["wd",{"t":"d","d":{"r":3,"a":"p","b":{"p":"/x","d":3}}}]"#))
      #expect(try await text(socket).contains(#""r":3"#))
    }
  }

  @Test func `a poll that comes while the WebSocket is tried is sent away at once`() async throws {
    try await EngineRoom.run { room in
      let client = try await polled(room, 4)
      let socket = try await client.openUpgrade()
      try await socket.send(.text("2probe"))
      #expect(try await text(socket) == "3probe")
      #expect(try await client.poll() == ["6"])
      try await client.send(put)
      #expect(try await client.poll() == [done])
    }
  }

  @Test(arguments: ["5", "40", "2", "2probe2", "x", #"42["wd",{}]"#])
  func `a WebSocket that does not ask first is closed, and the polls go on`(first: String) async throws {
    try await EngineRoom.run { room in
      let client = try await polled(room, 3)
      let socket = try await client.openUpgrade()
      try await socket.send(.text(first))
      #expect(try await socket.readFrame().closeCode == 1002)
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
      try await client.upgrade()
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
    }
  }

  @Test func `a WebSocket that is lost before it has taken over leaves the polls as they were`() async throws
  {
    try await EngineRoom.run { room in
      let client = try await polled(room, 4)
      for probes in [false, true] {
        let socket = try await client.openUpgrade()
        if probes {
          try await socket.send(.text("2probe"))
          #expect(try await text(socket) == "3probe")
        }
        socket.reset()
        try await client.send(put)
        #expect(try await client.nextPacket() == done)
      }
      while true {
        // The server may still have to notice that the last one is gone.
        let socket = try await client.openUpgrade()
        try await socket.send(.text("2probe"))
        if try await socket.readFrame().opcode == 1 { break }
      }
    }
  }

  @Test func `two WebSockets can't both take over`() async throws {
    try await EngineRoom.run { room in
      let client = try await polled(room, 4)
      let first = try await client.openUpgrade()
      try await first.send(.text("2probe"))
      #expect(try await text(first) == "3probe")
      let second = try await client.openUpgrade()
      #expect(try await second.readFrame().closeCode == 1002)
      try await first.send(.text("5"))
      try await first.send(.text(put))
      #expect(try await text(first) == done)
    }
  }

  @Test func `a WebSocket that takes too long is closed`() async throws {
    var limits = EngineIOLimits()
    limits.upgradeSeconds = 3
    try await EngineRoom.run(limits: limits) { room in
      let client = try await polled(room, 4)
      let socket = try await client.openUpgrade()
      try await socket.send(.text("2probe"))
      #expect(try await text(socket) == "3probe")
      #expect(try await socket.readFrame().closeCode == 1002)
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
    }
  }

  @Test(arguments: [3, 4])
  func `a session that has moved ends with its WebSocket`(revision: Int) async throws {
    try await EngineRoom.run { room in
      let watcher = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
      try await watcher.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/gone","h":""}}}"#])
      try await watcher.settle()
      _ = watcher.takeAll()
      let client = try await WilddogClient(port: room.port, revision: revision, carrier: .upgraded)
      try await client.send([#"{"t":"d","d":{"r":1,"a":"o","b":{"p":"/gone","d":true}}}"#])
      try await client.settle()
      client.engine.drop()
      #expect(try await watcher.next() == #"{"t":"d","d":{"a":"d","b":{"p":"gone","d":true}}}"#)
      #expect(room.services.count == 0)
    }
  }
}

import EngineIOWire
import FirebaseWire
import TestSupport
import Testing

/// Sessions as they end, and what must not end or hurt anything.
@Suite struct EndingTests {
  private let put = #"42["wd",{"t":"d","d":{"r":1,"a":"p","b":{"p":"/x","d":1}}}]"#
  private let done = #"42["wd",{"t":"d","d":{"r":1,"b":{"s":"ok","d":""}}}]"#

  private func limits(interval: Double, timeout: Double) -> EngineIOLimits {
    var limits = EngineIOLimits()
    limits.pingIntervalSeconds = interval
    limits.pingTimeoutSeconds = (three: timeout, four: timeout)
    return limits
  }

  /// Waits until a polled session is unknown.
  private func isForgotten(_ client: EngineClient) async throws -> Bool {
    for _ in 0..<500 {
      // A heartbeat, which does no harm to a session that is there.
      let answer = try await client.post(Array((client.revision == 4 ? "3" : "1:2").utf8))
      if answer.text.contains("Session ID unknown") { return true }
      try await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
  }

  // MARK: Heartbeats

  @Test func `a client of revision 3 that pings is answered`() async throws {
    try await EngineRoom.run { room in
      for carrier in [EngineClient.Carrier.webSocket, .polling, .upgraded] {
        let client = try await WilddogClient(port: room.port, revision: 3, carrier: carrier)
        _ = try await client.next()
        for ping in ["2", "2", "2probe"] {
          try await client.engine.send(ping)
          #expect(try await client.engine.nextPacket() == "3" + ping.dropFirst())
        }
        client.engine.drop()
      }
    }
  }

  @Test func `a client of revision 4 is pinged, and stays when it answers`() async throws {
    try await EngineRoom.run(limits: limits(interval: 0.2, timeout: 60)) { room in
      for carrier in [EngineClient.Carrier.webSocket, .polling, .upgraded] {
        let client = try await WilddogClient(port: room.port, revision: 4, carrier: carrier)
        _ = try await client.next()
        for _ in 0..<3 {
          #expect(try await client.engine.next() == "2")
          try await client.engine.send("3")
        }
        try await client.settle()
        client.engine.drop()
      }
    }
  }

  @Test(arguments: [3, 4], [EngineClient.Carrier.webSocket, .polling, .upgraded])
  func `a client that says nothing is lost, and what it left for its end is done`(
    revision: Int, carrier: EngineClient.Carrier
  ) async throws {
    try await EngineRoom.run(limits: limits(interval: 0.5, timeout: 8)) { room in
      let client = try await WilddogClient(port: room.port, revision: revision, carrier: carrier)
      try await client.send([#"{"t":"d","d":{"r":1,"a":"o","b":{"p":"/gone","d":true}}}"#])
      try await client.settle()
      _ = client.takeAll()
      // It goes on to hear, and says nothing.
      await #expect(throws: WireClient.Failure.self) {
        while true { _ = try await client.engine.next() }
      }
      if carrier != .polling { #expect(client.engine.closing?.reason == "ping timeout") }
      let watcher = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
      _ = try await watcher.next()
      try await watcher.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/gone","h":""}}}"#])
      var said = try await watcher.next()
      while !said.contains("true") { said = try await watcher.next() }
      #expect(said == #"{"t":"d","d":{"a":"d","b":{"p":"gone","d":true}}}"#)
      watcher.engine.drop()
    }
  }

  @Test func `a client of revision 4 that never connects is let go`() async throws {
    var limits = EngineIOLimits()
    limits.connectSeconds = 3
    try await EngineRoom.run(limits: limits) { room in
      let client = try await EngineClient(port: room.port, revision: 4)
      await #expect(throws: WireClient.Failure.self) { try await client.nextPacket() }
      #expect(client.closing?.code == 1008)
      let polled = try await EngineClient(port: room.port, revision: 4, carrier: .polling)
      #expect(try await polled.poll() == ["1"])
      #expect(try await isForgotten(polled))
    }
  }

  // MARK: Misuse

  @Test(arguments: [3, 4])
  func `two polls at once end the session`(revision: Int) async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port, revision: revision, carrier: .polling)
      if revision == 4 { try await client.send("40") }
      for _ in 0..<2 { _ = try await client.nextPacket() }
      try await client.beginPoll()
      let second = try WireClient(port: room.port)
      // The first must be waiting before the second comes.
      try await Task.sleep(nanoseconds: 50_000_000)
      let answer = try await second.get(client.target("polling"))
      #expect(answer.status == 400)
      #expect(answer.text == #"{"code":3,"message":"Bad request: two polls at once"}"#)
      #expect(try await client.finishPoll() == ["1"])
      #expect(try await isForgotten(client))
      #expect(room.services.count == 0)
    }
  }

  @Test(arguments: [
    (3, "abc", false), (3, "", false), (3, "5:4", false), (3, "1:x", false), (3, "4:b4AA", false),
    (3, "\u{0}\u{3}\u{3}\u{3}", true), (4, "abc", false), (4, "", false), (4, "bAAAA", false),
    (4, "40\u{1e}\u{1e}3", false), (4, "3", true), (4, "42[\"wd\"", false), (4, "2", false),
  ])
  func `a payload that makes no sense ends the session, and is told so`(
    revision: Int, body: String, isBinary: Bool
  ) async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port, revision: revision, carrier: .polling)
      let answer = try await client.post(Array(body.utf8), isBinary: isBinary)
      #expect(answer.status == 400)
      #expect(answer.text.hasPrefix(#"{"code":3,"message":"Bad request: "#), "\(answer.text)")
      #expect(try await isForgotten(client))
    }
  }

  @Test(arguments: [3, 4])
  func `what comes after the end is refused`(revision: Int) async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port, revision: revision, carrier: .polling)
      if revision == 4 { try await client.send("40") }
      for _ in 0..<2 { _ = try await client.nextPacket() }
      try await client.beginPoll()
      try await Task.sleep(nanoseconds: 30_000_000)
      // What is in the same payload behind the end is not looked at.
      try await client.send("1", put)
      #expect(try await client.finishPoll() == ["6"])
      #expect(try await client.post(Array(put.utf8)).status == 400)
      #expect(try await isForgotten(client))
      let socket = try await EngineClient(port: room.port, revision: revision)
      try await socket.send("1")
      await #expect(throws: WireClient.Failure.self) {
        while true { _ = try await socket.nextPacket() }
      }
      #expect(socket.closing?.code == 1000)
    }
  }

  @Test(arguments: [3, 4])
  func `binary frames are refused with a code of their own`(revision: Int) async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port, revision: revision)
      try await client.send(WireFrame(opcode: 2, payload: [4, 1, 2, 3]))
      await #expect(throws: WireClient.Failure.self) {
        while true { _ = try await client.nextPacket() }
      }
      #expect(client.closing?.code == 1003)
      #expect(client.closing?.reason == "binary data can't be kept")
    }
  }

  @Test func `a body that is too long is refused before it is read, and the session goes on`() async throws {
    var limits = EngineIOLimits()
    limits.payloadBytes = 4096
    try await EngineRoom.run(limits: limits) { room in
      let client = try await EngineClient(port: room.port, carrier: .polling)
      for _ in 0..<2 { _ = try await client.nextPacket() }
      let other = try WireClient(port: room.port)
      try await other.send(
        "POST \(client.target("polling")) HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n")
      #expect(try await other.readResponse().status == 413)
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
    }
  }

  @Test func `a message that is too long is answered by its number`() async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port)
      for _ in 0..<2 { _ = try await client.nextPacket() }
      let text = String(repeating: "x", count: FirebaseLimits.standard.messageBytes)
      try await client.send(#"42["wd",{"t":"d","d":{"r":8,"a":"p","b":{"p":"/x","d":"\#(text)"}}}]"#)
      #expect(
        try await client.nextPacket()
          == #"42["wd",{"t":"d","d":{"r":8,"b":{"s":"too_big","d":"The request is larger than 16 MB","#
          + #""c":26001}}}]"#
      )
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
    }
  }

  @Test(arguments: WilddogScript.Carriage.all)
  func `what is nested too deep is answered by its number, and hurts nobody`(
    carriage: WilddogScript.Carriage
  ) async throws {
    try await EngineRoom.run { room in
      let client = try await WilddogClient(
        port: room.port, revision: carriage.revision, carrier: carriage.carrier)
      _ = try await client.next()
      for count in [33, 600, 100_000] {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
          let value =
            String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
          try await client.send([#"{"t":"d","d":{"r":\#(count),"a":"p","b":{"p":"/x","d":\#(value)}}}"#])
          let answer = try await client.next()
          #expect(
            answer.hasPrefix(#"{"t":"d","d":{"r":\#(count),"b":{"s":"invalid_parameters""#), "\(answer)")
        }
      }
      try await client.settle()
      #expect(client.takeAll().isEmpty)
      client.engine.drop()
    }
  }

  @Test func `developers are told what is wrong, others are not`() async throws {
    for explains in [true, false] {
      let rules = #"{"rules":{"shut":{".write":"1 == 2"}}}"#
      try await EngineRoom.run(rules: rules, explainsDenials: explains) { room in
        let client = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
        _ = try await client.next()
        try await client.send([#"{"t":"d","d":{"a":"p","b":{"p":"/shut","d":1}}}"#])
        try await client.send([#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/shut","d":1}}}"#])
        if explains {
          for _ in 0..<2 {
            #expect(try await client.next().hasPrefix(#"{"t":"d","d":{"a":"sd","b":{"msg":""#))
          }
        }
        #expect(
          try await client.next()
            == #"{"t":"d","d":{"r":1,"b":{"s":"permission_denied","d":"Permission denied","c":26101}}}"#)
      }
    }
  }

  @Test func `a session that is not polled costs its budget at most`() async throws {
    var limits = EngineIOLimits()
    limits.budgetBytes = 100_000
    try await EngineRoom.run(limits: limits) { room in
      let client = try await WilddogClient(port: room.port, revision: 4, carrier: .polling)
      try await client.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/big","h":""}}}"#])
      try await client.settle()
      let writer = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
      let text = String(repeating: "y", count: 60_000)
      for number in 1...4 {
        try await writer.send([
          #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/big/\#(number)","d":"\#(text)"}}}"#
        ])
      }
      try await writer.settle()
      #expect(try await isForgotten(client.engine))
      #expect(room.services.bytesWaiting == 0)
    }
  }

  @Test(arguments: [3, 4])
  func `a session that is seldom polled is told what there is in the end, and not all that was`(
    revision: Int
  ) async throws {
    var limits = EngineIOLimits()
    limits.conflationBytes = 100_000
    limits.budgetBytes = 1_000_000
    try await EngineRoom.run(limits: limits) { room in
      let client = try await WilddogClient(port: room.port, revision: revision, carrier: .polling)
      try await client.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/big","h":""}}}"#])
      try await client.settle()
      _ = client.takeAll()
      let writer = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
      let text = String(repeating: "y", count: 60_000)
      for number in 1...40 {
        try await writer.send([
          #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/big/now","d":"\#(number) \#(text)"}}}"#
        ])
      }
      try await writer.settle()
      #expect(room.services.bytesWaiting < 200_000)
      var last = ""
      while !last.contains(#":"40 "#) { last = try await client.next() }
      #expect(last.hasPrefix(#"{"t":"d","d":{"a":"d","b":{"p":"big","d":{"now":"40 "#))
      // And every change from then on.
      try await writer.send([#"{"t":"d","d":{"r":41,"a":"p","b":{"p":"/big/now","d":41}}}"#])
      #expect(try await client.next() == #"{"t":"d","d":{"a":"d","b":{"p":"big/now","d":41}}}"#)
    }
  }

  @Test func `a poll that is given up costs nothing, and the next gets what there is`() async throws {
    try await EngineRoom.run { room in
      let client = try await EngineClient(port: room.port, carrier: .polling)
      for _ in 0..<2 { _ = try await client.nextPacket() }
      for _ in 0..<5 {
        let poll = try WireClient(port: room.port)
        try await poll.send("GET \(client.target("polling")) HTTP/1.1\r\nHost: x\r\n\r\n")
        try await Task.sleep(nanoseconds: 20_000_000)
        poll.close()
        try await Task.sleep(nanoseconds: 20_000_000)
      }
      try await client.send(put)
      #expect(try await client.nextPacket() == done)
    }
  }

  // MARK: The server

  @Test func `a server that stops tells polled clients too`() async throws {
    try await EngineRoom.run { room in
      let waiting = try await EngineClient(port: room.port, carrier: .polling)
      let absent = try await EngineClient(port: room.port, revision: 4, carrier: .polling)
      for _ in 0..<2 { _ = try await waiting.nextPacket() }
      try await waiting.beginPoll()
      try await Task.sleep(nanoseconds: 30_000_000)
      await room.services.stop()
      #expect(try await waiting.finishPoll() == ["1"])
      #expect(try await absent.poll() == ["1"])
      let late = try WireClient(port: room.port)
      #expect(try await late.get("/.ws/?EIO=3&transport=polling").status == 503)
    }
  }

  @Test func `clients that all come back at once are all served`() async throws {
    try await EngineRoom.run { room in
      for _ in 0..<2 {
        let clients = try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<150 {
            group.addTask {
              let carrier = EngineClient.Carrier.allCases[number % 4]
              let client = try await WilddogClient(port: room.port, revision: 3, carrier: carrier)
              try await client.send([
                #"{"t":"d","d":{"r":1,"a":"o","b":{"p":"/here/n\#(number)","d":null}}}"#,
                #"{"t":"d","d":{"r":2,"a":"p","b":{"p":"/here/n\#(number)","d":true}}}"#,
                #"{"t":"d","d":{"r":3,"a":"q","b":{"p":"/here","q":{"l":2,"vf":"l"},"t":1,"h":""}}}"#,
              ])
              try await client.settle()
              let said = client.takeAll()
              #expect(said.contains(#"{"t":"d","d":{"r":2,"b":{"s":"ok","d":""}}}"#))
              #expect(said.contains(#"{"t":"d","d":{"r":3,"b":{"s":"ok","d":{}}}}"#))
              try await client.engine.leave()
            }
          }
          return try await group.reduce(into: 0) { count, _ in count += 1 }
        }
        #expect(clients == 150)
      }
      let watcher = try await WilddogClient(port: room.port, revision: 3, carrier: .webSocket)
      try await watcher.send([#"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/here","h":""}}}"#])
      for _ in 0..<200 {
        try await watcher.settle()
        try await Task.sleep(nanoseconds: 5_000_000)
        if room.services.count == 0 { break }
      }
      #expect(room.services.count == 0)
    }
  }
}

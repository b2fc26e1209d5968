import EngineIOWire
import TestSupport
import Testing

/// Sessions as they begin, and requests that begin none.
@Suite struct OpeningTests {
  @Test(arguments: [3, 4], [EngineClient.Carrier.webSocket, .polling])
  func `the open packet says what a client needs`(revision: Int, carrier: EngineClient.Carrier) async throws {
    try await EngineRoom.run { room in
      var ids: Set<String> = []
      for _ in 0..<20 {
        let client = try await EngineClient(port: room.port, revision: revision, carrier: carrier)
        let upgrades = carrier == .polling ? #"["websocket"]"# : "[]"
        let rest = revision == 3 ? #""pingTimeout":60000}"# : #""pingTimeout":20000,"maxPayload":16908288}"#
        #expect(
          client.hello == #"{"sid":"\#(client.id)","upgrades":\#(upgrades),"pingInterval":25000,\#(rest)"#)
        #expect(client.id.count == 24)
        ids.insert(client.id)
        if revision == 4 { try await client.send("40") }
        let connected = try await client.nextPacket()
        #expect(connected.hasPrefix("40"))
        // The name in the namespace tells nothing of the session's.
        #expect(!connected.contains(client.id))
        #expect(
          try await client.nextPacket().hasPrefix(#"42["wd",{"t":"c","d":{"t":"h","d":{"ts":1700000000123"#))
        client.drop()
      }
      #expect(ids.count == 20)
    }
  }

  @Test(arguments: [
    ("GET", "?EIO=4", 400, #"{"code":0,"message":"Transport unknown"}"#),
    ("GET", "?EIO=4&transport=carrier-pigeon", 400, #"{"code":0,"message":"Transport unknown"}"#),
    ("GET", "?transport=polling", 400, #"{"code":5,"message":"Unsupported protocol version"}"#),
    ("GET", "?transport=polling&EIO=2", 400, #"{"code":5,"message":"Unsupported protocol version"}"#),
    ("GET", "?transport=polling&EIO=5", 400, #"{"code":5,"message":"Unsupported protocol version"}"#),
    ("GET", "?transport=polling&EIO=4&sid=abc", 400, #"{"code":1,"message":"Session ID unknown"}"#),
    ("GET", "?transport=polling&EIO=4&sid=", 400, #"{"code":1,"message":"Session ID unknown"}"#),
    ("POST", "?transport=polling&EIO=3&sid=%00", 400, #"{"code":1,"message":"Session ID unknown"}"#),
    ("POST", "?transport=polling&EIO=4", 400, #"{"code":2,"message":"Bad handshake method"}"#),
    ("PUT", "?transport=polling&EIO=4", 400, #"{"code":2,"message":"Bad handshake method"}"#),
    ("GET", "?transport=websocket&EIO=4", 400, #"{"code":3,"message":"Bad request"}"#),
    ("GET", "?transport=polling&EIO=3&j=0", 400, #"{"code":3,"message":"Bad request: JSONP is not served"}"#),
  ])
  func `a request that makes no sense is told so`(
    method: String, query: String, status: Int, text: String
  ) async throws {
    try await EngineRoom.run { room in
      let client = try WireClient(port: room.port)
      try await client.send("\(method) /socket.io/\(query) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
      let answer = try await client.readResponse()
      #expect(answer.status == status)
      #expect(answer.text == text)
      #expect(room.services.count == 0)
    }
  }

  @Test(arguments: [
    "?EIO=4", "?EIO=4&transport=polling", "?transport=websocket", "?transport=websocket&EIO=9",
    "?transport=websocket&EIO=4&sid=nobody",
  ])
  func `a WebSocket that makes no sense is refused before it is one`(query: String) async throws {
    try await EngineRoom.run { room in
      let client = try WireClient(port: room.port)
      try await client.send("GET /.ws/\(query) HTTP/1.1\r\n" + WireClient.upgradeHead)
      let answer = try await client.readResponse()
      #expect(answer.status == 400)
      #expect(answer.text.hasPrefix(#"{"error":""#))
    }
  }

  @Test func `pages of other places may ask, with the credentials that some clients send`() async throws {
    try await EngineRoom.run { room in
      let client = try WireClient(port: room.port)
      try await client.send(
        "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n"
          + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n")
      let preflight = try await client.readResponse()
      #expect(preflight.status == 204)
      #expect(preflight.headers["access-control-allow-headers"] == "content-type")
      let open = try await client.get(
        "/socket.io/?EIO=4&transport=polling", headers: "Origin: https://a.example\r\n")
      for answer in [preflight, open] {
        #expect(answer.headers["access-control-allow-origin"] == "https://a.example")
        #expect(answer.headers["access-control-allow-credentials"] == "true")
        #expect(answer.headers["vary"] == "Origin")
        #expect(answer.headers["cache-control"] == "no-store")
      }
    }
  }

  @Test func `an app that is not there is shut down for good`() async throws {
    try await EngineRoom.run { room in
      for carrier in [EngineClient.Carrier.webSocket, .polling] {
        let client = try await EngineClient(
          port: room.port, carrier: carrier, query: "v=1.0&ns=nobody")
        #expect(try await client.nextPacket() == "40")
        #expect(
          try await client.nextPacket()
            == #"42["wd",{"t":"c","d":{"t":"s","d":"There is no such app: check the syncURL"}}]"#)
        if carrier == .polling { #expect(try await client.nextPacket() == "1") }
        await #expect(throws: WireClient.Failure.self) { try await client.nextPacket() }
        if carrier == .webSocket { #expect(client.closing?.code == 1000) }
      }
    }
  }

  @Test func `more sessions than there may be are told to come later`() async throws {
    var limits = EngineIOLimits()
    limits.sessions = 3
    try await EngineRoom.run(limits: limits) { room in
      var clients: [EngineClient] = []
      for _ in 0..<3 { clients.append(try await EngineClient(port: room.port, carrier: .polling)) }
      let client = try WireClient(port: room.port)
      let answer = try await client.get("/.ws/?EIO=3&transport=polling")
      #expect(answer.status == 503)
      #expect(answer.headers["retry-after"] == "5")
      try await clients[0].send("1")
      #expect(try await client.get("/.ws/?EIO=3&transport=polling").status == 200)
    }
  }
}

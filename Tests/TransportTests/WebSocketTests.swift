import NIOCore
import TestSupport
import Testing

@testable import Transport

struct WebSocketTests {
  private func payload(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(0x20 + $0 % 90) } }

  @Test(arguments: [0, 1, 125, 126, 65535, 65536, 1 << 20])
  func `a message of any size class is echoed`(count: Int) async throws {
    try await withServer { port, _ in
      let client = try await WireClient.webSocket(port: port)
      for opcode in [1, 2] as [UInt8] {
        let frame = WireFrame(opcode: opcode, payload: payload(count))
        try await client.send(frame)
        #expect(try await client.readFrame() == frame)
      }
    }
  }

  @Test func `bytes one at a time mean the same`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      for byte in "GET /echo HTTP/1.1\r\n\(WireClient.upgradeHead)".utf8 { try await client.send([byte]) }
      #expect(try await client.readHead().status == 101)
      for byte in WireFrame.text("slowly").bytes() { try await client.send([byte]) }
      #expect(try await client.readFrame() == .text("slowly"))
    }
  }

  @Test func `fragments become one message, and control frames pass between them`() async throws {
    try await withServer { port, _ in
      let client = try await WireClient.webSocket(port: port)
      try await client.send(WireFrame(opcode: 1, payload: [0x61], isFinal: false))
      try await client.send(WireFrame(opcode: 9, payload: [1, 2]))
      #expect(try await client.readFrame() == WireFrame(opcode: 10, payload: [1, 2]))
      try await client.send(WireFrame(opcode: 0, payload: [0x62], isFinal: false))
      try await client.send(WireFrame(opcode: 0, payload: [0x63]))
      #expect(try await client.readFrame() == .text("abc"))
    }
  }

  @Test func `frames that come with the handshake are not lost`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      try await client.upgrade(early: WireFrame.text("early").bytes() + WireFrame.text("bird").bytes())
      #expect(try await client.readFrame() == .text("early"))
      #expect(try await client.readFrame() == .text("bird"))
      try await client.send(.text("later"))
      #expect(try await client.readFrame() == .text("later"))
    }
  }

  @Test func `a kept-alive connection can become a WebSocket, pipelined or not`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      #expect(try await client.get("/x").status == 200)
      try await client.upgrade(early: WireFrame.text("a").bytes())
      #expect(try await client.readFrame() == .text("a"))
      let other = try WireClient(port: port)
      try await other.send(
        Array("GET /x HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\n\(WireClient.upgradeHead)".utf8)
          + WireFrame.text("b").bytes())
      #expect(try await other.readResponse().status == 200)
      #expect(try await other.readHead().status == 101)
      #expect(try await other.readFrame() == .text("b"))
    }
  }

  @Test func `a WebSocket that follows a large unread answer opens after it`() async throws {
    var router = TestRouter()
    router.answer = { $0.respond(status: 200, body: ByteBuffer(repeating: 0x61, count: 20 << 20)) }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send(
        Array("GET /x HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\n\(WireClient.upgradeHead)".utf8)
          + WireFrame.text("b").bytes())
      try await Task.sleep(nanoseconds: 50_000_000)
      #expect(try await client.readResponse().body.count == 20 << 20)
      #expect(try await client.readHead().status == 101)
      #expect(try await client.readFrame() == .text("b"))
    }
  }

  @Test func `a refused WebSocket is answered as HTTP`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /forbidden HTTP/1.1\r\n\(WireClient.upgradeHead)")
      let response = try await client.readResponse()
      #expect(response.status == 403)
      #expect(response.text == #"{"error":"not here"}"#)
      #expect(await client.isEnded())
      let old = try WireClient(port: port)
      let head = WireClient.upgradeHead.replacing("Version: 13", with: "Version: 8")
      try await old.send("GET /echo HTTP/1.1\r\n\(head)")
      #expect(try await old.readResponse().headers["sec-websocket-version"] == "13")
      #expect(await old.isEnded())
    }
  }

  @Test func `the peer's goodbye is answered with its code and ends the connection`() async throws {
    for code in [1000, 3000, nil] as [UInt16?] {
      let router = TestRouter()
      try await withServer(router) { port, _ in
        let client = try await WireClient.webSocket(port: port)
        try await client.send(
          WireFrame.text("last").bytes() + WireFrame.close(code, code == nil ? "" : "bye").bytes())
        #expect(try await client.readFrame() == .text("last"))
        #expect(try await client.readFrame() == .close(code))
        #expect(await client.isEnded())
        #expect(
          router.log.all == ["opened", "closed", "all"] || router.log.all == ["opened", "all", "closed"])
      }
    }
  }

  @Test func `after the server's goodbye messages are ignored until the peer's`() async throws {
    let router = TestRouter()
    try await withServer(router) { port, _ in
      let client = try await WireClient.webSocket(port: port)
      try await client.send(WireFrame.text("close").bytes() + WireFrame.text("ignored").bytes())
      #expect(try await client.readFrame() == .close(4001, "as you wish"))
      try await client.send(.text("ignored too"))
      try await client.send(.close(4001))
      #expect(await client.isEnded())
      #expect(await router.log.waits(for: "closed"))
    }
  }

  @Test(
    arguments: [
      ("reserved bit", [0xc1, 0x80, 1, 2, 3, 4], 1002),
      ("reserved opcode", [0x84, 0x80, 1, 2, 3, 4], 1002),
      ("no mask", [0x81, 0x01, 0x41], 1002),
      ("not UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
      ("too long", [0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 1009),
    ] as [(String, [UInt8], UInt16)])
  func `a broken rule closes with its code`(what: String, bytes: [UInt8], code: UInt16) async throws {
    let router = TestRouter()
    try await withServer(router) { port, _ in
      let client = try await WireClient.webSocket(port: port)
      try await client.send(.text("before"))
      #expect(try await client.readFrame() == .text("before"))
      // Unread input behind it must not reset the connection before the code is read.
      try await client.send(bytes + [UInt8](repeating: 0, count: 100_000))
      #expect(try await client.readFrame() == .close(code), "\(what)")
      #expect(await client.isEnded())
      #expect(await router.log.waits(for: "closed"))
    }
  }

  @Test func `a message at the limit is echoed and one past it closes with 1009`() async throws {
    var limits = TransportLimits()
    limits.messageBytes = 1000
    try await withServer(limits: limits) { port, _ in
      let client = try await WireClient.webSocket(port: port)
      let full = WireFrame(opcode: 1, payload: payload(1000))
      try await client.send(full)
      #expect(try await client.readFrame() == full)
      try await client.send(WireFrame(opcode: 1, payload: payload(600), isFinal: false))
      try await client.send(WireFrame(opcode: 0, payload: payload(401)))
      #expect(try await client.readFrame().closeCode == 1009)
    }
  }

  @Test func `a reader that is too slow is told so and closed`() async throws {
    var limits = TransportLimits()
    limits.outboundBudgetBytes = 6_000_000
    limits.closeTimeoutSeconds = 2
    let router = TestRouter()
    try await withServer(router, limits: limits) { port, _ in
      let client = try await WireClient.webSocket(port: port, receiveBufferBytes: 4096)
      for _ in 0..<4 { try await client.send(.text("flood")) }
      #expect(await router.log.waits(for: "closed"))
      var frames = 0
      var last = try await client.readFrame()
      while last.opcode == 1 {
        #expect(last.payload.count == 60_000)
        frames += 1
        last = try await client.readFrame()
      }
      #expect(last.closeCode == 1013)
      #expect(frames < 800)
      #expect(await client.isEnded())
    }
  }

  @Test func `a slow reader within the budget gets everything in order`() async throws {
    var router = TestRouter()
    router.handler = { _ in CountingHandler() }
    try await withServer(router) { port, _ in
      let client = try await WireClient.webSocket(port: port, receiveBufferBytes: 4096)
      try await client.send(.text("go"))
      try await Task.sleep(nanoseconds: 50_000_000)
      for index in 0..<CountingHandler.count {
        let frame = try await client.readFrame()
        try #require(frame.payload.prefix(8).elementsEqual(CountingHandler.label(index).utf8))
      }
    }
  }

  @Test func `a peer that vanishes is noticed once`() async throws {
    for reset in [true, false] {
      let router = TestRouter()
      try await withServer(router) { port, listener in
        let client = try await WireClient.webSocket(port: port)
        try await client.send(.text("x"))
        #expect(try await client.readFrame() == .text("x"))
        if reset { client.reset() } else { client.close() }
        #expect(await router.log.waits(for: "closed"))
        #expect(router.log.all.filter { $0 == "closed" }.count == 1)
      }
    }
  }
}

/// Sends numbered frames, some large, in many flushes.
private final class CountingHandler: MessageHandler {
  static let count = 2000
  private var link: (any MessageLink)?

  static func label(_ index: Int) -> String { String(10_000_000 + index) }

  func opened(link: any MessageLink) { self.link = link }

  func received(_ message: ByteBuffer, isText: Bool) {
    for index in 0..<Self.count {
      var text = ByteBuffer(string: Self.label(index))
      text.writeRepeatingByte(0x2e, count: index % 50 == 0 ? 70_000 : index % 300)
      link?.append(text: text)
      if index % 3 == 0 { link?.flush() }
    }
  }

  func receivedAll() { link?.flush() }

  func closed() { link = nil }
}

import NIOCore
import TestSupport
import Testing

@testable import Transport

struct EventStreamTests {
  /// Two events at once, and as many more as asked for; told when it ends.
  private func router(then action: @escaping @Sendable (EventStream) -> Void = { _ in }) -> TestRouter {
    var router = TestRouter()
    let log = router.log
    router.answer = { exchange in
      guard let stream = exchange.startEventStream(headers: [("Content-Type", "text/event-stream")]) else {
        return
      }
      stream.onClose = { log.add("closed") }
      var frames = ByteBuffer()
      EventStreamFraming.append(text: ByteBuffer(string: "event: put\ndata: 1\n\n"), to: &frames)
      stream.send(frames: frames)
      stream.send(text: ByteBuffer(string: "event: put\ndata: 2\n\n"))
      stream.flush()
      action(stream)
    }
    return router
  }

  @Test func `events come as chunks, each at once`() async throws {
    let router = router()
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = try await client.readHead()
      #expect(head.headers["content-type"] == "text/event-stream")
      #expect(head.headers["transfer-encoding"] == "chunked")
      #expect(try await client.readChunk() == Array("event: put\ndata: 1\n\n".utf8))
      #expect(try await client.readChunk() == Array("event: put\ndata: 2\n\n".utf8))
      client.close()
      #expect(await router.log.waits(for: "closed"))
    }
  }

  @Test func `a stream that the server ends is complete`() async throws {
    let router = router { $0.close() }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      let response = try await client.get("/s")
      #expect(response.text == "event: put\ndata: 1\n\nevent: put\ndata: 2\n\n")
      #expect(await client.isEnded())
      #expect(router.log.all.isEmpty)
    }
  }

  @Test func `a client of HTTP 1_0 gets the bare text`() async throws {
    try await withServer(router { $0.close() }) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /s HTTP/1.0\r\n\r\n")
      #expect(try await client.readResponse().text == "event: put\ndata: 1\n\nevent: put\ndata: 2\n\n")
    }
  }

  @Test func `a reader that is too slow is cut`() async throws {
    var limits = TransportLimits()
    limits.outboundBudgetBytes = 1_000_000
    let router = router { stream in
      let piece = ByteBuffer(repeating: 0x61, count: 60_000)
      for _ in 0..<400 {
        stream.send(text: piece)
        stream.flush()
      }
    }
    try await withServer(router, limits: limits) { port, listener in
      let client = try WireClient(port: port, receiveBufferBytes: 4096)
      try await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await router.log.waits(for: "closed"))
      #expect(listener.connectionCount == 0)
      withExtendedLifetime(client) {}
    }
  }

  @Test func `a streamed answer waits for its reader and comes whole`() async throws {
    var router = TestRouter()
    let log = router.log
    router.answer = { exchange in
      exchange.startBody(status: 200)
      let source = Source(exchange, log: log)
      exchange.onWritable = { source.go() }
      source.go()
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await log.waits(for: "waiting"))
      #expect(!log.all.contains("done"))
      let response = try await client.readResponse()
      #expect(response.body.count == Source.pieces * 50_000)
      #expect(log.all.last == "done")
      try await client.send("HEAD /s HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await client.readResponse(toHEAD: true).status == 200)
      let old = try WireClient(port: port)
      try await old.send("GET /s HTTP/1.0\r\n\r\n")
      #expect(try await old.readResponse().body.count == Source.pieces * 50_000)
    }
  }

  @Test func `an exchange is told when its peer leaves`() async throws {
    var router = TestRouter()
    let log = router.log
    router.answer = { exchange in
      exchange.onClose = {
        log.add("left")
        exchange.respond(status: 200)  // ignored
      }
      log.add("asked")
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await log.waits(for: "asked"))
      client.reset()
      #expect(await log.waits(for: "left"))
    }
  }
}

/// A body of many pieces, written as the peer takes them.
private final class Source {
  static let pieces = 600
  private let exchange: Exchange
  private let log: EventLog
  private var sent = 0

  init(_ exchange: Exchange, log: EventLog) {
    self.exchange = exchange
    self.log = log
  }

  func go() {
    while exchange.isWritable, sent < Self.pieces {
      exchange.write(ByteBuffer(repeating: 0x61, count: 50_000))
      sent += 1
    }
    log.add(sent < Self.pieces ? "waiting" : "done")
    if sent == Self.pieces { exchange.end() }
  }
}

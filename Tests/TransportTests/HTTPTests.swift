import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Transport

struct HTTPTests {
  @Test func `requests on one connection are answered in order`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      for round in 0..<3 {
        let response = try await client.get("/a/\(round)?q=1")
        #expect(response.status == 200)
        #expect(response.text == "GET /a/\(round) q=1 ")
        #expect(response.headers["connection"] == nil)
      }
    }
  }

  @Test func `pipelined requests are answered in order, whatever becomes ready first`() async throws {
    var router = TestRouter()
    router.answer = { exchange in
      guard exchange.head.path == "/slow" else { return TestRouter.describe(exchange) }
      exchange.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) {
        TestRouter.describe(exchange)
      }
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      let paths = ["/slow", "/a", "/b", "/slow", "/c"]
      try await client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
      for path in paths { #expect(try await client.readResponse().text == "GET \(path)  ") }
    }
  }

  @Test func `as many requests may wait as the limit says, and one more ends the connection`() async throws {
    var limits = TransportLimits()
    limits.pipelined = 4
    limits.receiveBufferBytes = 4096  // all in one read: between reads a queue is not added to
    let held = LoopHeld()
    var router = TestRouter()
    router.answer = { held.hold($0) }
    let request = "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
    try await withServer(router, limits: limits) { port, _ in
      let client = try WireClient(port: port)
      try await client.send(String(repeating: request, count: 6))
      for _ in 0..<5 {
        try await held.answerNext()
        #expect(try await client.readResponse().status == 200)
      }
      #expect(try await client.readResponse().status == 429)
      #expect(await client.isEnded())
    }
    try await withServer(router, limits: limits) { port, _ in
      let client = try WireClient(port: port)
      try await client.send(String(repeating: request, count: 5))
      for _ in 0..<5 {
        try await held.answerNext()
        #expect(try await client.readResponse().status == 200)
      }
      try await client.send(request)
      try await held.answerNext()
      #expect(try await client.readResponse().status == 200)
    }
  }

  @Test func `HEAD has the head of GET and no body`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      try await client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try await client.readResponse(toHEAD: true).headers["content-length"] == "9")
      #expect(try await client.get("/y").text == "GET /y  ")
    }
  }

  @Test func `answers without a body have no length`() async throws {
    var router = TestRouter()
    router.answer = { $0.respond(status: $0.head.path == "/304" ? 304 : 204) }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      for path in ["/204", "/304"] {
        let response = try await client.get(path)
        #expect(response.status == Int(path.dropFirst()))
        #expect(response.headers["content-length"] == nil)
      }
    }
  }

  @Test func `HTTP 1_0 is closed unless it asks otherwise, and close closes`() async throws {
    try await withServer { port, _ in
      let old = try WireClient(port: port)
      try await old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n")
      #expect(try await old.readResponse().headers["connection"] == "keep-alive")
      #expect(try await old.readResponse().headers["connection"] == "close")
      #expect(await old.isEnded())
      let new = try WireClient(port: port)
      #expect(try await new.get("/", headers: "Connection: close\r\n").headers["connection"] == "close")
      #expect(await new.isEnded())
    }
  }

  @Test func `a body comes whole, with a length, in chunks or byte by byte`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      try await client.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
      #expect(try await client.readResponse().text == "PUT /x  hello")
      let chunked =
        "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n"
      try await client.send(chunked)
      #expect(try await client.readResponse().text == "PUT /x  hello")
      for byte in chunked.utf8 { try await client.send([byte]) }
      #expect(try await client.readResponse().text == "PUT /x  hello")
    }
  }

  @Test func `a large body is read fast and whole`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      let body = [UInt8](repeating: UInt8(ascii: "b"), count: 1 << 20)
      try await client.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.count)\r\n\r\n")
      try await client.send(body)
      #expect(try await client.readResponse().body.count == body.count + 8)
    }
  }

  @Test func `a body at the router's limit is taken and one past it refused`() async throws {
    var router = TestRouter()
    router.bodyLimitBytes = 10
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")
      #expect(try await client.readResponse().status == 200)
      try await client.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
      #expect(try await client.readResponse().status == 413)
      #expect(await client.isEnded())
      let chunky = try WireClient(port: port)
      try await chunky.send(
        "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n")
      try await chunky.send("1\r\n0\r\n")
      #expect(try await chunky.readResponse().status == 413)
      #expect(await chunky.isEnded())
    }
  }

  @Test func `an expectation is met before the body, in its turn`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      let head = "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
      try await client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n" + head)
      #expect(try await client.readResponse().text == "GET /first  ")
      #expect(try await client.readHead().status == 100)
      try await client.send("ok")
      #expect(try await client.readResponse().text == "PUT /x  ok")
      try await client.send(
        "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\nExpect: 100-continue\r\n\r\n")
      #expect(try await client.readResponse().status == 413)
      let other = try WireClient(port: port)
      try await other.send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: miracles\r\n\r\n")
      #expect(try await other.readResponse().status == 417)
    }
  }

  @Test(arguments: [
    ("two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (
      "two equal lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
      400
    ),
    ("a list of lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na", 400),
    ("a signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na", 400),
    ("a huge length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    (
      "chunks and a length",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400
    ),
    (
      "two encodings",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501
    ),
    (
      "an encoding twice",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400
    ),
    ("an encoding that ends nowhere", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    ("chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("a bare line feed", "GET / HTTP/1.1\nHost: x\n\n", 400),
    ("a bare line feed among headers", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400),
    ("a bare carriage return", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400),
    ("a folded header", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    ("a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    ("a header without a name", "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", 400),
    ("no host", "GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (
      "a chunk size that is none", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
      400
    ),
    (
      "a chunk that goes on",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400
    ),
    ("another protocol", "EHLO there\r\n", 400),
    ("another version", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
    ("a tunnel", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    ("a zero byte", "GET / HTTP/1.1\r\nHost: x\r\nA: \u{0}\r\n\r\n", 400),
  ])
  func `what could be understood in two ways is refused`(what: String, text: String, status: Int) async throws
  {
    var router = TestRouter()
    let log = router.log
    router.answer = {
      log.add("answered")
      TestRouter.describe($0)
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send(text)
      let got = try await client.readResponse()
      #expect((400..<506).contains(got.status), "\(what)")
      #expect(got.status == status || status == 400 && got.status >= 400, "\(what): \(got.status)")
      #expect(await client.isEnded(), "\(what)")
      #expect(log.all.isEmpty, "\(what)")
    }
  }

  @Test func `a head at its bounds is taken and one past them refused`() async throws {
    var limits = TransportLimits()
    limits.headBytes = 1000
    limits.headerFields = 10
    try await withServer(limits: limits) { port, _ in
      func status(fields: Int, bytes: Int) async throws -> Int {
        let client = try WireClient(port: port)
        // The target, "Host" and "x" count as well.
        let names = (0..<(fields - 1)).map { "h\($0)" }
        let used = 1 + 5 + names.joined().utf8.count
        let values = [String(repeating: "v", count: bytes - used)] + names.dropFirst().map { _ in "" }
        let lines = zip(names, values).map { "\($0): \($1)\r\n" }.joined()
        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\(lines)\r\n")
        return try await client.readResponse().status
      }
      let statuses = [
        try await status(fields: 10, bytes: 900), try await status(fields: 11, bytes: 900),
        try await status(fields: 5, bytes: 1000), try await status(fields: 5, bytes: 1001),
      ]
      #expect(statuses == [200, 431, 200, 431])
    }
  }

  @Test func `a value cannot start another header`() async throws {
    var router = TestRouter()
    router.answer = {
      $0.respond(status: 200, headers: [("X", "a\r\nSet-Cookie: b"), ("Content-Length", "77")])
    }
    try await withServer(router) { port, _ in
      let response = try await WireClient(port: port).get("/")
      #expect(response.headers["set-cookie"] == nil)
      #expect(response.headers["x"] == "a  Set-Cookie: b")
      #expect(response.headers["content-length"] == "0")
    }
  }

  @Test func `a client that only ends its sending side still gets its answers`() async throws {
    var router = TestRouter()
    router.answer = { exchange in
      exchange.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) {
        TestRouter.describe(exchange)
      }
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
      client.closeOutput()
      #expect(try await client.readResponse().text == "GET /1  ")
      #expect(try await client.readResponse().text == "GET /2  ")
      #expect(await client.isEnded())
    }
  }

  @Test func `an upgrade to something else is answered as if it had not been asked`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      let response = try await client.get(
        "/x", headers: "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n")
      #expect(response.text == "GET /x  ")
      #expect(response.headers["connection"] == "close")
      #expect(await client.isEnded())
    }
  }
}

/// Exchanges that a test answers when it likes.
final class LoopHeld: Sendable {
  private let held = Mutex<[NIOLoopBound<Exchange>]>([])

  func hold(_ exchange: Exchange) {
    held.withLock { $0.append(NIOLoopBound(exchange, eventLoop: exchange.eventLoop)) }
  }

  var isHolding: Bool { held.withLock { !$0.isEmpty } }

  /// Answers the exchange that was held first, when it is there.
  func answerNext() async throws {
    for _ in 0..<1000 {
      let next = held.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      if let next { return next.eventLoop.execute { TestRouter.describe(next.value) } }
      try await Task.sleep(nanoseconds: 5_000_000)
    }
    throw WireClient.Failure(text: "no request came")
  }
}

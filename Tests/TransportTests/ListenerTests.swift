import Foundation
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Transport

struct ListenerTests {
  @Test func `shutting down says 1001 to WebSockets and lets them answer`() async throws {
    let router = TestRouter()
    try await withServer(router, threads: 2) { port, listener in
      var clients: [WireClient] = []
      for _ in 0..<4 { clients.append(try await WireClient.webSocket(port: port)) }
      async let ended: Void = listener.shutdown(graceSeconds: 5)
      for client in clients {
        #expect(try await client.readFrame() == .close(1001))
        try await client.send(.close(1001))
        #expect(await client.isEnded())
      }
      await ended
      #expect(listener.connectionCount == 0)
      #expect(throws: WireClient.Failure.self) { try WireClient(port: port) }
    }
  }

  @Test func `shutting down lets an open exchange finish and closes idle connections`() async throws {
    let held = LoopHeld()
    var router = TestRouter()
    router.answer = { $0.head.path == "/held" ? held.hold($0) : TestRouter.describe($0) }
    try await withServer(router) { port, listener in
      let idle = try WireClient(port: port)
      #expect(try await idle.get("/").status == 200)
      let busy = try WireClient(port: port)
      try await busy.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
      for _ in 0..<400 where !held.isHolding { try await Task.sleep(nanoseconds: 5_000_000) }
      async let ended: Void = listener.shutdown(graceSeconds: 5)
      #expect(await idle.isEnded())
      try await held.answerNext()
      #expect(try await busy.readResponse().headers["connection"] == "close")
      #expect(await busy.isEnded())
      await ended
    }
  }

  @Test func `what does not end within the grace is cut`() async throws {
    let held = LoopHeld()
    var router = TestRouter()
    router.answer = { held.hold($0) }
    try await withServer(router) { port, listener in
      let client = try WireClient(port: port)
      try await client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
      let socket = try await WireClient.webSocket(port: port)
      for _ in 0..<400 where !held.isHolding { try await Task.sleep(nanoseconds: 5_000_000) }
      let started = ContinuousClock.now
      await listener.shutdown(graceSeconds: 0.1)
      #expect(ContinuousClock.now - started < .seconds(3))
      #expect(await client.isEnded())
      #expect(try await socket.readFrame() == .close(1001))
      #expect(await socket.isEnded())
    }
  }

  @Test func `one connection too many is turned away`() async throws {
    var limits = TransportLimits()
    limits.connections = 2
    try await withServer(limits: limits) { port, _ in
      let first = try WireClient(port: port)
      #expect(try await first.get("/").status == 200)
      let second = try await WireClient.webSocket(port: port)
      let third = try WireClient(port: port)
      #expect(try await third.readResponse().status == 503)
      #expect(await third.isEnded())
      first.close()
      for _ in 0..<400 {
        let next = try WireClient(port: port)
        if try await next.get("/").status == 200 { return }
        try await Task.sleep(nanoseconds: 5_000_000)
      }
      Issue.record("the place of a connection that left stays taken")
      withExtendedLifetime(second) {}
    }
  }

  @Test func `connections come and go without a trace`() async throws {
    let router = TestRouter()
    try await withServer(router, threads: 2) { port, listener in
      for round in 0..<100 {
        let client = try WireClient(port: port)
        switch round % 5 {
        case 0: #expect(try await client.get("/").status == 200)
        case 1: try await client.upgrade()
        case 2: try await client.send("GET / HT")
        case 3:
          try await client.upgrade()
          try await client.send(.text("x"))
          client.reset()
        default: client.reset()
        }
      }
      for _ in 0..<400 where listener.connectionCount > 0 { try await Task.sleep(nanoseconds: 5_000_000) }
      #expect(listener.connectionCount == 0)
      let events = router.log.all
      #expect(events.filter { $0 == "opened" }.count == events.filter { $0 == "closed" }.count)
    }
  }

  @Test func `it listens on IPv6 and on a socket file`() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let six = try await Listener.start(on: .tcp(host: "::1", port: 0), group: group, router: TestRouter())
    #expect(six.boundAddress.protocol == .inet6)
    #expect((six.boundPort ?? 0) > 0)
    await six.shutdown(graceSeconds: 0)
    let path =
      FileManager.default.temporaryDirectory.path + "/transport-\(UInt32.random(in: 0...UInt32.max)).sock"
    let file = try await Listener.start(on: .unix(path: path), group: group, router: TestRouter())
    #expect(file.boundPort == nil)
    let output = try await run("curl", ["-s", "--unix-socket", path, "http://x/a?b"])
    #expect(output == "GET /a b ")
    await file.shutdown(graceSeconds: 0)
    try? FileManager.default.removeItem(atPath: path)
    try await group.shutdownGracefully()
  }

  @Test func `an address that is taken is an error`() async throws {
    try await withServer { port, _ in
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      await #expect(throws: (any Error).self) {
        _ = try await Listener.start(
          on: .tcp(host: "127.0.0.1", port: port), group: group, router: TestRouter())
      }
      try await group.shutdownGracefully()
    }
  }

  /// Opens a WebSocket over TLS, sends 300,000 bytes in one frame and compares what comes back.
  private static let echoOverTLS = """
    import socket, ssl, sys
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    wire = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    wire.settimeout(10)
    wire.sendall(b"GET /echo HTTP/1.1\\r\\nHost: x\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n"
      b"Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
    got = b""
    while b"\\r\\n\\r\\n" not in got: got += wire.recv(65536)
    head, got = got.split(b"\\r\\n\\r\\n", 1)
    sent = bytes(97 + at % 26 for at in range(300000))
    wire.sendall(b"\\x81\\xff" + len(sent).to_bytes(8, "big") + bytes(4) + sent)
    while len(got) < 10 + len(sent): got += wire.recv(65536)
    print(head.split()[1].decode(), int.from_bytes(got[2:10], "big"), got[10:] == sent, end="")
    """

  @Test func `it speaks TLS, HTTP and WebSockets alike`() async throws {
    let folder =
      FileManager.default.temporaryDirectory.path + "/transport-\(UInt32.random(in: 0...UInt32.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (certificate, key) = ("\(folder)/certificate.pem", "\(folder)/key.pem")
    _ = try await run(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate,
      ])
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var router = TestRouter()
    router.answer = { exchange in
      guard exchange.head.isTLS else { return exchange.respond(status: 500) }
      exchange.respond(status: 200, body: ByteBuffer(repeating: 0x61, count: 300_000))
    }
    let listener = try await Listener.start(
      on: .tcp(host: "127.0.0.1", port: 0), group: group, router: router,
      tls: TLSFiles(certificateChain: certificate, privateKey: key))
    let port = try #require(listener.boundPort)
    let body = try await run("curl", ["-sk", "https://127.0.0.1:\(port)/a"])
    #expect(body.utf8.count == 300_000)
    let echoed = try await run("python3", ["-c", Self.echoOverTLS, "\(port)"])
    #expect(echoed == "101 300000 True")
    #expect(router.log.all.first == "opened")
    await listener.shutdown(graceSeconds: 1)
    try await group.shutdownGracefully()
  }
}

/// Runs a program of the machine and gives back what it printed.
private func run(_ program: String, _ arguments: [String]) async throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: data, as: UTF8.self)
}

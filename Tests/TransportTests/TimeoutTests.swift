import NIOCore
import TestSupport
import Testing

@testable import Transport

/// Limits so small that a test can wait for them.
struct TimeoutTests {
  private func limits(_ change: (inout TransportLimits) -> Void) -> TransportLimits {
    var limits = TransportLimits()
    change(&limits)
    return limits
  }

  @Test func `a head that does not come to its end is refused`() async throws {
    try await withServer(limits: limits { $0.headTimeoutSeconds = 0.2 }) { port, _ in
      let client = try WireClient(port: port)
      try await client.send("GET / HTTP/1.1\r\nHo")
      #expect(try await client.readResponse().status == 408)
      #expect(await client.isEnded())
      let later = try WireClient(port: port)
      #expect(try await later.get("/").status == 200)
      try await later.send("GET / HT")
      #expect(try await later.readResponse().status == 408)
    }
  }

  @Test func `dripping bytes does not stretch the time for a head`() async throws {
    try await withServer(limits: limits { $0.headTimeoutSeconds = 0.3 }) { port, _ in
      let client = try WireClient(port: port)
      let started = ContinuousClock.now
      for byte in "GET / HTTP/1.1\r\nHost: x\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbb".utf8 {
        guard (try? await client.send([byte])) != nil else { break }
        try await Task.sleep(nanoseconds: 15_000_000)
        if ContinuousClock.now - started > .seconds(2) { break }
      }
      #expect(try await client.readResponse().status == 408)
    }
  }

  @Test func `a connection without a request is closed`() async throws {
    let limits = limits {
      $0.idleTimeoutSeconds = 0.2
      $0.headTimeoutSeconds = 0.2
    }
    try await withServer(limits: limits) { port, _ in
      let silent = try WireClient(port: port)
      #expect(await silent.isEnded())
      let kept = try WireClient(port: port)
      #expect(try await kept.get("/").status == 200)
      #expect(await kept.isEnded())
    }
  }

  @Test func `a body that stops coming is refused`() async throws {
    try await withServer(limits: limits { $0.bodyWindowSeconds = 0.2 }) { port, _ in
      let client = try WireClient(port: port)
      #expect(try await client.get("/").status == 200)
      try await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nslow")
      #expect(try await client.readResponse().status == 408)
      #expect(await client.isEnded())
    }
  }

  @Test func `a peer that takes nothing of its answer is cut`() async throws {
    var router = TestRouter()
    router.answer = { $0.respond(status: 200, body: ByteBuffer(repeating: 0x61, count: 30 << 20)) }
    try await withServer(router, limits: limits { $0.stallTimeoutSeconds = 0.2 }) { port, listener in
      let client = try WireClient(port: port)
      try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      for _ in 0..<400 where listener.connectionCount == 1 { try await Task.sleep(nanoseconds: 5_000_000) }
      for _ in 0..<400 where listener.connectionCount > 0 { try await Task.sleep(nanoseconds: 5_000_000) }
      #expect(listener.connectionCount == 0)
      withExtendedLifetime(client) {}
    }
  }

  @Test func `a peer that does not answer a goodbye is dropped`() async throws {
    let router = TestRouter()
    try await withServer(router, limits: limits { $0.closeTimeoutSeconds = 0.2 }) { port, _ in
      let client = try await WireClient.webSocket(port: port)
      try await client.send(.text("close"))
      #expect(try await client.readFrame() == .close(4001, "as you wish"))
      #expect(await client.isEnded())
      #expect(await router.log.waits(for: "closed"))
    }
  }
}

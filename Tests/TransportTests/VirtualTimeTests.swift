import NIOCore
import TestSupport
import Testing

@testable import Transport

/// The real limits, on a clock that the test turns.
struct VirtualTimeTests {
  private static let ping: [UInt8] = [0x89, 0]

  @Test func `a silent WebSocket is pinged at half of its time and closed at the end of it`() throws {
    let wire = try SocketlessWire.webSocket()
    wire.wait(44)
    #expect(try wire.sent().isEmpty)
    wire.wait(3)
    #expect(try wire.sent() == Self.ping)
    wire.wait(42)
    #expect(wire.isActive)
    #expect(try wire.sent().isEmpty)
    wire.wait(3)
    #expect(!wire.isActive)
    #expect(wire.router.log.all == ["opened", "closed"])
    #expect(wire.connections.count == 0)
  }

  @Test func `a WebSocket that answers its pings lives on`() throws {
    let wire = try SocketlessWire.webSocket()
    for _ in 0..<50 {
      wire.wait(48)
      #expect(try wire.sent() == Self.ping)
      try wire.receive(WireFrame(opcode: 10, payload: []).bytes())
    }
    #expect(wire.isActive)
  }

  @Test func `a WebSocket that speaks is not pinged`() throws {
    let wire = try SocketlessWire.webSocket()
    for _ in 0..<20 {
      wire.wait(40)
      try wire.receive(WireFrame.text("0").bytes())
      #expect(try wire.sent() == [0x81, 1, 0x30])
    }
  }

  @Test func `a kept-alive connection has its own time and a head a shorter one`() throws {
    let wire = try SocketlessWire()
    try wire.receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try wire.sentText().hasPrefix("HTTP/1.1 200 "))
    wire.wait(70)
    try wire.receive("GET / HT")
    wire.wait(18)
    #expect(try wire.sent().isEmpty)
    wire.wait(4)
    #expect(try wire.sentText().hasPrefix("HTTP/1.1 408 "))
    let other = try SocketlessWire()
    try other.receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    _ = try other.sent()
    other.wait(74)
    #expect(other.isActive)
    other.wait(4)
    #expect(!other.isActive)
    #expect(try other.sent().isEmpty)
  }

  @Test func `a body that gets on may take long`() throws {
    let wire = try SocketlessWire()
    try wire.receive("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n")
    for _ in 0..<39 {
      try wire.receive([UInt8](repeating: 0x61, count: 1000))
      wire.wait(7)
    }
    #expect(wire.isActive)
    try wire.receive([UInt8](repeating: 0x61, count: 1000))
    #expect(try wire.sentText().hasPrefix("HTTP/1.1 200 "))
    try wire.receive("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n")
    for _ in 0..<3 {
      try wire.receive([UInt8](repeating: 0x61, count: 100))
      wire.wait(7)
    }
    #expect(try wire.sentText().hasPrefix("HTTP/1.1 408 "))
  }
}

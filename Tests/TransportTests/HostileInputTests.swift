import NIOCore
import TestSupport
import Testing

@testable import Transport

/// Whatever comes, the process lives, every handler that was opened is closed, and nothing is left.
struct HostileInputTests {
  private static let requests = [
    "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\nhello, world",
    "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET http://y/z HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "GET /echo HTTP/1.1\r\n\(WireClient.upgradeHead)",
  ]

  private func frames(_ random: inout Random) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<random.below(5) {
      let opcode = [0, 1, 1, 2, 8, 9, 10, 3][random.below(8)] as UInt8
      let payload = (0..<random.below(200)).map { _ in UInt8(random.below(random.below(9) == 0 ? 256 : 128)) }
      bytes += WireFrame(opcode: opcode, payload: payload, isFinal: random.below(4) > 0).bytes()
    }
    return bytes
  }

  private func mutate(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<random.below(3) where !bytes.isEmpty {
      let at = random.below(bytes.count)
      switch random.below(4) {
      case 0: bytes[at] = UInt8(random.below(256))
      case 1: bytes.remove(at: at)
      case 2: bytes.insert([10, 13, 0, 58, 32, 255][random.below(6)], at: at)
      default: bytes.removeLast(bytes.count - at)
      }
    }
    return bytes
  }

  @Test func `mutated requests and frames in random pieces harm nobody`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = Random(seed: seed)
    for round in 0..<1500 {
      var bytes: [UInt8] = []
      for _ in 0..<(1 + random.below(3)) {
        bytes += Array(Self.requests[random.below(Self.requests.count)].utf8)
      }
      bytes = mutate(bytes + frames(&random), &random)
      let wire = try SocketlessWire()
      while !bytes.isEmpty, wire.isActive {
        let count = min(bytes.count, 1 + random.below(random.below(2) == 0 ? 10 : 1000))
        try? wire.receive(Array(bytes[..<count]))
        bytes.removeFirst(count)
      }
      if random.below(2) == 0 { wire.wait(Int64(random.below(200))) }
      if wire.isActive { wire.close() }
      wire.wait(200)
      let events = wire.router.log.all
      #expect(wire.connections.count == 0, "round \(round), seed \(seed)")
      #expect(
        events.filter { $0 == "opened" }.count == events.filter { $0 == "closed" }.count,
        "round \(round), seed \(seed)")
    }
  }
}

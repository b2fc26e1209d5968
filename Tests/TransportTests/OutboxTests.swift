import Glibc
import NIOCore
import Testing

@testable import Transport

struct OutboxTests {
  /// Two ends of a socket.
  private func withPair(_ body: (CInt, CInt) throws -> Void) rethrows {
    var ends: [CInt] = [0, 0]
    _ = socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends)
    defer { for end in ends { close(end) } }
    try body(ends[0], ends[1])
  }

  private func read(_ descriptor: CInt) -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
    return String(decoding: bytes[..<max(count, 0)], as: UTF8.self)
  }

  private func isNothing(_ action: Outbox.Action?) -> Bool {
    if case .nothing? = action { true } else { false }
  }

  @Test(arguments: 1...5)
  func `what is appended leaves in order`(count: Int) {
    withPair { here, there in
      let outbox = Box(Outbox(descriptor: here))
      let pieces = (0..<count).map { "piece \($0);" }
      for piece in pieces { #expect(outbox { $0.append(ByteBuffer(string: piece), budget: 1000) }) }
      #expect(isNothing(outbox { $0.flush() }))
      #expect(outbox { $0.isEmpty })
      #expect(read(there) == pieces.joined())
    }
  }

  @Test func `a shared buffer stays as it was`() {
    withPair { here, there in
      let shared = ByteBuffer(string: "shared ")
      let outbox = Box(Outbox(descriptor: here))
      for piece in [shared, shared, ByteBuffer(string: "own "), shared] { outbox { $0.append(piece) } }
      _ = outbox { $0.flush() }
      #expect(String(buffer: shared) == "shared ")
      #expect(read(there) == "shared shared own shared ")
    }
  }

  @Test func `what the socket does not take is handed over and the rest waits`() throws {
    try withPair { here, there in
      let outbox = Box(Outbox(descriptor: here))
      let big = ByteBuffer(repeating: UInt8(ascii: "a"), count: 4 << 20)
      outbox { $0.append(big) }
      outbox { $0.append(ByteBuffer(string: "tail")) }
      guard case .handOver(let first, let second) = outbox({ $0.flush() }) else {
        Issue.record("a socket took \(big.readableBytes) bytes at once")
        return
      }
      #expect(second.map { String(buffer: $0) } == "tail")
      let sent = big.readableBytes - first.readableBytes
      #expect(sent > 0)
      #expect(outbox { $0.queuedBytes } == first.readableBytes + 4)
      #expect(outbox { $0.append(ByteBuffer(string: "later"), budget: $0.queuedBytes + 5) })
      #expect(isNothing(outbox { $0.flush() }))
      #expect(outbox { $0.queuedBytes } == first.readableBytes + 9)
      var taken = 0
      while taken < sent {
        let count = read(there).utf8.count
        try #require(count > 0)
        taken += count
      }
      #expect(taken == sent)
      outbox { $0.wasWritten() }
      #expect(isNothing(outbox { $0.flush() }))
      #expect(read(there) == "later")
      #expect(outbox { $0.isEmpty })
    }
  }

  @Test func `the budget holds at the bound and not one past it`() {
    let outbox = Box(Outbox(descriptor: -1))
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 60), budget: 100) })
    #expect(!outbox { $0.append(ByteBuffer(repeating: 0, count: 41), budget: 100) })
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 40), budget: 100) })
    guard case .handOver = outbox({ $0.flush() }) else { return #expect(Bool(false)) }
    #expect(outbox { $0.queuedBytes } == 100)
    #expect(!outbox { $0.append(ByteBuffer(repeating: 0, count: 1), budget: 100) })
  }

  @Test func `one item may pass the budget when nothing else waits, and then the budget is for what follows`()
  {
    let outbox = Box(Outbox(descriptor: -1))
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 500), budget: 100) })
    guard case .handOver = outbox({ $0.flush() }) else { return #expect(Bool(false)) }
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 40), budget: 100) })
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 61), budget: 100) } == false)
    outbox { $0.wasWritten() }
    guard case .handOver = outbox({ $0.flush() }) else { return #expect(Bool(false)) }
    outbox { $0.wasWritten() }
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 90), budget: 100) })
    #expect(outbox { $0.append(ByteBuffer(repeating: 0, count: 11), budget: 100) } == false)
  }

  @Test func `a broken socket is told and then left alone`() {
    withPair { here, there in
      let outbox = Box(Outbox(descriptor: here))
      shutdown(there, CInt(SHUT_RDWR))
      outbox { $0.append(ByteBuffer(string: "x")) }
      guard case .broken = outbox({ $0.flush() }) else { return #expect(Bool(false)) }
      #expect(outbox { $0.descriptor } == -1)
    }
  }
}

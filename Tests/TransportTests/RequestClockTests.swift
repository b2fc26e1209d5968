import Testing

@testable import Transport

struct RequestClockTests {
  private static let ticks = Connections.Ticks(
    head: 10, bodyWindow: 5, idle: 40, stall: 20, linger: 2, silence: 90, ping: 45, close: 5)

  private func clock() -> Box<RequestClock> {
    Box(RequestClock(now: 0, ticks: Self.ticks, windowBytes: 100))
  }

  private func verdict(
    _ clock: Box<RequestClock>, at now: Int32, on expectation: RequestClock.Expectation, bytes: Int = 0
  ) -> RequestClock.Verdict {
    clock { $0.verdict(at: now, on: expectation, receivedBytes: bytes) }
  }

  @Test func `the first request has the time of a head, later ones may be awaited longer`() {
    let clock = clock()
    #expect(verdict(clock, at: 9, on: .head) == .fine)
    #expect(verdict(clock, at: 10, on: .head) == .idle)
    clock { $0.partCame() }
    clock { $0.restart(at: 10, receivedBytes: 0) }
    #expect(verdict(clock, at: 49, on: .head) == .fine)
    #expect(verdict(clock, at: 50, on: .head) == .idle)
  }

  @Test func `a head that began has to end in its time`() {
    let clock = clock()
    clock { $0.partCame() }
    #expect(!clock { $0.readCompleted(isReceiving: false) })
    #expect(clock { $0.readCompleted(isReceiving: false) })
    clock { $0.restart(at: 5, receivedBytes: 0) }
    #expect(!clock { $0.readCompleted(isReceiving: false) })
    #expect(verdict(clock, at: 14, on: .head) == .fine)
    #expect(verdict(clock, at: 15, on: .head) == .late)
  }

  @Test func `each window has to bring its bytes of a body`() {
    let clock = clock()
    clock { $0.partCame() }
    #expect(clock { $0.readCompleted(isReceiving: true) })
    clock { $0.restart(at: 0, receivedBytes: 0) }
    #expect(verdict(clock, at: 4, on: .body) == .fine)
    #expect(verdict(clock, at: 5, on: .body, bytes: 100) == .fine)
    #expect(clock { $0.next(after: 5, on: .body) } == 10)
    #expect(verdict(clock, at: 10, on: .body, bytes: 200) == .fine)
    #expect(verdict(clock, at: 15, on: .body, bytes: 299) == .late)
  }

  @Test func `whoever takes nothing for long enough is stalled`() {
    let clock = clock()
    #expect(!clock { $0.isStalled(at: 5, buffered: 100) })
    #expect(!clock { $0.isStalled(at: 24, buffered: 100) })
    #expect(!clock { $0.isStalled(at: 24, buffered: 99) })
    #expect(!clock { $0.isStalled(at: 43, buffered: 99) })
    #expect(clock { $0.isStalled(at: 44, buffered: 99) })
    clock { $0.moves(at: 44) }
    #expect(!clock { $0.isStalled(at: 50, buffered: 99) })
  }

  @Test func `nothing is late while an answer is made`() {
    #expect(verdict(clock(), at: 1000, on: .nothing) == .fine)
    #expect(verdict(clock(), at: 2, on: .linger) == .cut)
  }
}

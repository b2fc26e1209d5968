import NIOCore
import Testing

@testable import EngineIOWire

/// When to ping and when to give up, with 25 seconds between pings, and 60 or 20 for their answers.
@Suite struct HeartbeatTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func at(_ seconds: Double) -> NIODeadline { start + TimeAmount.seconds(seconds) }

  @Test func `a client of revision 3 is lost when nothing has come for an interval and a time-out`() {
    var beat = Heartbeat(revision: .three, limits: EngineIOLimits(), now: start)
    #expect(beat.next == at(85))
    #expect(beat.check(at: at(84.9)) == .fine)
    beat.heard(at: at(80))
    #expect(beat.check(at: at(85)) == .fine)
    #expect(beat.next == at(165))
    #expect(beat.check(at: at(165)) == .lost)
  }

  @Test func `a client of revision 4 is pinged, and lost when it does not answer`() {
    var beat = Heartbeat(revision: .four, limits: EngineIOLimits(), now: start)
    #expect(beat.next == at(25))
    #expect(beat.check(at: at(24.9)) == .fine)
    #expect(beat.check(at: at(25)) == .ping)
    #expect(beat.next == at(45))
    beat.heard(at: at(26))
    #expect(beat.next == at(50))
    #expect(beat.check(at: at(50)) == .ping)
    #expect(beat.check(at: at(69.9)) == .fine)
    #expect(beat.check(at: at(70)) == .lost)
  }

  @Test func `pings that follow an unanswered one give no more time`() {
    var limits = EngineIOLimits()
    limits.pingIntervalSeconds = 1
    limits.pingTimeoutSeconds.four = 3
    var beat = Heartbeat(revision: .four, limits: limits, now: start)
    for second in 1...3 { #expect(beat.check(at: at(Double(second))) == .ping) }
    #expect(beat.check(at: at(4)) == .lost)
  }

  @Test func `a client of revision 4 that never stops talking is pinged all the same`() {
    var beat = Heartbeat(revision: .four, limits: EngineIOLimits(), now: start)
    var pings = 0
    for second in 1...100 {
      beat.heard(at: at(Double(second)))
      if beat.check(at: at(Double(second))) == .ping { pings += 1 }
    }
    #expect(pings == 4)
  }
}

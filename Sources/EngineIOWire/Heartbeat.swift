import NIOCore

/// When to ping, and when to take a client for lost.
///
/// Clients of revision 3 ping, and the server answers; with revision 4 it is the other way round.
struct Heartbeat {
  enum Verdict: Equatable { case fine, ping, lost }

  private let revision: Revision
  private let interval: TimeAmount
  private let timeout: TimeAmount
  private var heardAt: NIODeadline
  private var pingedAt: NIODeadline
  /// When the first ping was sent after which nothing has come.
  private var unansweredSince: NIODeadline?

  init(revision: Revision, limits: EngineIOLimits, now: NIODeadline) {
    self.revision = revision
    interval = .seconds(limits.pingIntervalSeconds)
    timeout = .seconds(limits.pingTimeoutSeconds(revision))
    heardAt = now
    pingedAt = now
  }

  /// A packet has come, of whatever kind.
  mutating func heard(at now: NIODeadline) {
    heardAt = now
    unansweredSince = nil
  }

  /// When to look again.
  var next: NIODeadline {
    revision == .three ? silentAt : min(pingedAt + interval, silentAt)
  }

  mutating func check(at now: NIODeadline) -> Verdict {
    if now >= silentAt { return .lost }
    guard revision == .four, now >= pingedAt + interval else { return .fine }
    pingedAt = now
    if unansweredSince == nil { unansweredSince = now }
    return .ping
  }

  private var silentAt: NIODeadline {
    if revision == .three { return heardAt + interval + timeout }
    // A ping that is not answered in time; whatever comes after it is as good as an answer.
    return unansweredSince.map { $0 + timeout } ?? .distantFuture
  }
}

extension TimeAmount {
  static func seconds(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}

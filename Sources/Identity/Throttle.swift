import Synchronization

/// Lets each name do something so often: a burst at once, then at a steady rate.
///
/// Names are forgotten in two generations, so memory is bounded whoever calls.
package final class Throttle: Sendable {
  private struct Bucket {
    var tokens: Double
    var atMilliseconds: Int64
  }

  private struct State {
    var young: [String: Bucket] = [:]
    var old: [String: Bucket] = [:]
  }

  private let burst: Double
  private let perSecond: Double
  private let nameLimit: Int
  private let state = Mutex(State())

  package init(burst: Int, perHour: Double, nameLimit: Int = 20_000) {
    self.burst = Double(burst)
    perSecond = perHour / 3600
    self.nameLimit = nameLimit
  }

  /// Takes one turn; false when the name has none left for now.
  package func take(_ name: String, nowMilliseconds: Int64) -> Bool {
    state.withLock { state in
      var bucket = filled(&state, name, nowMilliseconds)
      let isAllowed = bucket.tokens >= 1
      if isAllowed { bucket.tokens -= 1 }
      keep(bucket, name, &state)
      return isAllowed
    }
  }

  /// Gives the name all its turns back.
  package func forgive(_ name: String) {
    state.withLock { state in
      state.young[name] = nil
      state.old[name] = nil
    }
  }

  private func filled(_ state: inout State, _ name: String, _ now: Int64) -> Bucket {
    guard var bucket = state.young[name] ?? state.old[name] else {
      return Bucket(tokens: burst, atMilliseconds: now)
    }
    let elapsed = max(0, now - bucket.atMilliseconds)
    bucket.tokens = min(burst, bucket.tokens + Double(elapsed) / 1000 * perSecond)
    bucket.atMilliseconds = now
    return bucket
  }

  private func keep(_ bucket: Bucket, _ name: String, _ state: inout State) {
    if state.young.count >= nameLimit, state.young[name] == nil {
      state.old = state.young
      state.young = [:]
    }
    state.young[name] = bucket
  }
}

/// All the throttles of sign-in.
package struct SignInThrottles: Sendable {
  /// Attempts of one address.
  let attempts: Throttle
  /// Accounts made from one address.
  let signUps: Throttle
  /// Wrong passwords and codes for one account.
  let failures: Throttle
  /// Messages to one address of mail or phone number.
  let messages: Throttle

  package init(
    attempts: Throttle = Throttle(burst: 200, perHour: 6000),
    signUps: Throttle = Throttle(burst: 100, perHour: 200),
    failures: Throttle = Throttle(burst: 10, perHour: 30),
    messages: Throttle = Throttle(burst: 5, perHour: 10)
  ) {
    self.attempts = attempts
    self.signUps = signUps
    self.failures = failures
    self.messages = messages
  }

  /// None, for development: tests sign in all the time.
  package static var none: SignInThrottles {
    let throttle = { Throttle(burst: .max, perHour: 0, nameLimit: 1) }
    return SignInThrottles(
      attempts: throttle(), signUps: throttle(), failures: throttle(), messages: throttle())
  }
}

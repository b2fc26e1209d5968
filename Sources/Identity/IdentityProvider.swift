import Synchronization

/// Somebody who is trusted to say who users are: Firebase Auth, or any OpenID provider.
package final class IdentityProvider: Sendable {
  /// What its tokens have as `iss`, to the letter.
  package let issuer: String
  /// One of these must be in `aud`.
  package let audiences: [String]
  /// The databases it is trusted for; nil for all.
  package let databases: Set<String>?
  private let source: any KeySource
  private let state: Mutex<State>

  private struct State {
    var keys: [VerificationKey] = []
    /// When the keys have to be asked for again, and from when on they are not believed, in seconds.
    var freshUntil: Int64 = .min
    var believedUntil: Int64 = .min
    /// Nobody asks before that second.
    var nextAttempt: Int64 = .min
    var isFetching = false
    var waiters: [@Sendable () -> Void] = []
    /// Why the keys could not be had at the last attempt.
    var trouble: String?
  }

  package init(issuer: String, audiences: [String], databases: Set<String>? = nil, source: any KeySource) {
    self.issuer = issuer
    self.audiences = audiences
    self.databases = databases
    self.source = source
    state = Mutex(State())
  }

  func serves(_ database: String) -> Bool { databases?.contains(database) ?? true }

  /// Why the keys could not be had when they were last asked for; nil when they could.
  package var trouble: String? { state.withLock { $0.trouble } }

  /// The keys that may have signed a token.
  func keys(for token: Token, algorithm: SignatureAlgorithm, nowSeconds: Int64) -> [VerificationKey] {
    state.withLock { state in
      guard nowSeconds < state.believedUntil else { return [] }
      let fitting = state.keys.filter { $0.algorithm == algorithm }
      if let id = token.keyID { return fitting.filter { $0.id == id } }
      return fitting.count == 1 ? fitting : []
    }
  }

  /// Whether it is time to ask for the keys again, although those that are there will do.
  func isStale(nowSeconds: Int64) -> Bool {
    state.withLock { nowSeconds >= $0.freshUntil }
  }

  /// Fetches the keys, unless that has been tried just now; `done` is called in either case, on any thread.
  /// False when too many wait already.
  @discardableResult
  func refresh(nowSeconds: Int64, _ done: @escaping @Sendable () -> Void = {}) -> Bool {
    enum Step { case fetch, wait, tooSoon, full }
    let step = state.withLock { state -> Step in
      if state.isFetching {
        guard state.waiters.count < IdentityLimits.waitingCredentials else { return .full }
        state.waiters.append(done)
        return .wait
      }
      guard nowSeconds >= state.nextAttempt else { return .tooSoon }
      state.isFetching = true
      state.nextAttempt = nowSeconds + IdentityLimits.keyRefreshSeconds
      state.waiters.append(done)
      return .fetch
    }
    switch step {
    case .fetch: Task { await fetch(nowSeconds: nowSeconds) }
    case .wait: break
    case .tooSoon: done()
    case .full: return false
    }
    return true
  }

  /// Fetches the keys and waits for them.
  package func prepare(nowSeconds: Int64) async {
    await withCheckedContinuation { continuation in
      if !refresh(nowSeconds: nowSeconds, { continuation.resume() }) { continuation.resume() }
    }
  }

  private func fetch(nowSeconds: Int64) async {
    var keys: [VerificationKey]?
    var fresh: Int64?
    var trouble: String?
    do {
      let fetched = try await source.fetch()
      keys = await VerificationKey.set(json: fetched.json)
      fresh = fetched.freshSeconds
      if keys == nil { trouble = "the answer is not a set of keys" }
    } catch {
      trouble = "\(error)"
    }
    let (found, seconds, reason) = (keys, fresh, trouble)
    let waiters = state.withLock { state in
      state.isFetching = false
      state.trouble = reason
      if let found {
        let bounds = IdentityLimits.keyFreshSeconds
        state.keys = found
        state.freshUntil = nowSeconds + min(max(seconds ?? 3600, bounds.lowerBound), bounds.upperBound)
        state.believedUntil = state.freshUntil + IdentityLimits.keyStaleSeconds
      }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter() }
  }
}

import NIOCore
import Synchronization
package import Transport

/// The sessions of a server that are carried by long polling.
///
/// A session lives on the loop of its first request. Its name and its password can't be guessed; a request
/// that does not know both learns nothing, not even whether there is such a session.
package final class Polling: Sendable {
  package let limits: PollLimits

  private struct Sessions {
    var byID: [String: (key: PollKey, link: NIOLoopBound<PollLink>)] = [:]
    /// The sessions' ids by the names that their clients know them by.
    var ids: [String: String] = [:]
    var isStopping = false
  }

  private let sessions = Mutex(Sessions())
  private let waitingBytes = Atomic(0)

  init(limits: PollLimits) {
    self.limits = limits
  }

  /// How many sessions there are.
  package var count: Int { sessions.withLock { $0.byID.count } }

  /// How many bytes wait for polls to come.
  package var bytesWaiting: Int { waitingBytes.load(ordering: .relaxed) }

  // MARK: Requests

  /// Answers a request, now or later.
  package func respond(to exchange: Exchange, services: FirebaseServices) {
    guard exchange.head.method == "GET" else {
      return exchange.respond(status: 405, headers: [("allow", "GET")])
    }
    switch PollRequest(exchange.head) {
    case .start(let callback): start(exchange, callback, services)
    case .poll(let key, let serial, let segments): poll(exchange, key, serial, segments)
    case .departureFrame:
      exchange.respond(status: 200, headers: Self.frameHeaders, body: PollScript.departureFrame)
    case .disconnect(let key):
      exchange.respond(status: 200, headers: [("content-type", "text/plain"), ("cache-control", "no-store")])
      guard let link = session(key) else { return }
      link.eventLoop.execute { link.value.lose() }
    case .invalid:
      exchange.respond(status: 400, headers: [("content-type", "text/plain")])
    }
  }

  private static let frameHeaders = [
    ("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"),
    (
      "content-security-policy",
      "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'; img-src 'self'"
    ),
    ("cross-origin-resource-policy", "cross-origin"),
  ]

  private func start(_ exchange: Exchange, _ callback: String, _ services: FirebaseServices) {
    let eventLoop = exchange.eventLoop
    let poll = HeldPoll(exchange)
    let link = PollLink(
      key: PollKey(id: FirebaseServices.randomSession(), password: FirebaseServices.randomSession()),
      callback: callback, start: poll,
      connection: FirebaseConnection(services: services, head: exchange.head), polling: self,
      messageBytes: services.limits.messageBytes, remoteAddress: exchange.head.remoteAddress,
      eventLoop: eventLoop)
    let bound = NIOLoopBound(link, eventLoop: eventLoop)
    let isAdmitted = sessions.withLock { sessions in
      guard !sessions.isStopping, sessions.byID.count < limits.sessions else { return false }
      sessions.byID[link.key.id] = (link.key, bound)
      return true
    }
    guard isAdmitted else { return exchange.respond(status: 503, headers: [("retry-after", "5")]) }
    exchange.onClose = { link.pollLeft(poll) }
    // Not at once: the request may come while another exchange of its connection is being answered.
    eventLoop.execute { bound.value.open() }
  }

  private func poll(_ exchange: Exchange, _ key: PollKey, _ serial: Int64, _ segments: [PollSegment]) {
    let poll = HeldPoll(exchange)
    guard let link = session(key) else { return poll.answer(PollScript.unknown) }
    exchange.onClose = { link.eventLoop.execute { link.value.pollLeft(poll) } }
    link.eventLoop.execute { link.value.receive(poll, serial: serial, segments: segments) }
  }

  private func session(_ key: PollKey) -> NIOLoopBound<PollLink>? {
    guard let session = sessions.withLock({ $0.byID[key.id] }), session.key.opens(key) else { return nil }
    return session.link
  }

  // MARK: Sessions

  /// A session's client has been told the session's name.
  func name(_ link: PollLink, _ sessionID: String) {
    sessions.withLock { sessions in
      if sessions.byID[link.key.id] != nil { sessions.ids[sessionID] = link.key.id }
    }
  }

  /// A session is over.
  func forget(_ link: PollLink) {
    sessions.withLock { sessions in
      sessions.byID[link.key.id] = nil
      if let name = link.sessionID { sessions.ids[name] = nil }
    }
  }

  /// The session that its client knows by this name.
  func session(named sessionID: String) -> NIOLoopBound<PollLink>? {
    sessions.withLock { sessions in sessions.ids[sessionID].flatMap { sessions.byID[$0]?.link } }
  }

  /// Ends all sessions, and begins none from now on. Returns when they have ended.
  package func stop() async {
    let links = sessions.withLock { sessions in
      sessions.isStopping = true
      return sessions.byID.values.map(\.link)
    }
    for link in links {
      // A loop that is gone has no sessions.
      try? await link.eventLoop.submit { link.value.close(code: CloseCode.goingAway, reason: "") }.get()
    }
  }

  // MARK: Memory

  /// Takes room for bytes that wait for a poll; false if there is none.
  func reserve(_ count: Int) -> Bool {
    let before = waitingBytes.add(count, ordering: .relaxed).oldValue
    if before == 0 || before + count <= limits.totalBudgetBytes { return true }
    waitingBytes.subtract(count, ordering: .relaxed)
    return false
  }

  func release(_ count: Int) {
    waitingBytes.subtract(count, ordering: .relaxed)
  }
}

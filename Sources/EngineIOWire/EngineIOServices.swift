package import NIOCore
import Synchronization
package import Transport

/// Engine.IO as a carrier of messages: whoever speaks in a session gets them from a handler of its own.
///
/// A session lives on the loop of its first request. Its name can't be guessed, and whoever knows it may act
/// in it.
package final class EngineIOServices: Sendable {
  package let limits: EngineIOLimits
  /// Makes the handler of a session whose client has connected.
  let accept: @Sendable (RequestHead) -> any MessageHandler
  let newID: @Sendable () -> String

  private struct Sessions {
    var byID: [String: NIOLoopBound<EngineLink>] = [:]
    var isStopping = false
  }

  /// Those that began with polls.
  private let sessions = Mutex(Sessions())
  private let waitingBytes = Atomic(0)

  package init(
    limits: EngineIOLimits = EngineIOLimits(),
    newID: @escaping @Sendable () -> String = EngineIOServices.randomID,
    accept: @escaping @Sendable (RequestHead) -> any MessageHandler
  ) {
    self.limits = limits
    self.newID = newID
    self.accept = accept
  }

  /// A name from the system's random numbers: 24 letters and digits.
  @Sendable package static func randomID() -> String {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    let letters = (0..<24).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
    return String(decoding: letters, as: UTF8.self)
  }

  /// Whether a request speaks Engine.IO, by its parameters.
  package static func isMeant(by head: RequestHead) -> Bool { EngineRequest.isMeant(by: head) }

  /// How many polled sessions there are.
  package var count: Int { sessions.withLock { $0.byID.count } }

  /// How many bytes wait for polls to come.
  package var bytesWaiting: Int { waitingBytes.load(ordering: .relaxed) }

  // MARK: Requests

  /// Answers a request, now or later.
  package func respond(to exchange: Exchange) {
    let held = HeldExchange(exchange)
    if exchange.head.method == "OPTIONS" {
      return held.answerPreflight(requestedHeaders: exchange.head.header("access-control-request-headers"))
    }
    do throws(EngineRefusal) {
      try respond(to: exchange, held)
    } catch {
      held.refuse(error)
    }
  }

  private func respond(to exchange: Exchange, _ held: HeldExchange) throws(EngineRefusal) {
    let request = try EngineRequest(exchange.head)
    guard request.carrier == .polling else { throw .badRequest }
    let method = exchange.head.method
    guard request.sessionID != nil else {
      guard method == "GET" else { throw .badHandshakeMethod }
      return try begin(request, exchange, held)
    }
    let session = try session(of: request)
    switch method {
    case "GET":
      exchange.onClose = { session.eventLoop.execute { session.value.pollLeft(held) } }
      session.eventLoop.execute { session.value.poll(held) }
    case "POST":
      let isBinary = exchange.head.header("content-type")?.hasPrefix("application/octet-stream") ?? false
      let body = exchange.body
      session.eventLoop.execute { session.value.post(held, body, isBinary: isBinary) }
    default: throw .badRequest
    }
  }

  private func begin(
    _ request: EngineRequest, _ exchange: Exchange, _ held: HeldExchange
  ) throws(EngineRefusal) {
    let link = EngineLink(
      request, head: exchange.head, services: self, eventLoop: exchange.eventLoop)
    let bound = NIOLoopBound(link, eventLoop: exchange.eventLoop)
    let isAdmitted = sessions.withLock { sessions in
      guard !sessions.isStopping, sessions.byID.count < limits.sessions else { return false }
      sessions.byID[link.id] = bound
      return true
    }
    guard isAdmitted else { throw .full }
    exchange.onClose = { link.finish() }
    link.polls?.held = held
    // Not at once: the request may come while another exchange of its connection is being answered.
    exchange.eventLoop.execute { bound.value.begin() }
  }

  private func session(of request: EngineRequest) throws(EngineRefusal) -> NIOLoopBound<EngineLink> {
    guard let id = request.sessionID, let session = sessions.withLock({ $0.byID[id] }) else {
      throw .unknownSession
    }
    return session
  }

  // MARK: WebSockets

  /// Says whether a WebSocket may be opened, and who handles its messages.
  package func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    do throws(EngineRefusal) {
      let request = try EngineRequest(head)
      guard request.carrier == .webSocket else { throw .badRequest }
      guard request.sessionID != nil else {
        return .accept(EngineLink(request, head: head, services: self, eventLoop: eventLoop))
      }
      return .accept(UpgradeHandler(session: try session(of: request)))
    } catch {
      return .refuse(status: error.status, text: error.message)
    }
  }

  // MARK: Sessions

  /// A session is over.
  func forget(_ link: EngineLink) {
    guard link.polls != nil else { return }
    sessions.withLock { $0.byID[link.id] = nil }
  }

  /// Ends all sessions that are polled, and begins none from now on. Returns when they have been told.
  package func stop() async {
    let links = sessions.withLock { sessions in
      sessions.isStopping = true
      return Array(sessions.byID.values)
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
    if count > 0 { waitingBytes.subtract(count, ordering: .relaxed) }
  }
}

import Engine
import EngineIOWire
import FirebaseWire
import Identity
import Logging
import NIOCore
import RESTWire
import Synchronization
import Transport

/// Sends each request to the part that answers it. Data paths can't begin with a dot, so everything that is
/// not data lives under dot names, and whatever is left is REST.
final class Routes: Router {
  private let rest: RESTHandler
  private let firebase: FirebaseServices
  private let engineIO: EngineIOServices
  private let admin: AdminRoutes
  private let auth: AuthRoutes
  private let databases: Databases
  private let metrics = Metrics()
  private let metricsNeedOperator: Bool
  private let listener = Mutex<Listener?>(nil)
  private let isStopping = Atomic(false)

  init(
    _ configuration: Configuration, databases: Databases, authenticator: any Authenticator,
    identities: Identities, logger: Logger
  ) {
    self.databases = databases
    metricsNeedOperator = !configuration.isDevelopment
    auth = AuthRoutes(
      accounts: identities.accounts, keys: identities.keys,
      services: ServiceTokens(keys: identities.keys, keyring: identities.keyring),
      authenticator: authenticator, audit: identities.audit, databases: databases,
      baseDomain: configuration.baseDomain, isBehindProxy: configuration.isBehindProxy,
      isDevelopment: configuration.isDevelopment, logger: logger)
    admin = AdminRoutes(
      databases: databases, identities: identities, authenticator: authenticator, clock: SystemClock(),
      isBehindProxy: configuration.isBehindProxy, logger: logger)
    var services = RESTServices(
      directory: databases, authenticator: authenticator, lister: databases,
      baseDomain: configuration.baseDomain)
    services.settingsChanged = { id, what, address in
      Task { await identities.note("\(what).install", id, address: address, logger: logger) }
    }
    rest = RESTHandler(services)
    let firebase = FirebaseServices(
      databases: databases, authenticator: authenticator,
      naming: DatabaseNaming(baseDomains: configuration.baseDomain.map { [$0] } ?? []),
      explainsDenials: configuration.isDevelopment)
    self.firebase = firebase
    engineIO = EngineIOServices(accept: { firebase.wilddogHandler(for: $0) })
  }

  /// Tells where connections come from, so that they can be counted.
  func begin(_ listener: Listener) {
    self.listener.withLock { $0 = listener }
  }

  /// From now on load balancers are told to look elsewhere.
  func beginStopping() {
    isStopping.store(true, ordering: .relaxed)
  }

  /// Says goodbye to everybody whose connection is no socket of its own.
  func endPolling() async {
    await firebase.polling.stop()
    await engineIO.stop()
  }

  func respond(to exchange: Exchange) {
    let path = exchange.head.path
    if isEngineIO(exchange.head) { return engineIO.respond(to: exchange) }
    guard path.utf8.starts(with: "/.".utf8) else {
      // Data has `.json` at its end; what has not may be for accounts.
      let isData = path.utf8.suffix(5).elementsEqual(".json".utf8)
      if !isData, AuthRoutes.isAuth(path: path) { return auth.respond(to: exchange) }
      if path == WilddogLookup.path { return WilddogLookup.respond(to: exchange) }
      return rest.respond(to: exchange)
    }
    switch path {
    case "/.health": health(exchange)
    case "/.metrics": report(exchange)
    case "/.ws", "/.ws/": exchange.respond(status: 426, headers: [("upgrade", "websocket")])
    case "/.lp": firebase.respondToPoll(exchange)
    case _ where AdminRoutes.isAdmin(path: path): admin.respond(to: exchange)
    case _ where SDKFiles.isSDK(path: path): SDKFiles.shared.respond(to: exchange)
    case _ where AuthRoutes.isAuth(path: path): auth.respond(to: exchange)
    default: rest.respond(to: exchange)
    }
  }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    if isEngineIO(head) { return engineIO.acceptWebSocket(head, on: eventLoop) }
    guard head.path == "/.ws" || head.path == "/.ws/" else {
      return .refuse(status: 404, text: "WebSockets are at /.ws only.\n")
    }
    return .accept(firebase.webSocketHandler(for: head))
  }

  /// Wilddog's clients come to the place of Firebase's, and say in the query that they speak Engine.IO; those
  /// of Socket.IO have a place of their own.
  private func isEngineIO(_ head: RequestHead) -> Bool {
    let path = head.path
    guard (4...11).contains(path.utf8.count) else { return false }
    return switch path {
    case "/socket.io/", "/socket.io": true
    case "/.ws/", "/.ws": EngineIOServices.isMeant(by: head)
    default: false
    }
  }

  func bodyLimitBytes(for head: RequestHead) -> Int {
    if isEngineIO(head) { return engineIO.limits.payloadBytes }
    guard head.method == "POST" else { return rest.bodyLimitBytes(for: head) }
    let path = head.path
    let isSmall = AuthRoutes.isAuth(path: path) || AdminRoutes.isAdmin(path: path)
    return isSmall ? RequestParameters.bodyLimitBytes : rest.bodyLimitBytes(for: head)
  }

  private var connectionCount: Int { listener.withLock { $0?.connectionCount ?? 0 } }

  private func health(_ exchange: Exchange) {
    if isStopping.load(ordering: .relaxed) {
      exchange.respond(status: 503, json: #"{"status":"stopping"}"#)
    } else {
      exchange.respond(json: #"{"status":"ok"}"#)
    }
  }

  private func report(_ exchange: Exchange) {
    guard !metricsNeedOperator || admin.isOperator(exchange.head) else {
      return exchange.respond(status: 401, error: "Permission denied")
    }
    let bound = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
    Metrics.gather(from: databases, on: exchange.eventLoop) { [self] counters in
      let polling = firebase.polling
      let gauges = Metrics.Gauges(
        connections: connectionCount, databases: databases.open.count, polledSessions: polling.count,
        polledBytes: polling.bytesWaiting)
      let text = metrics.text(counters: counters, gauges: gauges)
      bound.value.respond(
        status: 200, headers: [("content-type", "text/plain; version=0.0.4; charset=utf-8")],
        body: ByteBuffer(string: text))
    }
  }
}

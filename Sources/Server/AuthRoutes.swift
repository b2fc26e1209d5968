import Engine
import Identity
import Logging
import NIOCore
import Transport

/// The endpoints of accounts: two faces over one core, and what belongs to neither.
///
///     /identitytoolkit.googleapis.com/v1/projects/…                      as Firebase's Admin SDKs call them
///     /identitytoolkit.googleapis.com/…, /securetoken.googleapis.com/…    as Firebase's Auth SDKs call them
///     /www.googleapis.com/identitytoolkit/v3/relyingparty/…               as those before 9 do in JavaScript
///     /v2/DATABASE/auth/…                                                 as Wilddog's SDK calls them
///     /.auth/jwks.json                                                    the public keys of our tokens
///     /.auth/customTokenToIdToken.json                                    Wilddog's exchange over REST
///     /.auth/token                                                        where service accounts get tokens
struct AuthRoutes: Sendable {
  let accounts: Accounts
  let keys: OwnKeys
  let services: ServiceTokens
  let authenticator: any Authenticator
  let audit: AuditLog
  let databases: Databases
  let baseDomain: String?
  /// A proxy in front says where callers are.
  let isBehindProxy: Bool
  /// Every database may be signed in to, whether it is there yet or not.
  let isDevelopment: Bool
  let logger: Logger

  /// An answer as it goes out.
  struct Reply: Sendable {
    var status = 200
    var body: JSONValue
    /// What was made by it, for the audit log.
    var subject: String?
  }

  static func isAuth(path: Substring) -> Bool {
    path.hasPrefix(IdentityToolkit.prefix) || path.hasPrefix(IdentityToolkit.olderPrefix)
      || path.hasPrefix(IdentityToolkit.tokenPath) || path.hasPrefix("/.auth/")
      || WilddogAuth.isAuth(path: path)
  }

  func respond(to exchange: Exchange) {
    let head = exchange.head
    if head.method == "OPTIONS" { return preflight(exchange) }
    if head.path == "/.auth/jwks.json", head.method == "GET" {
      let headers = [
        ("content-type", "application/json; charset=utf-8"), ("cache-control", "public, max-age=300"),
        ("access-control-allow-origin", "*"),
      ]
      return exchange.respond(status: 200, headers: headers, body: ByteBuffer(string: keys.keySet))
    }
    guard head.method == "POST" || head.method == "GET" else {
      return send(Reply(status: 405, body: ["error": "Only POST is supported here."]), to: exchange)
    }
    let parameters = RequestParameters(exchange)
    if head.path.hasPrefix("/v2/") {
      run(exchange) { await WilddogAuth(routes: self).reply(to: head, parameters) }
    } else if head.path.hasPrefix("/.auth/") {
      run(exchange) { await self.exchangeToken(head, parameters) }
    } else if head.path.hasPrefix(IdentityToolkitAdmin.prefix) {
      let admin = IdentityToolkitAdmin(accounts: accounts, authenticator: authenticator, routes: self)
      run(exchange) { await admin.reply(to: head, parameters) }
    } else {
      run(exchange) { await IdentityToolkit(routes: self).reply(to: head, parameters) }
    }
  }

  /// Wilddog's exchange of a custom token over REST.
  private func exchangeToken(_ head: RequestHead, _ parameters: RequestParameters?) async -> Reply {
    if head.path == Self.tokenEndpoint { return serviceToken(parameters) }
    guard head.path == "/.auth/customTokenToIdToken.json" else {
      return Reply(status: 404, body: ["error": "There is no such endpoint."])
    }
    do {
      let name = parameters?["ns"] ?? hostLabel(head) ?? "default"
      let database = try await database(name)
      let signedIn = try await accounts.signIn(
        customToken: parameters?["token"] ?? "", call(database, head))
      return Reply(body: [
        "idToken": .string(signedIn.idToken), "expireIn": .number(Double(signedIn.expiresInSeconds)),
      ])
    } catch {
      let words = WilddogAuth.words(for: accountError(error))
      return Reply(
        status: 400,
        body: ["error": ["code": .number(Double(words.code)), "errorMessage": .string(words.message)]])
    }
  }

  /// What a service account file names as `token_uri`, after the server's own address.
  static let tokenEndpoint = "/.auth/token"

  /// A token for one of the operator's own services (RFC 7523).
  private func serviceToken(_ parameters: RequestParameters?) -> Reply {
    guard parameters?["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" else {
      return Reply(status: 400, body: ["error": "unsupported_grant_type"])
    }
    do {
      let (token, seconds) = try services.exchange(
        assertion: parameters?["assertion"] ?? "", endpoint: Self.tokenEndpoint,
        nowSeconds: SystemClock().nowMilliseconds() / 1000)
      return Reply(body: [
        "access_token": .string(token), "token_type": "Bearer", "expires_in": .number(Double(seconds)),
      ])
    } catch {
      _ = accountError(error)
      return Reply(
        status: 400, body: ["error": "invalid_grant", "error_description": "The assertion is not valid."])
    }
  }

  /// Where a caller is. Only what the nearest proxy added can be believed.
  static func address(of head: RequestHead, isBehindProxy: Bool) -> String? {
    if isBehindProxy, let last = head.headers("x-forwarded-for").last?.split(separator: ",").last {
      return String(last.drop { $0 == " " }.prefix(64))
    }
    return head.remoteAddress
  }

  /// Writes down what an operator did to a user.
  func note(_ action: String, _ database: String, _ uid: String, _ address: String?) async {
    let entry = AuditLog.Entry(
      action, database: database, subject: uid, address: address,
      nowMilliseconds: SystemClock().nowMilliseconds())
    logger.notice("\(action)", metadata: ["database": "\(database)", "subject": "\(uid)"])
    do {
      try await audit.record(entry)
    } catch {
      logger.error("the audit log can't be written", metadata: ["error": "\(error)", "action": "\(action)"])
    }
  }

  // MARK: Who calls, for what

  func call(
    _ database: String, _ head: RequestHead, tokenSeconds: Int64 = IdentityLimits.tokenSeconds
  ) -> SignInCall {
    let address = Self.address(of: head, isBehindProxy: isBehindProxy)
    return SignInCall(database: database, address: address ?? "", tokenSeconds: tokenSeconds)
  }

  /// The database of a name, if it can be signed in to.
  func database(_ name: String) async throws -> String {
    guard let id = try? DatabaseID(name) else { throw AccountError.missing("database") }
    if !isDevelopment { guard try await databases.exists(id) else { throw AccountError.missing("database") } }
    return id.name
  }

  /// The database that the host names, below the base domain.
  func hostLabel(_ head: RequestHead) -> String? {
    guard let baseDomain, let host = head.host?.lowercased().split(separator: ":").first,
      host.hasSuffix("." + baseDomain)
    else { return nil }
    let label = host.dropLast(baseDomain.utf8.count + 1)
    return label.contains(".") ? nil : String(label)
  }

  /// What went wrong, as the faces know it. Anything unforeseen is for the log alone.
  func accountError(_ error: any Error) -> AccountError {
    if let error = error as? AccountError {
      if case .unavailable(let text) = error {
        logger.error("sign-in failed", metadata: ["error": "\(text)"])
      }
      return error
    }
    logger.error("sign-in failed", metadata: ["error": "\(error)"])
    return .unavailable("")
  }

  // MARK: Answering

  private func preflight(_ exchange: Exchange) {
    let requested = exchange.head.header("access-control-request-headers") ?? "content-type"
    // Only what a header's name may hold goes back.
    let isPlain = requested.utf8.allSatisfy { $0 > 31 && $0 < 127 }
    exchange.respond(
      status: 204,
      headers: [
        ("access-control-allow-origin", "*"), ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", isPlain ? requested : "content-type"),
        ("access-control-max-age", "3600"),
      ])
  }

  private func run(_ exchange: Exchange, _ work: @escaping @Sendable () async -> Reply) {
    let bound = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
    let eventLoop = exchange.eventLoop
    Task {
      let reply = await work()
      eventLoop.execute { send(reply, to: bound.value) }
    }
  }

  private func send(_ reply: Reply, to exchange: Exchange) {
    exchange.respond(
      status: reply.status,
      headers: [
        ("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store"),
        ("access-control-allow-origin", "*"),
      ], body: ByteBuffer(string: reply.body.json))
  }
}

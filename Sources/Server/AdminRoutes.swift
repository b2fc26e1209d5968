import Engine
import Identity
import Logging
import NIOCore
import Rules
import Transport

/// The endpoints that manage whole databases and the server; every one needs the server operator's
/// credential.
///
///     GET          /.admin/databases.json                           every database
///     PUT  DELETE  /.admin/databases/NAME.json                      make one, with its secret; remove one
///     GET  POST    /.admin/databases/NAME/secrets.json              its secrets; make another
///     DELETE       /.admin/databases/NAME/secrets/ID.json           revoke one
///     GET  POST    /.admin/databases/NAME/service-accounts.json     its service accounts' keys; make one
///     DELETE       /.admin/databases/NAME/service-accounts/ID.json  revoke one
///     GET  POST    /.admin/databases/NAME/users.json                its users; make one
///     GET          /.admin/databases/NAME/users/UID.json            one of them
///     POST         /.admin/databases/NAME/users/UID/MEASURE.json    sign-out, disable, enable, claims,
///                                                                   password, delete
///     POST         /.admin/keys/rotate.json                         sign tokens with a new key
///     GET          /.admin/audit.json                               what was done here, the newest first
struct AdminRoutes: Sendable {
  let databases: Databases
  let identities: Identities
  let authenticator: any Authenticator
  let clock: any Clock
  let isBehindProxy: Bool
  let logger: Logger

  static func isAdmin(path: Substring) -> Bool { path.hasPrefix("/.admin/") }

  func respond(to exchange: Exchange) {
    let head = exchange.head
    guard isOperator(head) else { return exchange.respond(status: 401, error: "Permission denied") }
    guard let request = AdminRequest(method: head.method, path: head.path) else {
      return exchange.respond(
        status: 400, error: "A database name is 1 to 63 of a-z, 0-9, - and _, followed by .json here.")
    }
    guard let parameters = RequestParameters(exchange) else {
      return exchange.respond(status: 400, error: "The body must be a JSON object.")
    }
    let bound = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
    let (eventLoop, address) = (
      exchange.eventLoop, AuthRoutes.address(of: head, isBehindProxy: isBehindProxy)
    )
    Task {
      let reply: AuthRoutes.Reply
      do {
        reply = try await self.reply(to: request, parameters, address)
      } catch {
        reply = Self.reply(to: error, logger)
      }
      eventLoop.execute { bound.value.respond(status: reply.status, json: reply.body.json) }
    }
  }

  /// Whether a request carries the server operator's credential, in its header only: a web page can't make a
  /// browser add it. A database's own secret is not enough.
  func isOperator(_ head: RequestHead) -> Bool {
    guard let header = head.header("authorization"), header.lowercased().hasPrefix("bearer ") else {
      return false
    }
    guard let id = try? DatabaseID("default") else { return false }
    let credential = String(header.dropFirst("bearer ".count))
    let answer = authenticator.authenticate(
      credential, database: id, nowSeconds: clock.nowMilliseconds() / 1000)
    guard let caller = (try? answer.get())?.caller else { return false }
    return caller.isAdmin && !caller.isConfined
  }

  private var nowSeconds: Int64 { clock.nowMilliseconds() / 1000 }

  private func reply(to request: AdminRequest, _ parameters: RequestParameters, _ address: String?)
    async throws -> AuthRoutes.Reply
  {
    let reply = try await perform(request, parameters)
    guard let action = request.action, reply.status < 300 else { return reply }
    var metadata: Logger.Metadata = [:]
    metadata["database"] = request.database.map { "\($0)" }
    metadata["subject"] = (request.subject ?? reply.subject).map { "\($0)" }
    logger.notice("\(action)", metadata: metadata)
    try await identities.audit.record(
      AuditLog.Entry(
        action, database: request.database?.name, subject: request.subject ?? reply.subject, address: address,
        nowMilliseconds: clock.nowMilliseconds()))
    return reply
  }

  private func perform(_ request: AdminRequest, _ parameters: RequestParameters) async throws
    -> AuthRoutes.Reply
  {
    if let id = request.database, request.isBelowDatabase {
      guard try await databases.exists(id) else { return Self.unknown(id) }
    }
    switch request {
    case .unsupported(let methods):
      return AuthRoutes.Reply(status: 405, body: ["error": .string("Only \(methods) is supported here.")])
    case .listDatabases:
      return AuthRoutes.Reply(body: .list(try await databases.names().map { ["name": .string($0)] }))
    case .create(let id): return try await create(id)
    case .delete(let id):
      guard try await databases.delete(id) else { return Self.unknown(id) }
      try await identities.removeAll(of: id)
      return AuthRoutes.Reply(body: ["name": .string(id.name), "deleted": true])
    case .listSecrets, .addSecret, .revokeSecret, .listServices, .addService, .revokeService:
      return try await keys(request, parameters)
    case .listUsers, .addUser, .showUser, .user:
      return try await AdminUsers(accounts: identities.accounts).reply(to: request, parameters)
    case .rotateKeys:
      try await identities.keys.rotate(
        nowSeconds: nowSeconds, distrustsOld: parameters.bool("distrustOld") ?? false)
      return AuthRoutes.Reply(body: ["rotated": true])
    case .audit:
      let count = parameters["limit"].flatMap { Int($0) } ?? 100
      return AuthRoutes.Reply(body: .list(try await identities.audit.newest(count).map(Self.show)))
    }
  }

  private func create(_ id: DatabaseID) async throws -> AuthRoutes.Reply {
    guard try await databases.create(id) else {
      return AuthRoutes.Reply(body: ["name": .string(id.name), "created": false])
    }
    let secret = try await identities.secrets.add(to: id.name, nowSeconds: nowSeconds)
    return AuthRoutes.Reply(
      status: 201,
      body: ["name": .string(id.name), "created": true, "secret": .string(secret.text)])
  }

  private func keys(_ request: AdminRequest, _ parameters: RequestParameters) async throws
    -> AuthRoutes.Reply
  {
    switch request {
    case .listSecrets(let id):
      return AuthRoutes.Reply(body: .list(try await identities.secrets.secrets(of: id.name).map(Self.show)))
    case .addSecret(let id):
      let secret = try await identities.secrets.add(
        to: id.name, note: parameters["note"] ?? "", revokesOthers: parameters.bool("revokeOthers") ?? false,
        nowSeconds: nowSeconds)
      return AuthRoutes.Reply(
        status: 201, body: Self.show(secret).merging(["secret": .string(secret.text)]))
    case .revokeSecret(let id, let secret):
      return Self.revoked(try await identities.secrets.revoke(secret, of: id.name), secret)
    case .listServices(let id):
      let keys = try await identities.services.keys(of: id.name)
      return AuthRoutes.Reply(
        body: .list(keys.map { ["id": .string($0.id), "created": .number(Double($0.createdAtSeconds))] }))
    case .addService(let id):
      let fresh = try await identities.services.add(to: id.name, nowSeconds: nowSeconds)
      return AuthRoutes.Reply(status: 201, body: Self.file(fresh, for: id, url: parameters["url"]))
    case .revokeService(let id, let key):
      return Self.revoked(try await identities.services.revoke(key, of: id.name), key)
    default: preconditionFailure("\(request) is not about keys")
    }
  }

  // MARK: Words

  private static func reply(to error: any Error, _ logger: Logger) -> AuthRoutes.Reply {
    switch error {
    case Databases.AdminError.busy:
      refusal(503, "The database is being opened or closed: try again.")
    case SecretBook.Refusal.tooMany:
      refusal(409, "There are \(IdentityLimits.secretsPerDatabase) already: revoke one first.")
    case SecretBook.Refusal.busy: refusal(503, "Somebody else changes the same: try again.")
    case SecretBook.Refusal.noteTooLong: refusal(400, "A note has at most 256 bytes.")
    case let error as AccountError: AdminUsers.refusal(error)
    default: refusal(500, "\(error)")
    }
  }

  static func refusal(_ status: Int, _ text: String) -> AuthRoutes.Reply {
    AuthRoutes.Reply(status: status, body: ["error": .string(text)])
  }

  private static func unknown(_ id: DatabaseID) -> AuthRoutes.Reply {
    refusal(404, "There is no database `\(id)`.")
  }

  private static func revoked(_ wasThere: Bool, _ id: String) -> AuthRoutes.Reply {
    wasThere
      ? AuthRoutes.Reply(body: ["id": .string(id), "revoked": true])
      : refusal(404, "There is none with the id `\(id)`.")
  }

  private static func show(_ secret: DatabaseSecret) -> JSONValue {
    [
      "id": .string(secret.id), "created": .number(Double(secret.createdAtSeconds)),
      "note": .string(secret.note),
    ]
  }

  private static func show(_ entry: AuditLog.Entry) -> JSONValue {
    [
      "at": .number(Double(entry.atMilliseconds)), "action": .string(entry.action),
      "database": .text(entry.database), "subject": .text(entry.subject), "address": .text(entry.address),
    ]
  }

  /// A file as Google's libraries read it.
  private static func file(_ fresh: ServiceAccounts.Fresh, for id: DatabaseID, url: String?) -> JSONValue {
    [
      "type": "service_account", "project_id": .string(id.name), "private_key_id": .string(fresh.keyID),
      "private_key": .string(fresh.privateKeyPEM), "client_email": .string(fresh.address),
      "client_id": .string(fresh.address),
      "token_uri": .string((url ?? "https://localhost") + AuthRoutes.tokenEndpoint),
    ]
  }
}

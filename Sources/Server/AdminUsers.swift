import Engine
import Identity

/// What the server's operator does with the users of a database.
struct AdminUsers: Sendable {
  let accounts: Accounts

  func reply(to request: AdminRequest, _ parameters: RequestParameters) async throws -> AuthRoutes.Reply {
    switch request {
    case .listUsers(let id): return try await list(parameters, id.name)
    case .addUser(let id):
      let account = try await accounts.create(
        uid: parameters["uid"], try Self.changes(parameters), in: id.name)
      return AuthRoutes.Reply(status: 201, body: Self.show(account), subject: account.uid)
    case .showUser(let id, let uid):
      guard let account = try await accounts.find(.uid(uid), in: id.name) else {
        throw AccountError.userNotFound
      }
      return AuthRoutes.Reply(body: Self.show(account))
    case .user(let id, let uid, let measure):
      try await take(measure, uid, id.name, parameters)
      return AuthRoutes.Reply(body: ["uid": .string(uid), "done": true])
    default: preconditionFailure("\(request) is not about users")
    }
  }

  /// A page of users, or with `email` or `phone` the one who signs in by it.
  private func list(_ parameters: RequestParameters, _ database: String) async throws -> AuthRoutes.Reply {
    let name = parameters["email"].map { AccountName.email($0) } ?? parameters["phone"].map { .phone($0) }
    if let name {
      let found = try await accounts.find(name, in: database)
      return AuthRoutes.Reply(body: .list(found.map { [Self.show($0)] } ?? []))
    }
    let limit = parameters["limit"].flatMap { Int($0) } ?? 100
    guard limit > 0 else { throw AccountError.missing("limit") }
    let page = try await accounts.list(after: parameters["after"], limit: limit, in: database)
    return AuthRoutes.Reply(body: .list(page.map(Self.show)))
  }

  private func take(
    _ measure: AdminRequest.Measure, _ uid: String, _ database: String, _ parameters: RequestParameters
  ) async throws {
    switch measure {
    case .signOut: try await accounts.endSignIns(of: uid, in: database)
    case .disable: try await accounts.setDisabled(true, uid, in: database)
    case .enable: try await accounts.setDisabled(false, uid, in: database)
    case .delete: try await accounts.delete(uid, in: database)
    case .claims:
      guard let claims = Self.claims(parameters) else { throw AccountError.missing("claims") }
      try await accounts.setClaims(claims, uid, in: database)
    case .password:
      var changes = OperatorChanges()
      changes.password = try parameters.needed("password")
      try await accounts.update(uid, changes, in: database)
    }
  }

  private static func changes(_ parameters: RequestParameters) throws -> OperatorChanges {
    var changes = OperatorChanges()
    changes.email = parameters["email"]
    changes.isEmailVerified = parameters.bool("emailVerified")
    changes.phone = parameters["phone"]
    changes.password = parameters["password"]
    changes.displayName = parameters["displayName"]
    changes.photoURL = parameters["photoURL"]
    changes.isDisabled = parameters.bool("disabled")
    changes.claims = claims(parameters)
    if changes.claims == nil, parameters.values["claims"] != nil { throw AccountError.missing("claims") }
    return changes
  }

  private static func claims(_ parameters: RequestParameters) -> String? {
    guard case .object? = parameters.values["claims"] else { return nil }
    return parameters.values["claims"]?.json
  }

  // MARK: Words

  private static func show(_ account: Account) -> JSONValue {
    let claims = account.claims.flatMap { RequestParameters.object($0) }
    return [
      "uid": .string(account.uid), "email": .text(account.email),
      "emailVerified": account.email == nil ? .null : .bool(account.isEmailVerified),
      "phone": .text(account.phone), "displayName": .text(account.displayName),
      "photoURL": .text(account.photoURL), "disabled": .bool(account.isDisabled),
      "providers": .list(account.providers.map { .string($0) }), "claims": claims ?? .null,
      "hasPassword": .bool(account.password != nil), "created": .number(Double(account.createdAtSeconds)),
      "lastSignIn": .number(Double(account.lastSignInSeconds)),
      "validSince": .number(Double(account.validSinceSeconds)),
    ]
  }

  static func refusal(_ error: AccountError) -> AuthRoutes.Reply {
    switch error {
    case .userNotFound: AdminRoutes.refusal(404, "There is no such user.")
    case .uidExists: AdminRoutes.refusal(409, "There is a user of that uid already.")
    case .emailExists: AdminRoutes.refusal(409, "Another user has that address of mail.")
    case .phoneExists: AdminRoutes.refusal(409, "Another user has that phone number.")
    case .linkedElsewhere: AdminRoutes.refusal(409, "Another user signs in that way.")
    case .weakPassword: AdminRoutes.refusal(400, "A password has 6 to 1024 bytes.")
    case .invalidEmail: AdminRoutes.refusal(400, "That is no address of mail.")
    case .invalidPhone:
      AdminRoutes.refusal(400, "A phone number is 5 to 20 digits, with a + in front or not.")
    case .invalidProfile: AdminRoutes.refusal(400, "The name or the address of the picture is too long.")
    case .missing(let name): AdminRoutes.refusal(400, "`\(name)` is missing, or not what it must be.")
    case .tooManyAttempts: AdminRoutes.refusal(503, "Too many passwords are being hashed: try again.")
    default: AdminRoutes.refusal(500, "\(error)")
    }
  }
}

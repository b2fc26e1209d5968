import Engine
import Identity
import Rules
import Transport

/// Accounts as the Firebase Admin SDKs manage them when they are pointed at an emulator.
///
///     POST  /identitytoolkit.googleapis.com/v1/projects/DATABASE/accounts           make one
///     POST  …/accounts:lookup  :update  :delete  :batchDelete                       by uid
///     GET   …/accounts:batchGet                                                     all, by pages
///
/// Every call needs a credential that makes its bearer an operator of the database: `owner` in development,
/// else the admin secret, one of the database's own, or a service account's token.
struct IdentityToolkitAdmin {
  static let prefix: Substring = "/identitytoolkit.googleapis.com/v1/projects/"

  let accounts: Accounts
  let authenticator: any Authenticator
  let routes: AuthRoutes

  func reply(to head: RequestHead, _ parameters: RequestParameters?) async -> AuthRoutes.Reply {
    let parts = head.path.dropFirst(Self.prefix.utf8.count).split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let id = try? DatabaseID(String(parts[0])) else {
      return IdentityToolkit.refusal(404, "PROJECT_NOT_FOUND")
    }
    // Before anything is looked at or said.
    guard isOperator(head, of: id) else { return IdentityToolkit.refusal(401, "INSUFFICIENT_PERMISSION") }
    guard let parameters else { return IdentityToolkit.refusal(400, "INVALID_JSON_PAYLOAD") }
    do {
      let database = try await routes.database(id.name)
      let isRead = head.method == "GET"
      guard isRead == (parts[1] == "accounts:batchGet") else {
        return IdentityToolkit.refusal(405, "METHOD_NOT_ALLOWED")
      }
      return AuthRoutes.Reply(body: try await body(for: parts[1], parameters, database, head))
    } catch {
      let error = routes.accountError(error)
      return IdentityToolkit.refusal(IdentityToolkit.status(of: error), IdentityToolkit.word(for: error))
    }
  }

  private func isOperator(_ head: RequestHead, of id: DatabaseID) -> Bool {
    guard let header = head.header("authorization"), header.lowercased().hasPrefix("bearer ") else {
      return false
    }
    let answer = authenticator.authenticate(
      String(header.dropFirst("bearer ".count)), database: id,
      nowSeconds: SystemClock().nowMilliseconds() / 1000)
    return (try? answer.get())?.caller.isAdmin == true
  }

  private func body(
    for name: Substring, _ parameters: RequestParameters, _ database: String, _ head: RequestHead
  ) async throws -> JSONValue {
    switch name {
    case "accounts":
      let account = try await accounts.create(
        uid: parameters["localId"], changes(parameters), in: database)
      await note("user.create", account.uid, database, head)
      return .object(["kind": "identitytoolkit#SignupNewUserResponse", "localId": .string(account.uid)])
    case "accounts:lookup":
      let users = try await find(parameters, in: database).map(JSONValue.user)
      let kind: JSONValue = "identitytoolkit#GetAccountInfoResponse"
      return users.isEmpty ? ["kind": kind] : ["kind": kind, "users": .list(users)]
    case "accounts:batchGet":
      let limit = parameters["maxResults"].flatMap { Int($0) } ?? IdentityLimits.accountsPerPage
      guard limit > 0 else { throw AccountError.missing("maxResults") }
      let page = try await accounts.list(after: parameters["nextPageToken"], limit: limit, in: database)
      let isFull = page.count == min(limit, IdentityLimits.accountsPerPage)
      return [
        "kind": "identitytoolkit#DownloadAccountResponse", "users": .list(page.map(JSONValue.user)),
        "nextPageToken": .text(isFull ? page.last?.uid : nil),
      ]
    case "accounts:update":
      let uid = try parameters.needed("localId")
      let account = try await accounts.update(uid, changes(parameters), in: database)
      await note("user.update", uid, database, head)
      return JSONValue.user(account).merging(["kind": "identitytoolkit#SetAccountInfoResponse"])
    case "accounts:delete":
      let uid = try parameters.needed("localId")
      try await accounts.delete(uid, in: database)
      await note("user.delete", uid, database, head)
      return ["kind": "identitytoolkit#DeleteAccountResponse"]
    case "accounts:batchDelete": return try await deleteAll(parameters, database, head)
    default: throw AccountError.notConfigured(String(name))
    }
  }

  private func find(_ parameters: RequestParameters, in database: String) async throws -> [Account] {
    var names = parameters.texts("localId").map { AccountName.uid($0) }
    names += parameters.texts("email").map { .email($0) }
    names += parameters.texts("phoneNumber").map { .phone($0) }
    if case .list(let entries) = parameters.values["federatedUserId"] {
      for case .object(let entry) in entries {
        guard let provider = entry["providerId"]?.text, let id = entry["rawId"]?.text else { continue }
        names.append(.federated(provider, id))
      }
    }
    guard names.count <= Self.namesLimit else { throw AccountError.missing("localId") }
    var found: [Account] = []
    for name in names {
      guard let account = try await accounts.find(name, in: database) else { continue }
      if !found.contains(where: { $0.uid == account.uid }) { found.append(account) }
    }
    return found
  }

  private static let namesLimit = 100

  private func deleteAll(
    _ parameters: RequestParameters, _ database: String, _ head: RequestHead
  ) async throws -> JSONValue {
    let uids = parameters.texts("localIds")
    guard (1...IdentityLimits.accountsPerPage).contains(uids.count) else {
      throw AccountError.missing("localIds")
    }
    let isForced = parameters.bool("force") ?? false
    var errors: [JSONValue] = []
    for (place, uid) in uids.enumerated() {
      guard let account = try await accounts.find(.uid(uid), in: database) else { continue }
      guard isForced || account.isDisabled else {
        errors.append([
          "index": .number(Double(place)), "localId": .string(uid),
          "message": "NOT_DISABLED : Disable the account before batch deletion.",
        ])
        continue
      }
      try await accounts.delete(uid, in: database)
      await note("user.delete", uid, database, head)
    }
    return errors.isEmpty ? [:] : ["errors": .list(errors)]
  }

  private func changes(_ parameters: RequestParameters) throws -> OperatorChanges {
    var changes = OperatorChanges()
    changes.email = parameters.text("email")
    changes.isEmailVerified = parameters.bool("emailVerified")
    changes.phone = parameters.text("phoneNumber")
    changes.password = parameters["password"]
    changes.displayName = parameters.text("displayName")
    changes.photoURL = parameters.text("photoUrl")
    changes.isDisabled = parameters.bool("disableUser") ?? parameters.bool("disabled")
    changes.claims = parameters.text("customAttributes").map { $0.isEmpty ? "{}" : $0 }
    changes.unlinked = parameters.texts("deleteProvider")
    if parameters.values["validSince"] != nil {
      guard let second = parameters["validSince"].flatMap({ Int64($0) }) else {
        throw AccountError.missing("validSince")
      }
      changes.validSinceSeconds = second
    }
    for attribute in parameters.texts("deleteAttribute") {
      switch attribute {
      case "DISPLAY_NAME": changes.displayName = ""
      case "PHOTO_URL": changes.photoURL = ""
      case "EMAIL": changes.email = ""
      default: throw AccountError.notConfigured(attribute)
      }
    }
    return changes
  }

  private func note(_ action: String, _ uid: String, _ database: String, _ head: RequestHead) async {
    let address = AuthRoutes.address(of: head, isBehindProxy: routes.isBehindProxy)
    await routes.note(action, database, uid, address)
  }
}

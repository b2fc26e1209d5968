import Identity
import Transport

/// Accounts as the Firebase Auth SDKs call them when they are pointed at an emulator.
///
/// The database is the one that the API key names (`apiKey: "rooms"`), else the host, else `default`.
struct IdentityToolkit {
  static let prefix: Substring = "/identitytoolkit.googleapis.com/v1/"
  static let tokenPath: Substring = "/securetoken.googleapis.com/v1/token"

  let routes: AuthRoutes
  private var accounts: Accounts { routes.accounts }

  init(routes: AuthRoutes) {
    self.routes = routes
  }

  func reply(to head: RequestHead, _ parameters: RequestParameters?) async -> AuthRoutes.Reply {
    guard let parameters else { return Self.refusal(400, "INVALID_JSON_PAYLOAD") }
    do {
      let database = try await routes.database(await databaseName(head, parameters))
      let call = routes.call(database, head)
      if head.path.hasPrefix(Self.tokenPath) { return try await token(parameters, call) }
      return AuthRoutes.Reply(body: try await body(for: Self.name(in: head.path), parameters, call))
    } catch {
      let error = routes.accountError(error)
      return Self.refusal(Self.status(of: error), Self.word(for: error, in: head.path))
    }
  }

  private func databaseName(_ head: RequestHead, _ parameters: RequestParameters) async -> String {
    if let key = parameters["key"], (try? await routes.database(key)) != nil { return key }
    return routes.hostLabel(head) ?? "default"
  }

  private func body(for name: Substring, _ parameters: RequestParameters, _ call: SignInCall) async throws
    -> JSONValue
  {
    switch name {
    case "accounts:signUp": return try await signUp(parameters, call)
    case "accounts:signInWithPassword":
      let signedIn = try await accounts.signIn(
        email: try parameters.needed("email"), password: try parameters.needed("password"), call)
      return .tokens(
        of: signedIn, kind: "VerifyPasswordResponse",
        [
          "email": .text(signedIn.account.email), "displayName": .string(signedIn.account.displayName ?? ""),
          "registered": true,
        ])
    case "accounts:signInWithCustomToken":
      let signedIn = try await accounts.signIn(customToken: try parameters.needed("token"), call)
      return .tokens(
        of: signedIn, kind: "VerifyCustomTokenResponse", ["isNewUser": .bool(signedIn.isNew)])
    case "accounts:lookup":
      let account = try await accounts.lookUp(
        idToken: try parameters.needed("idToken"), in: call.database)
      return ["kind": "identitytoolkit#GetAccountInfoResponse", "users": [.user(account)]]
    case "accounts:update": return try await update(parameters, call)
    case "accounts:delete":
      try await accounts.delete(idToken: try parameters.needed("idToken"), call)
      return ["kind": "identitytoolkit#DeleteAccountResponse"]
    case "accounts:sendOobCode": return try await sendCode(parameters, call)
    case "accounts:resetPassword": return try await resetPassword(parameters, call)
    case "accounts:createAuthUri":
      // Which ways of signing in an address has is told to nobody.
      _ = try parameters.needed("identifier")
      return ["kind": "identitytoolkit#CreateAuthUriResponse", "registered": false]
    default: throw AccountError.notConfigured(String(name))
    }
  }

  /// A new account; or with an ID token, a password for the one there is.
  private func signUp(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    let signedIn: SignedIn
    if let idToken = parameters["idToken"] {
      var changes = AccountChanges()
      changes.email = try parameters.needed("email")
      changes.password = try parameters.needed("password")
      signedIn = try await accounts.update(idToken: idToken, changes, call)
    } else if let email = parameters["email"] {
      signedIn = try await accounts.signUp(
        email: email, password: try parameters.needed("password"), displayName: parameters["displayName"],
        call)
    } else {
      guard parameters["password"] == nil else { throw AccountError.missing("EMAIL") }
      signedIn = try await accounts.signUpAnonymously(call)
    }
    return .tokens(
      of: signedIn, kind: "SignupNewUserResponse",
      ["email": .text(signedIn.account.email), "displayName": .text(signedIn.account.displayName)])
  }

  private func update(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    if let code = parameters["oobCode"] {
      let account = try await accounts.verifyEmail(code: code, call)
      return .account(account, kind: "SetAccountInfoResponse")
    }
    var changes = AccountChanges()
    changes.email = parameters["email"]
    changes.password = parameters["password"]
    changes.displayName = parameters.text("displayName")
    changes.photoURL = parameters.text("photoUrl")
    changes.unlinked = parameters.texts("deleteProvider")
    for attribute in parameters.texts("deleteAttribute") {
      switch attribute {
      case "DISPLAY_NAME": changes.displayName = ""
      case "PHOTO_URL": changes.photoURL = ""
      default: throw AccountError.notConfigured(attribute)
      }
    }
    let signedIn = try await accounts.update(idToken: try parameters.needed("idToken"), changes, call)
    return .account(signedIn.account, kind: "SetAccountInfoResponse").merging([
      "idToken": .string(signedIn.idToken), "refreshToken": .string(signedIn.refreshToken),
      "expiresIn": .string(String(signedIn.expiresInSeconds)),
    ])
  }

  private func sendCode(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    let email: String
    switch parameters["requestType"] {
    case "PASSWORD_RESET":
      email = try parameters.needed("email")
      try await accounts.sendPasswordReset(email: email, call)
    case "VERIFY_EMAIL":
      email = try await accounts.sendEmailVerification(idToken: try parameters.needed("idToken"), call)
    case let other: throw AccountError.notConfigured(other ?? "requestType")
    }
    return ["kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": .string(email)]
  }

  private func resetPassword(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    let code = try parameters.needed("oobCode")
    let (type, email) = try await accounts.inspect(code: code, call)
    if let password = parameters["newPassword"] {
      _ = try await accounts.resetPassword(code: code, password: password, call)
    }
    return [
      "kind": "identitytoolkit#ResetPasswordResponse", "email": .string(email),
      "requestType": .string(type.rawValue),
    ]
  }

  /// A new ID token for a refresh token.
  private func token(_ parameters: RequestParameters, _ call: SignInCall) async throws -> AuthRoutes.Reply {
    guard parameters.text("grant_type") == "refresh_token" || parameters["grantType"] == "refresh_token"
    else {
      throw AccountError.missing("GRANT_TYPE")
    }
    let refreshToken = try parameters["refreshToken"] ?? parameters.needed("refresh_token")
    let signedIn = try await accounts.refresh(refreshToken, call)
    return AuthRoutes.Reply(body: [
      "access_token": .string(signedIn.idToken), "id_token": .string(signedIn.idToken),
      "refresh_token": .string(signedIn.refreshToken), "token_type": "Bearer",
      "expires_in": .string(String(signedIn.expiresInSeconds)), "user_id": .string(signedIn.account.uid),
      "project_id": .string(call.database),
    ])
  }

  // MARK: Words

  static func refusal(_ status: Int, _ word: String) -> AuthRoutes.Reply {
    let code = JSONValue.number(Double(status))
    return AuthRoutes.Reply(
      status: status,
      body: [
        "error": [
          "code": code, "message": .string(word),
          "errors": [["message": .string(word), "domain": "global", "reason": "invalid"]],
        ]
      ])
  }

  static func status(of error: AccountError) -> Int {
    if case .unavailable = error { 503 } else { 400 }
  }

  static func word(for error: AccountError) -> String {
    switch error {
    case .uidExists: "DUPLICATE_LOCAL_ID"
    case .emailExists: "EMAIL_EXISTS"
    case .phoneExists: "PHONE_NUMBER_EXISTS"
    case .linkedElsewhere: "FEDERATED_USER_ID_ALREADY_LINKED"
    case .invalidCredentials: "INVALID_LOGIN_CREDENTIALS"
    case .weakPassword: "WEAK_PASSWORD : Password should be at least 6 characters"
    case .invalidEmail: "INVALID_EMAIL"
    case .invalidPhone: "INVALID_PHONE_NUMBER"
    case .invalidProfile: "INVALID_PROFILE"
    case .invalidToken: "INVALID_ID_TOKEN"
    case .tokenExpired: "TOKEN_EXPIRED"
    case .invalidRefreshToken: "INVALID_REFRESH_TOKEN"
    case .invalidCustomToken: "INVALID_CUSTOM_TOKEN"
    case .expiredCustomToken: "INVALID_CUSTOM_TOKEN : The token is expired"
    case .recentSignInNeeded: "CREDENTIAL_TOO_OLD_LOGIN_AGAIN"
    case .userDisabled: "USER_DISABLED"
    case .userNotFound: "USER_NOT_FOUND"
    case .tooManyAttempts: "TOO_MANY_ATTEMPTS_TRY_LATER"
    case .invalidCode: "INVALID_OOB_CODE"
    case .expiredCode: "EXPIRED_OOB_CODE"
    case .methodDisabled(let method): "OPERATION_NOT_ALLOWED : Allow it with --sign-in \(method.rawValue)"
    case .notConfigured(let what): "OPERATION_NOT_ALLOWED : \(what)"
    case .missing("database"): "PROJECT_NOT_FOUND"
    case .missing(let name): "MISSING_\(name.uppercased())"
    case .weChatRefused, .weChatSignature: "INVALID_IDP_RESPONSE"
    case .unavailable: "INTERNAL_ERROR"
    }
  }
}

extension RequestParameters {
  /// The text of a parameter that has to be there.
  func needed(_ name: String) throws(AccountError) -> String {
    guard let text = self[name] else { throw .missing(name) }
    return text
  }
}

extension JSONValue {
  fileprivate static func tokens(
    of signedIn: SignedIn, kind: String, _ more: [String: JSONValue]
  ) -> JSONValue {
    JSONValue.object(more).merging([
      "kind": .string("identitytoolkit#\(kind)"), "localId": .string(signedIn.account.uid),
      "idToken": .string(signedIn.idToken), "refreshToken": .string(signedIn.refreshToken),
      "expiresIn": .string(String(signedIn.expiresInSeconds)),
    ])
  }

  fileprivate static func account(_ account: Account, kind: String) -> JSONValue {
    user(account).merging(["kind": .string("identitytoolkit#\(kind)")])
  }

  /// An account as its owner is shown it.
  static func user(_ account: Account) -> JSONValue {
    [
      "localId": .string(account.uid), "email": .text(account.email),
      "emailVerified": .bool(account.isEmailVerified), "displayName": .text(account.displayName),
      "photoUrl": .text(account.photoURL), "phoneNumber": .text(account.phone),
      "disabled": .bool(account.isDisabled), "customAttributes": .text(account.claims),
      "customAuth": account.origin == "custom" ? true : .null,
      "validSince": .string(String(account.validSinceSeconds)),
      "createdAt": .string(String(account.createdAtSeconds * 1000)),
      "lastLoginAt": .string(String(account.lastSignInSeconds * 1000)),
      "passwordUpdatedAt": account.passwordChangedSeconds.map { .number(Double($0 * 1000)) } ?? .null,
      "providerUserInfo": .list(providers(of: account)),
    ]
  }

  private static func providers(of account: Account) -> [JSONValue] {
    account.providers.filter { $0 != "anonymous" && $0 != "custom" }.map { provider in
      let id =
        switch provider {
        case "password": account.email
        case "phone": account.phone
        default: account.federated[provider]
        }
      return [
        "providerId": .string(provider), "rawId": .text(id), "federatedId": .text(id),
        "email": .text(provider == "password" ? account.email : nil),
        "phoneNumber": .text(provider == "phone" ? account.phone : nil),
        "displayName": .text(account.displayName), "photoUrl": .text(account.photoURL),
      ]
    }
  }

  /// The members of two objects; those of the other win.
  func merging(_ other: [String: JSONValue]) -> JSONValue {
    guard case .object(let members) = self else { return .object(other) }
    return .object(members.merging(other) { $1 })
  }
}

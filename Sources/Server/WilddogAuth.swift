import Identity
import Transport

/// Accounts as Wilddog's SDK calls them: `/v2/DATABASE/auth/NAME`. All answers are HTTP 200; what went wrong
/// stands in the body.
struct WilddogAuth {
  let routes: AuthRoutes
  private var accounts: Accounts { routes.accounts }

  init(routes: AuthRoutes) {
    self.routes = routes
  }

  static func isAuth(path: Substring) -> Bool {
    guard path.hasPrefix("/v2/"), !path.hasSuffix(".json") else { return false }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 5 && parts[3] == "auth"
  }

  func reply(to head: RequestHead, _ parameters: RequestParameters?) async -> AuthRoutes.Reply {
    let parts = head.path.split(separator: "/", omittingEmptySubsequences: false)
    let name = parts.last ?? ""
    do {
      guard let parameters else { throw AccountError.missing("JSON") }
      let database = try await routes.database(parts[2].lowercased())
      // Wilddog's SDK can't renew tokens: they are good for longer.
      let call = routes.call(database, head, tokenSeconds: IdentityLimits.longestTokenSeconds)
      return AuthRoutes.Reply(body: try await body(for: name, parameters, call))
    } catch {
      let words = Self.words(for: routes.accountError(error))
      // The SDK reads another member for this one call.
      let codeName = name == "wxapp" ? "code" : "errcode"
      var body: [String: JSONValue] = [
        codeName: .number(Double(words.code)), "message": .string(words.message),
      ]
      if name != "wxapp" { body["error"] = .string(words.message) }
      return AuthRoutes.Reply(body: .object(body))
    }
  }

  private func body(for name: Substring, _ parameters: RequestParameters, _ call: SignInCall) async throws
    -> JSONValue
  {
    switch name {
    case "signupNewUser": return try await signUp(parameters, call)
    case "verifyPassword":
      return Self.tokens(
        of: try await accounts.signIn(
          email: parameters["email"], phone: parameters["phoneNumber"],
          password: try parameters.needed("password"), call))
    case "verifyCustomToken":
      return Self.tokens(
        of: try await accounts.signIn(customToken: try parameters.needed("token"), call))
    case "wxapp":
      return Self.tokens(
        of: try await accounts.signIn(
          weChatCode: try parameters.needed("code"), rawData: parameters["rawData"],
          signature: parameters["signature"], call))
    case "renewToken":
      return Self.tokens(of: try await accounts.refresh(try parameters.needed("refreshToken"), call))
    case "getAccountInfo":
      let account = try await accounts.lookUp(
        idToken: try parameters.needed("idToken"), in: call.database)
      return ["users": [Self.user(account)]]
    case "setAccountInfo": return try await update(parameters, call)
    case "deleteAccount":
      try await accounts.delete(idToken: try parameters.needed("idToken"), call)
      return ["status": "ok"]
    case "getProvider":
      // Which ways of signing in an address has is told to nobody.
      _ = try parameters.needed("email")
      return ["allProviders": []]
    case "getOobConfirmationCode", "sendSmsCode", "verifyPhone", "resetPhonePassword":
      return try await code(name, parameters, call)
    default: throw AccountError.notConfigured(String(name))
    }
  }

  private func signUp(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    let (email, phone) = (parameters["email"], parameters["phoneNumber"])
    guard email != nil || phone != nil else {
      return Self.tokens(of: try await accounts.signUpAnonymously(call))
    }
    return Self.tokens(
      of: try await accounts.signUp(
        email: email, phone: phone, password: try parameters.needed("password"), call))
  }

  private func update(_ parameters: RequestParameters, _ call: SignInCall) async throws -> JSONValue {
    var changes = AccountChanges()
    changes.email = parameters["email"]
    changes.phone = parameters["phoneNumber"]
    changes.password = parameters["password"]
    changes.displayName = parameters.text("displayName")
    changes.photoURL = parameters.text("photoUrl")
    changes.unlinked = parameters.texts("deleteProvider")
    return Self.tokens(
      of: try await accounts.update(idToken: try parameters.needed("idToken"), changes, call))
  }

  private func code(_ name: Substring, _ parameters: RequestParameters, _ call: SignInCall) async throws
    -> JSONValue
  {
    switch (name, parameters["requestType"] ?? parameters["type"]) {
    case ("getOobConfirmationCode", "VERIFY_EMAIL"):
      _ = try await accounts.sendEmailVerification(idToken: try parameters.needed("idToken"), call)
    case ("getOobConfirmationCode", "RESET_PASSWORD"):
      try await accounts.sendPasswordReset(email: try parameters.needed("email"), call)
    case ("sendSmsCode", "PHONE_VERIFY"):
      try await accounts.sendSMS(.verifyPhone, phone: try parameters.needed("phoneNumber"), call)
    case ("sendSmsCode", "PASSWORD_RESET"):
      try await accounts.sendSMS(.resetPasswordByPhone, phone: try parameters.needed("phoneNumber"), call)
    case ("verifyPhone", _):
      _ = try await accounts.verifyPhone(
        try parameters.needed("phoneNumber"), code: try parameters.needed("smsCode"), call)
    case ("resetPhonePassword", _):
      try await accounts.resetPassword(
        phone: try parameters.needed("phoneNumber"), code: try parameters.needed("smsCode"),
        password: try parameters.needed("password"), call)
    case (_, let type): throw AccountError.notConfigured(type ?? "requestType")
    }
    return ["status": "ok"]
  }

  private static func tokens(of signedIn: SignedIn) -> JSONValue {
    [
      "idToken": .string(signedIn.idToken), "expireIn": .number(Double(signedIn.expiresInSeconds)),
      // For Dhole's SDK; Wilddog's does not look.
      "refreshToken": .string(signedIn.refreshToken),
    ]
  }

  /// An account as the SDK takes it apart; the list of providers must be there.
  private static func user(_ account: Account) -> JSONValue {
    let main = account.providers.first ?? account.origin
    let provider: JSONValue = [
      "providerId": .string(main), "displayName": .text(account.displayName),
      "photoUrl": .text(account.photoURL), "uid": .string(account.uid), "email": .text(account.email),
    ]
    return [
      "localId": .string(account.uid), "displayName": .text(account.displayName),
      "email": .text(account.email), "photoUrl": .text(account.photoURL),
      "phoneNumber": .text(account.phone), "providerId": .string(main),
      "emailVerified": .bool(account.isEmailVerified),
      "phoneNumberVerified": .bool(account.isPhoneVerified),
      "providerUserInfo": account.isAnonymous ? [] : [provider],
    ]
  }

  /// The number and the sentence for what went wrong.
  static func words(for error: AccountError) -> (code: Int, message: String) {
    switch error {
    case .tokenExpired: (22002, "The token is expired: sign in again.")
    case .invalidToken, .invalidRefreshToken, .invalidCustomToken: (22004, "The token is not valid.")
    case .expiredCustomToken: (22002, "The custom token is expired.")
    case .methodDisabled(let method): (22006, "Sign-in by \(method.rawValue) is not allowed here.")
    case .invalidEmail: (22009, "This is no address of mail.")
    case .invalidCredentials: (22010, "The name or the password is wrong.")
    case .userNotFound, .userDisabled: (22011, "There is no such user.")
    case .uidExists, .emailExists: (22013, "The address of mail is in use.")
    case .phoneExists, .linkedElsewhere: (22203, "It is in use by another user.")
    case .recentSignInNeeded: (22209, "Sign in again first.")
    case .invalidCode: (22222, "The code is wrong.")
    case .expiredCode: (22223, "The code is expired.")
    case .weChatRefused: (22233, "WeChat does not know this code.")
    case .weChatSignature: (22234, "What came with it is not signed by WeChat.")
    case .weakPassword: (22010, "A password has 6 to 1024 characters.")
    case .invalidPhone: (22009, "This is no phone number.")
    case .invalidProfile: (29999, "A name or an address of a picture is too long.")
    case .tooManyAttempts: (29999, "Too many attempts: try again later.")
    case .notConfigured(let what): (29999, "Not available here: \(what)")
    case .missing(let name): (29999, "Missing: \(name)")
    case .unavailable: (29999, "The server failed: its log says why.")
    }
  }
}

import Identity

extension IdentityToolkit {
  /// Where Firebase's JavaScript SDKs before 9 have their accounts, which an emulator has them look for here.
  static let olderPrefix: Substring = "/www.googleapis.com/identitytoolkit/v3/relyingparty/"

  /// The call that a path names, as it is named today. Members of requests and answers are the same.
  static func name(in path: Substring) -> Substring {
    guard path.hasPrefix(olderPrefix) else { return path.dropFirst(prefix.utf8.count) }
    let name = path.dropFirst(olderPrefix.utf8.count)
    return switch name {
    case "signupNewUser": "accounts:signUp"
    case "verifyPassword": "accounts:signInWithPassword"
    case "verifyCustomToken": "accounts:signInWithCustomToken"
    case "getAccountInfo": "accounts:lookup"
    case "setAccountInfo": "accounts:update"
    case "deleteAccount": "accounts:delete"
    case "getOobConfirmationCode": "accounts:sendOobCode"
    case "resetPassword": "accounts:resetPassword"
    case "createAuthUri": "accounts:createAuthUri"
    default: name
    }
  }

  /// The word for what went wrong. Those SDKs know of wrong passwords only; that tells nobody either which
  /// addresses have accounts.
  static func word(for error: AccountError, in path: Substring) -> String {
    let isOlder = path.hasPrefix(olderPrefix)
    return isOlder && error == .invalidCredentials ? "INVALID_PASSWORD" : word(for: error)
  }
}

/// Why something about accounts was refused. Each face of the API has its own words for these.
package enum AccountError: Error, Equatable, Sendable {
  /// An operator wants to give a name that is taken.
  case uidExists
  case emailExists
  case phoneExists
  /// The account of another sign-in is somebody else's already.
  case linkedElsewhere
  /// The name or the password is wrong; never said which.
  case invalidCredentials
  case weakPassword
  case invalidEmail
  case invalidPhone
  case invalidProfile
  case invalidToken
  case tokenExpired
  case invalidRefreshToken
  case invalidCustomToken
  case expiredCustomToken
  /// The change needs a sign-in of the last minutes.
  case recentSignInNeeded
  case userDisabled
  case userNotFound
  case tooManyAttempts
  case invalidCode
  case expiredCode
  /// The operator does not allow this way to sign in.
  case methodDisabled(SignInMethod)
  /// The server is not configured for it.
  case notConfigured(String)
  /// A parameter that has to be there is not.
  case missing(String)
  /// WeChat does not know the code.
  case weChatRefused
  /// What the mini-program sent with it is not from WeChat.
  case weChatSignature
  /// Something else than the caller is to blame; the text is for the log.
  case unavailable(String)
}

/// A way to sign in, which an operator allows or not.
package enum SignInMethod: String, Sendable, CaseIterable, Codable {
  case anonymous
  /// With an address of mail or a phone number and a password.
  case password
  /// With a token of the operator's own service.
  case custom
  /// From a WeChat mini-program.
  case weapp
}

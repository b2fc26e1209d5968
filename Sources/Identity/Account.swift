/// A user of one database.
package struct Account: Codable, Sendable, Equatable {
  package let uid: String
  package let createdAtSeconds: Int64
  package var lastSignInSeconds: Int64
  package var email: String?
  package var isEmailVerified = false
  package var phone: String?
  package var isPhoneVerified = false
  package var displayName: String?
  package var photoURL: String?
  /// The hash, never the password.
  package var password: String?
  package var passwordChangedSeconds: Int64?
  /// Sign-ins with others, such as `weapp`, with the name that the user has there.
  package var federated: [String: String] = [:]
  /// Who vouched for it first: `anonymous`, `custom`, `password`, `phone`, `weapp`.
  package var origin: String
  /// The operator's own claims, a JSON object, for `auth.token`.
  package var claims: String?
  package var isDisabled = false
  /// Sign-ins before that second are over.
  package var validSinceSeconds: Int64

  package init(uid: String, origin: String, nowSeconds: Int64) {
    self.uid = uid
    self.origin = origin
    createdAtSeconds = nowSeconds
    lastSignInSeconds = nowSeconds
    validSinceSeconds = nowSeconds
  }

  /// Nobody knows who it is, and nobody can sign in to it again.
  package var isAnonymous: Bool {
    origin == "anonymous" && email == nil && phone == nil && federated.isEmpty
  }

  /// All ways to sign in to it, the one to be shown first in front.
  package var providers: [String] {
    var providers: [String] = []
    if email != nil, password != nil { providers.append("password") }
    if phone != nil { providers.append("phone") }
    providers += federated.keys.sorted()
    if providers.isEmpty { providers = [origin] }
    return providers
  }

  /// The keys of the records that lead to it from what a user signs in with.
  var loginKeys: [String] {
    var keys = federated.map { LoginKey.federated($0.key, $0.value) }
    if let email { keys.append(LoginKey.email(email)) }
    if let phone { keys.append(LoginKey.phone(phone)) }
    return keys.sorted()
  }
}

/// What a user signs in with, as the key of a record.
enum LoginKey {
  static func email(_ email: String) -> String { "email:\(email.lowercased())" }
  static func phone(_ phone: String) -> String { "phone:\(phone)" }
  static func federated(_ provider: String, _ id: String) -> String { "\(provider):\(id)" }
}

/// Whether what users say of themselves is plausible and within bounds.
enum ProfileCheck {
  static let passwordBytes = 6...1024

  static func email(_ text: String) throws(AccountError) -> String {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "\"") }
    guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (1...190).contains(parts[1].utf8.count),
      isPlain, parts[1].first != ".", parts[1].last != "."
    else { throw .invalidEmail }
    return text.lowercased()
  }

  static func phone(_ text: String) throws(AccountError) -> String {
    let digits = text.hasPrefix("+") ? text.dropFirst() : text[...]
    guard (5...20).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw .invalidPhone
    }
    return text
  }

  static func password(_ text: String) throws(AccountError) {
    guard passwordBytes.contains(text.utf8.count) else { throw .weakPassword }
  }

  static func displayName(_ text: String) throws(AccountError) -> String? {
    guard text.utf8.count <= 256 else { throw .invalidProfile }
    return text.isEmpty ? nil : text
  }

  static func photoURL(_ text: String) throws(AccountError) -> String? {
    guard text.utf8.count <= 1024 else { throw .invalidProfile }
    return text.isEmpty ? nil : text
  }
}

import FoundationEssentials

/// Where accounts, secrets and keys are kept. Changes are durable when a call returns.
package protocol IdentityStore: Sendable {
  /// What a record holds, nil when there is none.
  func value(realm: String, kind: String, key: String) async throws -> [UInt8]?
  /// The records of a kind, in the order of their keys: of one realm, or of all when it is nil; of one realm
  /// also those alone that come after a key.
  func all(realm: String?, kind: String, after key: String?, limit: Int, reversed: Bool) async throws
    -> [IdentityRecord]
  /// Makes all these changes, or none and says false when a record does not hold what is expected.
  func apply(_ changes: [IdentityChange]) async throws -> Bool
  /// Removes everything of a realm.
  func removeAll(realm: String) async throws
}

extension IdentityStore {
  func all(realm: String?, kind: String, limit: Int, reversed: Bool) async throws -> [IdentityRecord] {
    try await all(realm: realm, kind: kind, after: nil, limit: limit, reversed: reversed)
  }
}

/// One record. Its realm is the database that it belongs to, or empty for the server itself.
package struct IdentityRecord: Sendable, Equatable {
  package let realm: String
  package let key: String
  package let value: [UInt8]

  package init(realm: String, key: String, value: [UInt8]) {
    self.realm = realm
    self.key = key
    self.value = value
  }
}

/// A change of one record, made only if it holds what is expected; nil is no record.
package struct IdentityChange: Sendable {
  package let realm: String
  package let kind: String
  package let key: String
  package let expected: [UInt8]?
  package let value: [UInt8]?

  package init(realm: String, kind: RecordKind, key: String, from expected: [UInt8]?, to value: [UInt8]?) {
    self.realm = realm
    self.kind = kind.name
    self.key = key
    self.expected = expected
    self.value = value
  }
}

/// What records there are, by what they mean.
package enum RecordKind: Sendable {
  /// A user of a database, by uid.
  case account
  /// By what a user signs in with: the uid.
  case login
  /// Digests of one user's refresh tokens.
  case refresh(uid: String)
  /// Digests of the codes that were sent to users.
  case code
  /// By uid: tokens issued before that second are refused.
  case revoked
  case secret
  case serviceAccount
  /// The server's own signing keys.
  case key
  case audit

  package var name: String {
    switch self {
    case .account: "account"
    case .login: "login"
    case .refresh(let uid): "refresh:\(uid)"
    case .code: "code"
    case .revoked: "revoked"
    case .secret: "secret"
    case .serviceAccount: "service"
    case .key: "key"
    case .audit: "audit"
    }
  }
}

/// Records as JSON.
enum RecordText {
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }

  static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
    try JSONDecoder().decode(type, from: Data(bytes))
  }
}

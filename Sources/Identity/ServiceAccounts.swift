import Crypto
import CryptoExtras

/// Keys for the operator's own services: Firebase's Admin SDKs make custom tokens with them. Only the public
/// half is kept.
package struct ServiceAccounts: Sendable {
  private let store: any IdentityStore
  private let keyring: Keyring

  private struct Stored: Codable {
    let address: String
    let pem: String
    let createdAtSeconds: Int64
  }

  /// What is shown once: the parts of Google's service account files.
  package struct Fresh: Sendable {
    package let address: String
    package let keyID: String
    package let privateKeyPEM: String
  }

  /// So many keys may a database have.
  private static let limit = 10

  package init(store: any IdentityStore, keyring: Keyring) {
    self.store = store
    self.keyring = keyring
  }

  static func address(in database: String) -> String { "service@\(database).dhole" }

  /// The database of a service account, by its address.
  static func database(of address: String) -> String? {
    guard address.hasPrefix("service@"), address.hasSuffix(".dhole") else { return nil }
    return String(address.dropFirst("service@".utf8.count).dropLast(".dhole".utf8.count))
  }

  /// Tells the keyring about all keys there are.
  package func load() async throws {
    let ticket = keyring.ticket()
    let all = try await store.all(
      realm: nil, kind: RecordKind.serviceAccount.name, limit: .max, reversed: false)
    for (database, records) in Dictionary(grouping: all, by: \.realm) {
      try await tell(database, records, ticket)
    }
  }

  /// Makes a key pair.
  package func add(to database: String, nowSeconds: Int64) async throws -> Fresh {
    guard try await records(of: database).count < Self.limit else { throw SecretBook.Refusal.tooMany }
    let key = try await Self.makeKey()
    let fresh = Fresh(
      address: Self.address(in: database), keyID: RandomText.make(byteCount: 15),
      privateKeyPEM: key.pkcs8PEMRepresentation)
    let stored = Stored(
      address: fresh.address, pem: key.publicKey.pemRepresentation, createdAtSeconds: nowSeconds)
    let change = IdentityChange(
      realm: database, kind: .serviceAccount, key: fresh.keyID, from: nil, to: try RecordText.encode(stored))
    guard try await store.apply([change]) else { throw SecretBook.Refusal.busy }
    try await tell(database)
    return fresh
  }

  /// The ids of a database's keys and when they were made.
  package func keys(of database: String) async throws -> [(id: String, createdAtSeconds: Int64)] {
    try await records(of: database).map {
      ($0.key, try RecordText.decode(Stored.self, $0.value).createdAtSeconds)
    }
  }

  /// Makes a key useless; false when there is none of that id.
  package func revoke(_ id: String, of database: String) async throws -> Bool {
    guard let record = try await records(of: database).first(where: { $0.key == id }) else { return false }
    let change = IdentityChange(
      realm: database, kind: .serviceAccount, key: id, from: record.value, to: nil)
    guard try await store.apply([change]) else { throw SecretBook.Refusal.busy }
    try await tell(database)
    return true
  }

  /// Takes a while: large primes have to be found.
  @concurrent private static func makeKey() async throws -> _RSA.Signing.PrivateKey {
    try _RSA.Signing.PrivateKey(keySize: .bits2048)
  }

  private func records(of database: String) async throws -> [IdentityRecord] {
    try await store.all(realm: database, kind: RecordKind.serviceAccount.name, limit: .max, reversed: false)
  }

  private func tell(_ database: String) async throws {
    let ticket = keyring.ticket()
    try await tell(database, try await records(of: database), ticket)
  }

  private func tell(_ database: String, _ records: [IdentityRecord], _ ticket: Keyring.Ticket) async throws {
    var keys: [String: [VerificationKey]] = [:]
    for record in records {
      let stored = try RecordText.decode(Stored.self, record.value)
      keys[stored.address, default: []].append(
        try await VerificationKey(rsaPEM: stored.pem, id: record.key))
    }
    keyring.setServiceKeys(keys, of: database, by: ticket)
  }
}

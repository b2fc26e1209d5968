/// Keeps the secrets of all databases, and tells the keyring.
package struct SecretBook: Sendable {
  private let store: any IdentityStore
  private let keyring: Keyring

  private struct Stored: Codable {
    let text: String
    let createdAtSeconds: Int64
    let note: String
  }

  package enum Refusal: Error, Equatable {
    /// There are as many as there may be: revoke one first.
    case tooMany
    /// Another was made or revoked at the same time.
    case busy
    case noteTooLong
  }

  package init(store: any IdentityStore, keyring: Keyring) {
    self.store = store
    self.keyring = keyring
  }

  /// Tells the keyring about all secrets there are.
  package func load() async throws {
    let ticket = keyring.ticket()
    var secrets: [String: [DatabaseSecret]] = [:]
    for record in try await store.all(realm: nil, kind: RecordKind.secret.name, limit: .max, reversed: false)
    {
      secrets[record.realm, default: []].append(try await Self.secret(record))
    }
    for (database, secrets) in secrets { keyring.setSecrets(secrets, of: database, by: ticket) }
  }

  /// A database's secrets, the oldest first.
  package func secrets(of database: String) async throws -> [DatabaseSecret] {
    var secrets: [DatabaseSecret] = []
    for record in try await records(of: database) { secrets.append(try await Self.secret(record)) }
    return secrets.sorted { ($0.createdAtSeconds, $0.id) < ($1.createdAtSeconds, $1.id) }
  }

  /// Makes another secret. With `revokesOthers` it is the only one from then on.
  package func add(
    to database: String, note: String = "", revokesOthers: Bool = false, nowSeconds: Int64
  ) async throws -> DatabaseSecret {
    guard note.utf8.count <= 256 else { throw Refusal.noteTooLong }
    let others = try await records(of: database)
    guard revokesOthers || others.count < IdentityLimits.secretsPerDatabase else { throw Refusal.tooMany }
    let secret = try await DatabaseSecret.generate(nowSeconds: nowSeconds, note: note)
    let stored = Stored(text: secret.text, createdAtSeconds: nowSeconds, note: note)
    var changes = [
      IdentityChange(
        realm: database, kind: .secret, key: secret.id, from: nil, to: try RecordText.encode(stored))
    ]
    if revokesOthers { changes += others.map { removal($0) } }
    guard try await store.apply(changes) else { throw Refusal.busy }
    try await tell(database)
    return secret
  }

  /// Makes a secret useless, at once; false when there is none of that id.
  package func revoke(_ id: String, of database: String) async throws -> Bool {
    guard let record = try await records(of: database).first(where: { $0.key == id }) else { return false }
    guard try await store.apply([removal(record)]) else { throw Refusal.busy }
    try await tell(database)
    return true
  }

  private func removal(_ record: IdentityRecord) -> IdentityChange {
    IdentityChange(realm: record.realm, kind: .secret, key: record.key, from: record.value, to: nil)
  }

  private func records(of database: String) async throws -> [IdentityRecord] {
    try await store.all(realm: database, kind: RecordKind.secret.name, limit: .max, reversed: false)
  }

  private func tell(_ database: String) async throws {
    let ticket = keyring.ticket()
    keyring.setSecrets(try await secrets(of: database), of: database, by: ticket)
  }

  private static func secret(_ record: IdentityRecord) async throws -> DatabaseSecret {
    let stored = try RecordText.decode(Stored.self, record.value)
    return try await DatabaseSecret(
      id: record.key, text: stored.text, createdAtSeconds: stored.createdAtSeconds, note: stored.note)
  }
}

import Engine
import Synchronization

/// Who did what to databases, secrets and keys: kept beside them, the newest first when it is read.
package struct AuditLog: Sendable {
  /// One action of an operator.
  package struct Entry: Codable, Sendable, Equatable {
    package let atMilliseconds: Int64
    /// `database.create`, `secret.revoke`, and so on.
    package let action: String
    package let database: String?
    /// What it was done to, such as the id of a secret; never a secret itself.
    package let subject: String?
    /// Where the request came from; nil for the command line on the data folder.
    package let address: String?
  }

  /// So many are kept.
  package static let limit = 10_000

  private let store: any IdentityStore

  package init(store: any IdentityStore) {
    self.store = store
  }

  /// Adds an entry. Every so often the oldest are removed.
  package func record(_ entry: Entry) async throws {
    let time = String(entry.atMilliseconds)
    let key =
      String(repeating: "0", count: max(0, 15 - time.utf8.count)) + time + RandomText.plain(characterCount: 6)
    let change = IdentityChange(
      realm: "", kind: .audit, key: key, from: nil, to: try RecordText.encode(entry))
    _ = try await store.apply([change])
    if Int.random(in: 0..<256) == 0 { try await trim() }
  }

  /// The newest entries.
  package func newest(_ count: Int) async throws -> [Entry] {
    try await store.all(
      realm: "", kind: RecordKind.audit.name, limit: min(max(count, 0), Self.limit), reversed: true
    ).map { try RecordText.decode(Entry.self, $0.value) }
  }

  private func trim() async throws {
    let all = try await store.all(realm: "", kind: RecordKind.audit.name, limit: .max, reversed: true)
    for record in all.dropFirst(Self.limit) {
      _ = try await store.apply([
        IdentityChange(realm: "", kind: .audit, key: record.key, from: record.value, to: nil)
      ])
    }
  }
}

extension AuditLog.Entry {
  package init(
    _ action: String, database: String? = nil, subject: String? = nil, address: String? = nil,
    nowMilliseconds: Int64
  ) {
    self.init(
      atMilliseconds: nowMilliseconds, action: action, database: database, subject: subject, address: address)
  }
}

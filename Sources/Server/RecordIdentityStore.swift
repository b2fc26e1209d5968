import Identity
import Storage

/// Keeps what `Identity` has to remember in the data folder's records.
struct RecordIdentityStore: IdentityStore {
  let records: Records

  func value(realm: String, kind: String, key: String) async throws -> [UInt8]? {
    try await records.value(realm: realm, kind: kind, key: key)
  }

  func all(realm: String?, kind: String, after key: String?, limit: Int, reversed: Bool) async throws
    -> [IdentityRecord]
  {
    try await records.all(realm: realm, kind: kind, after: key, limit: limit, reversed: reversed)
      .map { IdentityRecord(realm: $0.realm, key: $0.key, value: $0.value) }
  }

  func apply(_ changes: [IdentityChange]) async throws -> Bool {
    try await records.apply(
      changes.map {
        RecordChange(
          realm: $0.realm, kind: $0.kind, key: $0.key, expected: $0.expected, value: $0.value)
      })
  }

  func removeAll(realm: String) async throws {
    try await records.removeAll(realm: realm)
  }
}

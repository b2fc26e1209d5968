import Synchronization

@testable import Identity

/// Records in memory.
final class MemoryIdentityStore: IdentityStore {
  private struct Key: Hashable {
    let kind: String
    let realm: String
    let key: String
  }

  private let records = Mutex<[Key: [UInt8]]>([:])

  func value(realm: String, kind: String, key: String) async throws -> [UInt8]? {
    records.withLock { $0[Key(kind: kind, realm: realm, key: key)] }
  }

  func all(realm: String?, kind: String, after key: String?, limit: Int, reversed: Bool) async throws
    -> [IdentityRecord]
  {
    let found = records.withLock { records in
      records.filter { $0.key.kind == kind && (realm == nil || $0.key.realm == realm) }
        .map { IdentityRecord(realm: $0.key.realm, key: $0.key.key, value: $0.value) }
    }
    let sorted = found.sorted { ($0.realm, $0.key) < ($1.realm, $1.key) }
    let ordered = reversed ? sorted.reversed() : sorted
    let rest = ordered.filter { entry in key.map { reversed ? entry.key < $0 : entry.key > $0 } ?? true }
    return Array(rest.prefix(limit))
  }

  func apply(_ changes: [IdentityChange]) async throws -> Bool {
    records.withLock { records in
      var copy = records
      for change in changes {
        let key = Key(kind: change.kind, realm: change.realm, key: change.key)
        guard copy[key] == change.expected else { return false }
        copy[key] = change.value
      }
      records = copy
      return true
    }
  }

  func removeAll(realm: String) async throws {
    records.withLock { records in records = records.filter { $0.key.realm != realm } }
  }

  /// Everything that is stored, as text.
  var text: String {
    records.withLock { records in
      records.map { "\($0.key.realm) \($0.key.key) \(String(decoding: $0.value, as: UTF8.self))" }
        .joined(separator: "\n")
    }
  }
}

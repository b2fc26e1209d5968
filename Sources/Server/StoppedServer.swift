import Engine
import Identity
import Storage

/// The databases of a data folder that no server has open.
package struct StoppedServer: Sendable {
  private let node: StorageNode
  private let store: RecordIdentityStore
  private let clock = SystemClock()

  /// Fails when the folder is in use, or is not there.
  package init(dataFolder: String) async throws {
    var configuration = Configuration()
    configuration.dataFolder = dataFolder
    node = try await StorageNode(configuration)
    store = RecordIdentityStore(records: node.records)
  }

  /// The names of all databases, in order.
  package func names() async throws -> [String] {
    try await node.store.list().map(\.name).sorted()
  }

  /// Makes an empty database and gives its secret; nil when it was there.
  package func create(_ name: String) async throws -> String? {
    let id = try Self.id(name)
    guard try await !node.store.exists(id) else { return nil }
    try await node.store.create(id)
    let secret = try await secrets.add(to: id.name, nowSeconds: clock.nowMilliseconds() / 1000)
    try await note("database.create", id)
    return secret.text
  }

  /// Removes a database with all its data; false when it was not there.
  package func delete(_ name: String) async throws -> Bool {
    let id = try Self.id(name)
    guard try await node.store.exists(id) else { return false }
    try await node.store.delete(id)
    try await store.removeAll(realm: id.name)
    try await note("database.delete", id)
    return true
  }

  private var secrets: SecretBook { SecretBook(store: store, keyring: Keyring()) }

  private func note(_ action: String, _ id: DatabaseID) async throws {
    try await AuditLog(store: store).record(
      AuditLog.Entry(action, database: id.name, nowMilliseconds: clock.nowMilliseconds()))
  }

  /// Lets go of the folder.
  package func close() async {
    await node.close()
  }

  private static func id(_ name: String) throws(ServerError) -> DatabaseID {
    do {
      return try DatabaseID(name)
    } catch {
      throw ServerError("`\(name)` can't name a database", advice: "Use 1 to 63 of a-z, 0-9, - and _.")
    }
  }
}

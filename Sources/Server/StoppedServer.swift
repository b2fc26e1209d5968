import Engine
import Storage

/// The databases of a data folder that no server has open.
package struct StoppedServer: Sendable {
  private let node: StorageNode

  /// Fails when the folder is in use, or is not there.
  package init(dataFolder: String) async throws {
    var configuration = Configuration()
    configuration.dataFolder = dataFolder
    node = try await StorageNode(configuration)
  }

  /// The names of all databases, in order.
  package func names() async throws -> [String] {
    try await node.store.list().map(\.name).sorted()
  }

  /// Makes an empty database; false when it was there.
  package func create(_ name: String) async throws -> Bool {
    let id = try Self.id(name)
    guard try await !node.store.exists(id) else { return false }
    try await node.store.create(id)
    return true
  }

  /// Removes a database with all its data; false when it was not there.
  package func delete(_ name: String) async throws -> Bool {
    let id = try Self.id(name)
    guard try await node.store.exists(id) else { return false }
    try await node.store.delete(id)
    return true
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

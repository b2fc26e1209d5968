package import Engine
import Logging
package import NIOCore
import RESTWire
import Synchronization

extension Databases {
  /// What an operator asked for and what stood in the way.
  package enum AdminError: Error, Equatable {
    /// It is being opened or closed just now.
    case busy
  }

  /// The names of all databases, in order.
  package func names() async throws -> [String] {
    try await checkpoints.list().map(\.name).sorted()
  }

  /// Whether there is a database of that name.
  package func exists(_ id: DatabaseID) async throws -> Bool {
    try await checkpoints.exists(id)
  }

  /// Makes an empty database; false when it was there.
  package func create(_ id: DatabaseID) async throws -> Bool {
    guard try await !checkpoints.exists(id) else { return false }
    try await checkpoints.create(id)
    logger.notice("database created", metadata: ["database": "\(id)"])
    return true
  }

  /// Ends every session of a database and removes it with all its data; false when it was not there.
  package func delete(_ id: DatabaseID) async throws -> Bool {
    guard try await checkpoints.exists(id) else { return false }
    if let database = try reserve(id) {
      await withCheckedContinuation { continuation in
        close(database) { continuation.resume() }
      }
    }
    defer { finishClosing(id.name) }
    try await checkpoints.delete(id)
    logger.notice("database deleted", metadata: ["database": "\(id)"])
    return true
  }

  /// Keeps others from opening a database; gives it back when it is open and has to be closed.
  private func reserve(_ id: DatabaseID) throws(AdminError) -> Database? {
    let (isBusy, database) = state.withLock { state -> (Bool, Database?) in
      var open: Database?
      switch state.entries[id.name] {
      case .opening, .closing: return (true, nil)
      case .open(let database, _): open = database
      case .failed, nil: break
      }
      state.entries[id.name] = .closing(open, [])
      return (false, open)
    }
    if isBusy { throw .busy }
    return database
  }
}

extension Databases: DatabaseLister {
  package func databaseNames(
    on eventLoop: any EventLoop, completion: @escaping @Sendable (Result<[String], DirectoryError>) -> Void
  ) {
    Task {
      let result: Result<[String], DirectoryError>
      do { result = .success(try await names()) } catch { result = .failure(.failed("\(error)")) }
      eventLoop.execute { completion(result) }
    }
  }
}

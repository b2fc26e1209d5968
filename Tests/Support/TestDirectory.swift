package import Engine
package import NIOCore
import Synchronization

/// A directory that a test fills.
package final class TestDirectory: DatabaseDirectory, Sendable {
  private let known = Mutex<[String: Result<Database, DirectoryError>]>([:])

  package init() {}

  package func set(_ name: String, _ result: Result<Database, DirectoryError>) {
    known.withLock { $0[name] = result }
  }

  package func get(_ name: String) -> Result<Database, DirectoryError> {
    known.withLock { $0[name] } ?? .failure(.unknown)
  }

  package func database(
    named name: String, on eventLoop: any EventLoop,
    completion: @escaping @Sendable (Result<Database, DirectoryError>) -> Void
  ) {
    let result = get(name)
    // Names that begin with "slow" take until the loop's next turn, as opening a file would.
    if name.hasPrefix("slow") { eventLoop.execute { completion(result) } } else { completion(result) }
  }
}

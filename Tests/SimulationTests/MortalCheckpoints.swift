import Engine
import Synchronization
import TestSupport

/// One process's way to checkpoints that outlive it: after its death nothing of it arrives.
final class MortalCheckpoints: CheckpointStore, Sendable {
  private let checkpoints: MemoryCheckpoints
  private let isDead = Mutex(false)

  init(_ checkpoints: MemoryCheckpoints) { self.checkpoints = checkpoints }

  func die() { isDead.withLock { $0 = true } }

  private func live() throws(CommitLogError) -> MemoryCheckpoints {
    if isDead.withLock({ $0 }) { throw .closed }
    return checkpoints
  }

  func load(_ database: DatabaseID) async throws(CommitLogError) -> Checkpoint? {
    try await live().load(database)
  }

  func save(
    _ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint
  ) async throws(CommitLogError) {
    try await live().save(database, from: old, to: new)
  }

  func list() async throws(CommitLogError) -> [DatabaseID] { try await live().list() }
  func create(_ database: DatabaseID) async throws(CommitLogError) { try await live().create(database) }
  func delete(_ database: DatabaseID) async throws(CommitLogError) { try await live().delete(database) }
  func exists(_ database: DatabaseID) async throws(CommitLogError) -> Bool {
    try await live().exists(database)
  }
}

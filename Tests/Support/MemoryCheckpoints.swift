package import Engine
import JSONTree
import Synchronization

/// Checkpoints in memory, which insist on being told the difference from what they hold.
package final class MemoryCheckpoints: CheckpointStore, Sendable {
  private struct State {
    var saved: [DatabaseID: Checkpoint] = [:]
    var known: Set<DatabaseID> = []
    var failures = 0
    var saves = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Makes the next saves fail.
  package func failSaves(times: Int) {
    state.withLock { $0.failures = times }
  }

  /// How many saves were asked for.
  package var saves: Int { state.withLock(\.saves) }

  /// The checkpoint that is held, if any.
  package func saved(_ database: DatabaseID) -> Checkpoint? {
    state.withLock { $0.saved[database] }
  }

  package func load(_ database: DatabaseID) async throws(CommitLogError) -> Checkpoint? {
    saved(database)
  }

  package func save(
    _ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint
  ) async throws(CommitLogError) {
    let error = state.withLock { state -> CommitLogError? in
      state.saves += 1
      if state.failures > 0 {
        state.failures -= 1
        return .diskFull("no room for a checkpoint")
      }
      guard state.saved[database]?.position == old?.position else {
        return .corrupt("a checkpoint was to be made from another one than the last")
      }
      state.saved[database] = new
      state.known.insert(database)
      return nil
    }
    if let error { throw error }
  }

  package func list() async throws(CommitLogError) -> [DatabaseID] {
    state.withLock { Array($0.known) }
  }

  package func create(_ database: DatabaseID) async throws(CommitLogError) {
    state.withLock { _ = $0.known.insert(database) }
  }

  package func delete(_ database: DatabaseID) async throws(CommitLogError) {
    state.withLock { state in
      state.known.remove(database)
      state.saved[database] = nil
    }
  }

  package func exists(_ database: DatabaseID) async throws(CommitLogError) -> Bool {
    state.withLock { $0.known.contains(database) }
  }
}

package import JSONTree

/// A database's whole state at one place of its log.
package struct Checkpoint: Sendable {
  /// The engine's state: an object with the children `data` and `meta` (`State`).
  package var root: Node
  package var position: LogPosition

  package init(root: Node, position: LogPosition) {
    self.root = root
    self.position = position
  }
}

/// Where checkpoints are kept, so that start-up replays only the log's tail.
package protocol CheckpointStore: Sendable {
  /// The last saved checkpoint, nil when there is none yet.
  func load(_ database: DatabaseID) async throws(CommitLogError) -> Checkpoint?

  /// Writes the difference between two states, and the position, as one transaction.
  ///
  /// - Parameter old: what the last `load` or `save` gave the store; nil when there was nothing.
  func save(_ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint) async throws(CommitLogError)

  /// Every database that exists, in no order.
  func list() async throws(CommitLogError) -> [DatabaseID]

  /// Makes an empty database; does nothing when it exists.
  func create(_ database: DatabaseID) async throws(CommitLogError)

  /// Removes a database's checkpoint; does nothing when it does not exist.
  func delete(_ database: DatabaseID) async throws(CommitLogError)

  /// A database of this name has been created and not deleted.
  func exists(_ database: DatabaseID) async throws(CommitLogError) -> Bool
}

/// What a database has done since it was opened, and what it holds.
package struct Counters: Sendable, Equatable {
  /// Requests to write that reached the sequencer.
  package var writes: UInt64 = 0
  /// Batches made durable.
  package var commits: UInt64 = 0
  /// Batches that the log did not take.
  package var failedCommits: UInt64 = 0
  /// Bytes given to the log.
  package var loggedBytes: UInt64 = 0
  /// Pushes encoded, each once for all its listeners.
  package var pushes: UInt64 = 0
  /// Pushes handed to listeners.
  package var deliveries: UInt64 = 0
  /// Gets answered and listens begun.
  package var reads: UInt64 = 0
  /// Checkpoints saved, and those that failed.
  package var checkpoints: UInt64 = 0
  package var failedCheckpoints: UInt64 = 0
  /// Clients attached now.
  package var clients = 0
  /// Listens standing now.
  package var listens = 0

  package init() {}
}

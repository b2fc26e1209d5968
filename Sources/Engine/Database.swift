package import JSONTree
package import NIOCore
package import Rules

/// One database: a tree, its log, its rules and everybody who listens.
///
/// All state lives on one event loop and nothing here suspends, so a checked precondition stays true. Enter through
/// `enter` only: what the work has to tell clients is handed over when it returns.
package actor Database {
  package nonisolated let id: DatabaseID
  package nonisolated let eventLoop: any EventLoop

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    eventLoop.executor.asUnownedSerialExecutor()
  }

  /// What the database has done so far.
  package internal(set) var counters = Counters()
  /// The rules in force: those of the committed state.
  package internal(set) var rules: RuleSet

  init(id: DatabaseID, eventLoop: any EventLoop, rules: RuleSet) {
    self.id = id
    self.eventLoop = eventLoop
    self.rules = rules
  }

  /// Loads the last checkpoint, replays the log's tail, and runs what sessions of an earlier process left to be done.
  package static func open(
    _ id: DatabaseID, on eventLoop: any EventLoop, log: any CommitLog, checkpoints: any CheckpointStore,
    options: DatabaseOptions = DatabaseOptions(), clock: any Clock = SystemClock()
  ) async throws(CommitLogError) -> Database {
    Database(id: id, eventLoop: eventLoop, rules: options.defaultRules)
  }

  /// Runs work in the database: at once on its own loop, else soon, first in first out for each calling thread.
  package nonisolated func enter(_ work: @escaping @Sendable (isolated Database) -> Void) {
    if eventLoop.inEventLoop {
      assumeIsolated { work($0) }
    } else {
      eventLoop.execute { self.assumeIsolated { work($0) } }
    }
  }

  /// Makes a client known. `sessionID` is unguessable and a legal key, or empty for a client without onDisconnect.
  package func attach(_ client: Client, caller: Caller, sessionID: String = "") {}

  /// Ends a client's session: its listens go, its onDisconnect operations run. Nothing more is sent to it from then on.
  package func detach(_ client: Client) {}

  /// Ends another connection's session now, as `detach` would: its client has come back on a new connection.
  package func endSession(_ sessionID: String) {}

  /// Changes who a client is. Listens that are no longer allowed are revoked; the answer (`done`) comes after that.
  package func setCaller(_ caller: Caller, for client: Client, tag: UInt64? = nil) {}

  /// Writes; answers `written`, `stale` or `failed`, after all pushes that the write (or what it collided with) caused.
  package func write(_ request: WriteRequest, tag: UInt64, client: Client) {}

  /// Reads once; answers `value` or `failed`. Sees the client's own earlier writes.
  package func get(_ path: Path, query: Query = .all, tag: UInt64, client: Client) {}

  /// Begins a listen: an `.initial` event, then the answer `listening`, then every later change; or answers `failed`.
  package func listen(_ request: ListenRequest, tag: UInt64, client: Client) {}

  /// Ends a listen; answers `done`, also when there is no such listen.
  package func unlisten(_ listen: ListenID, tag: UInt64? = nil, client: Client) {}

  /// Registers or cancels what shall happen when the client's session ends; answers `done` when that is durable.
  package func onDisconnect(_ operation: DisconnectOperation, tag: UInt64, client: Client) {}

  /// Installs rules (nil: the default ones) for an admin; answers `done` when they are in force, or `invalid` with the
  /// compiler's text. All listens are checked again.
  package func installRules(_ text: String?, tag: UInt64, client: Client) {}

  /// Refuses new requests, ends all sessions, commits, writes a checkpoint and calls back on the database's loop.
  package func close(_ completion: @escaping @Sendable () -> Void) { completion() }
}

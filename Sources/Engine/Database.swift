import JSONTree
package import NIOCore
package import Rules

/// One database: a tree, its log, its rules and everybody who listens.
///
/// All state lives on one event loop and nothing here suspends, so a checked precondition stays true. Enter
/// through `enter` only: what the work has to tell clients is handed over when it returns.
///
/// A write is sequenced on `head()` and becomes part of the open batch. One batch at a time is with the log;
/// once it is durable it is `committed`, listeners hear of it, and its answers go out. Reads see `committed`
/// alone. When the log refuses a batch, what was sequenced on top of it is sequenced again.
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

  let log: any CommitLog
  let checkpoints: any CheckpointStore
  let options: DatabaseOptions
  let clock: any Clock
  /// This opening's own epoch: larger than that of any entry it found.
  let epoch: UInt64

  // The state, durable and sequenced.
  var committed: State
  var position: LogPosition
  var history: History
  /// The state after the last batch that holds trees; nil when that is the committed one.
  var built: State?
  var headRules: RuleSet
  /// The onDisconnect records of the head, by session.
  var presence: [ChildKey: DisconnectTree]

  // The way into the log.
  var inFlight: Batch?
  var sealed: [Batch] = []
  var open: Batch
  var isSealScheduled = false
  var logState = LogState.ready
  var pendingRequests = 0
  var pendingBytes = 0
  /// What the engine itself must still get into the log, after a failure.
  var retained: [BatchItem] = []
  var isRetryScheduled = false

  // Clients.
  var sessions: [ObjectIdentifier: Session] = [:]
  var sessionsByKey: [ChildKey: Session] = [:]
  var outboxes: [ObjectIdentifier: Outbox] = [:]
  let listeners = ListenerTree()
  let watches = WatchTree()
  var indexes = ChildIndexes()
  var isSweepScheduled = false
  /// What is being found out beside the loop, and who waits for each.
  var preparations: [Preparation: [Session]] = [:]
  /// The object that was last measured for a read, and its estimated size.
  var lastMeasured = (value: Node.null, bytes: 0)
  private var isFlushing = false

  // Checkpoints.
  var lastCheckpoint: Checkpoint?
  var isSaving = false
  var entriesSinceCheckpoint: UInt64 = 0
  var bytesSinceCheckpoint: UInt64 = 0
  var checkpointTimer: Scheduled<Void>?
  var closing = Closing.no

  enum LogState { case ready, finding, superseded }
  enum Closing {
    case no
    case waiting([@Sendable () -> Void])
    case saving([@Sendable () -> Void])
    case done
  }

  init(
    id: DatabaseID, eventLoop: any EventLoop, log: any CommitLog, checkpoints: any CheckpointStore,
    options: DatabaseOptions, clock: any Clock, recovered: Recovery
  ) {
    self.id = id
    self.eventLoop = eventLoop
    self.log = log
    self.checkpoints = checkpoints
    self.options = options
    self.clock = clock
    epoch = recovered.position.epoch + 1
    committed = recovered.state
    position = recovered.position
    history = History(
      at: recovered.position, limit: options.historyPaths, milliseconds: options.historySeconds * 1000)
    rules = recovered.rules
    headRules = recovered.rules
    presence = recovered.presence.mapValues(\.tree)
    open = Batch()
    lastCheckpoint = recovered.checkpoint
    entriesSinceCheckpoint = recovered.replayedEntries
    bytesSinceCheckpoint = recovered.replayedBytes
  }

  /// Runs work in the database: at once on its own loop, else soon, first in first out for each calling
  /// thread.
  package nonisolated func enter(_ work: @escaping @Sendable (isolated Database) -> Void) {
    if eventLoop.inEventLoop {
      assumeIsolated {
        work($0)
        $0.flush()
      }
    } else {
      eventLoop.execute {
        self.assumeIsolated {
          work($0)
          $0.flush()
        }
      }
    }
  }

  /// As `enter`, but never before the present work is done.
  package nonisolated func enterLater(_ work: @escaping @Sendable (isolated Database) -> Void) {
    eventLoop.execute {
      self.assumeIsolated {
        work($0)
        $0.flush()
      }
    }
  }

  /// Hands over what has gathered for clients. They may enter again meanwhile: what they cause goes out in a
  /// next round.
  private func flush() {
    if isFlushing { return }
    isFlushing = true
    var isDone = false
    while !isDone {
      isDone = true
      for outbox in outboxes.values where !outbox.isEmpty {
        let deliveries = outbox.take()
        if outbox.eventLoop === eventLoop {
          isDone = false
          Client.deliver(deliveries)
        } else {
          outbox.eventLoop.execute { Client.deliver(deliveries) }
        }
      }
    }
    isFlushing = false
  }

  func outbox(for eventLoop: any EventLoop) -> Outbox {
    let key = ObjectIdentifier(eventLoop)
    if let outbox = outboxes[key] { return outbox }
    let outbox = Outbox(eventLoop: eventLoop)
    outboxes[key] = outbox
    return outbox
  }

  func answer(_ outcome: Outcome, _ tag: UInt64, _ session: Session) {
    guard session.isAttached else { return }
    session.outbox.append(Answer(tag: tag, outcome: outcome), to: session.client)
  }
}

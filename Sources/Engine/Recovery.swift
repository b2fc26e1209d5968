package import NIOCore
import JSONTree
import Rules

/// What a database starts from: the last checkpoint and the log's tail behind it.
struct Recovery: Sendable {
  var checkpoint: Checkpoint?
  var state = State.empty
  var position = LogPosition.start
  var rules: RuleSet
  var presence: [ChildKey: Presence.Kept] = [:]
  var replayedEntries: UInt64 = 0
  var replayedBytes: UInt64 = 0

  /// Loads and replays. Applying uses no clock, no randomness and no rules.
  static func run(
    _ id: DatabaseID, _ log: any CommitLog, _ checkpoints: any CheckpointStore, _ options: DatabaseOptions
  ) async throws(CommitLogError) -> Recovery {
    var recovery = Recovery(rules: options.defaultRules)
    if let checkpoint = try await checkpoints.load(id) {
      recovery.checkpoint = checkpoint
      recovery.state = State(root: checkpoint.root)
      recovery.position = checkpoint.position
    }
    let tail = try await log.tail(of: id)
    guard tail.index >= recovery.position.index else {
      throw .corrupt("\(id): the log ends at \(tail), before the checkpoint at \(recovery.position)")
    }
    do {
      for try await entry in log.entries(of: id, after: recovery.position, follow: false) {
        try recovery.replay(entry, of: id)
      }
    } catch let error as CommitLogError {
      throw error
    } catch {
      throw .io("\(id): \(error)")
    }
    guard recovery.position.index == tail.index, recovery.position.digest == tail.digest else {
      throw .corrupt("\(id): the log's entries end at \(recovery.position), its tail is at \(tail)")
    }
    try recovery.readMeta(id, options)
    return recovery
  }

  private mutating func replay(_ entry: LogEntry, of id: DatabaseID) throws(CommitLogError) {
    guard entry.position.index == position.index + 1, entry.position.epoch >= position.epoch else {
      throw .corrupt("\(id): entry \(entry.position) follows \(position)")
    }
    do throws(JSONSyntaxError) {
      for set in try EntryCodec.decode(entry.payload) { state.apply(set) }
    } catch {
      throw .corrupt("\(id): entry \(entry.position) can't be read at byte \(error.offset)")
    }
    position = entry.position
    replayedEntries += 1
    replayedBytes += UInt64(entry.payload.count)
  }

  private mutating func readMeta(
    _ id: DatabaseID, _ options: DatabaseOptions
  ) throws(CommitLogError) {
    if let text = state.meta[MetaPath.rules].string {
      do throws(RulesErrors) {
        rules = try RuleSet(text: text)
      } catch {
        // Rules that no longer compile guard nothing: nobody gets in until they are mended.
        rules = .closed
        options.report(.rulesUnreadable(id, error.text))
      }
    }
    do throws(PresenceError) {
      presence = try Presence.all(in: state.meta)
    } catch {
      throw .corrupt("\(id): the onDisconnect records of session \(error.session) can't be read")
    }
  }
}

extension Database {
  /// Loads the last checkpoint, replays the log's tail, and runs what sessions of an earlier process left to
  /// be done.
  package static func open(
    _ id: DatabaseID, on eventLoop: any EventLoop, log: any CommitLog, checkpoints: any CheckpointStore,
    options: DatabaseOptions = DatabaseOptions(), clock: any Clock = SystemClock()
  ) async throws(CommitLogError) -> Database {
    let recovered = try await Recovery.run(id, log, checkpoints, options)
    let database = Database(
      id: id, eventLoop: eventLoop, log: log, checkpoints: checkpoints, options: options, clock: clock,
      recovered: recovered)
    database.enter { database in
      for (key, kept) in recovered.presence.sorted(by: { $0.key < $1.key }) {
        let session = EndedSession(key: key, caller: kept.caller)
        database.submitOwn(.ending(session), caller: kept.caller)
      }
      database.checkpointIfDue()
    }
    return database
  }
}

import Engine
import NIOCore

/// What the server has done, as the text that Prometheus reads.
struct Metrics: Sendable {
  let startedAt = NIODeadline.now()

  /// Adds up what all databases have done since the start, and calls back on `eventLoop`.
  static func gather(
    from databases: Databases, on eventLoop: any EventLoop, completion: @escaping @Sendable (Counters) -> Void
  ) {
    let (retired, living) = databases.totals
    let futures = living.map { database -> EventLoopFuture<Counters> in
      let promise = eventLoop.makePromise(of: Counters.self)
      database.enter { promise.succeed($0.counters) }
      return promise.futureResult
    }
    EventLoopFuture.whenAllSucceed(futures, on: eventLoop).whenSuccess { all in
      completion(all.reduce(into: retired) { $0.add($1) })
    }
  }

  /// What stands now beside the databases' counters.
  struct Gauges: Sendable {
    var connections = 0
    var databases = 0
    /// Sessions that long polling carries: they have no connection of their own.
    var polledSessions = 0
    /// What waits for their next polls.
    var polledBytes = 0
  }

  func text(counters: Counters, gauges: Gauges) -> String {
    let uptime = (NIODeadline.now() - startedAt).nanoseconds / 1_000_000_000
    let rows: [(name: String, kind: String, help: String, value: UInt64)] = [
      ("uptime_seconds", "gauge", "Seconds since the start.", UInt64(uptime)),
      ("connections", "gauge", "Open connections of all kinds.", UInt64(gauges.connections)),
      ("databases", "gauge", "Open databases.", UInt64(gauges.databases)),
      ("polled_sessions", "gauge", "Sessions carried by long polling.", UInt64(gauges.polledSessions)),
      ("polled_bytes", "gauge", "Bytes that wait for polls to come.", UInt64(gauges.polledBytes)),
      ("clients", "gauge", "Clients attached to a database.", UInt64(counters.clients)),
      ("listens", "gauge", "Listens standing.", UInt64(counters.listens)),
      ("writes_total", "counter", "Requests to write that reached the sequencer.", counters.writes),
      ("commits_total", "counter", "Batches made durable.", counters.commits),
      ("failed_commits_total", "counter", "Batches that the log did not take.", counters.failedCommits),
      ("logged_bytes_total", "counter", "Bytes given to the log.", counters.loggedBytes),
      ("reads_total", "counter", "Gets answered and listens begun.", counters.reads),
      ("pushes_total", "counter", "Pushes encoded, each once for all its listeners.", counters.pushes),
      ("deliveries_total", "counter", "Pushes handed to listeners.", counters.deliveries),
      ("checkpoints_total", "counter", "Checkpoints saved.", counters.checkpoints),
      ("failed_checkpoints_total", "counter", "Checkpoints that failed.", counters.failedCheckpoints),
    ]
    return rows.map { row in
      """
      # HELP dhole_\(row.name) \(row.help)
      # TYPE dhole_\(row.name) \(row.kind)
      dhole_\(row.name) \(row.value)

      """
    }.joined()
  }
}

extension Counters {
  /// Adds what another database has done; clients and listens are those that stand now.
  mutating func add(_ other: Counters) {
    writes &+= other.writes
    commits &+= other.commits
    failedCommits &+= other.failedCommits
    loggedBytes &+= other.loggedBytes
    pushes &+= other.pushes
    deliveries &+= other.deliveries
    reads &+= other.reads
    checkpoints &+= other.checkpoints
    failedCheckpoints &+= other.failedCheckpoints
    clients += other.clients
    listens += other.listens
  }
}

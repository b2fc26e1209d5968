package import Rules

/// What an operator may set for a database: its bounds and its habits.
package struct DatabaseOptions: Sendable {
  /// The rules of a database that has none of its own.
  package var defaultRules: RuleSet = .closed

  /// Listens that one client may hold.
  package var listensPerClient = 10_000
  /// Remembered onDisconnect writes that one session may hold, and their size in bytes of JSON text.
  package var disconnectRecordsPerSession = 1_000
  package var disconnectBytesPerSession = 256 * 1024
  /// Requests, and bytes of writes, that may wait for the log; past either new ones are `overloaded`.
  package var pendingRequests = 100_000
  package var pendingBytes = 64 * 1024 * 1024
  /// Requests of one client that may wait for the log.
  package var pendingRequestsPerClient = 16_384
  /// A batch is closed when it has grown past this; one write may be larger.
  package var batchBytes = 8 * 1024 * 1024
  /// How long a batch that has gathered while another was made durable waits for the writes of those who are
  /// being answered: long enough for the loop to look at its sockets. 0: it goes at once.
  package var gatherMicroseconds: Int64 = 0
  /// The largest write, in bytes of JSON text.
  package var writeBytes = 256 * 1024 * 1024
  /// The largest value that a get or a listen is given, estimated.
  package var readBytes = 256 * 1024 * 1024

  /// A checkpoint is written once this many batches or bytes, or seconds with any batch, lie behind the last
  /// one.
  package var checkpointEntries: UInt64 = 10_000
  package var checkpointBytes: UInt64 = 64 * 1024 * 1024
  package var checkpointSeconds: Int64 = 60

  /// How many places the latest writes are remembered by, and for how long, so that clients who come back are
  /// told only what has changed.
  package var historyPaths = 20_000
  package var historySeconds: Int64 = 600

  /// Hears of what an operator should know; on the database's loop, so it must be short.
  package var report: @Sendable (DatabaseTrouble) -> Void = { _ in }

  /// Every denial comes with the values that led to it, for developers. An operator who acts in somebody's
  /// name is told anyway; nobody else is.
  package var explainsDenials = false

  /// Hears of every denial, with the values that led to it; on the database's loop, so it must be short. Nil
  /// if nobody listens: values are worth their price only then.
  package var reportDenial: (@Sendable (DatabaseID, Explanation) -> Void)?

  /// Whether what a caller's credential rests on still stands; asked on the database's loop of everybody who
  /// comes in with one, so it must be short. Without it, whatever was accepted stands.
  package var stands: @Sendable (Grounds, DatabaseID) -> Bool = { _, _ in true }
  /// How long an index that nobody uses is kept.
  package var indexIdleSeconds: Int64 = 60

  /// Locations with more children than this have a missing index built beside the database's loop.
  package var indexBuildChildren = 20_000

  /// How that is done, and the measuring of large values.
  package var longWork = LongWork.beside

  package init() {}
}

/// Something that an operator should know of.
package enum DatabaseTrouble: Sendable, Equatable {
  /// The log did not take a batch: its writes have failed.
  case writesFailed(DatabaseID, String)
  /// Nobody knows whether the log took a batch; writes wait until that is found out.
  case outcomeUnknown(DatabaseID, String)
  /// Another writer has the log: this database takes no more writes until it is opened again.
  case superseded(DatabaseID)
  /// A checkpoint could not be saved; the log keeps what it would have covered.
  case checkpointFailed(DatabaseID, String)
  /// The rules in the log no longer compile, so nobody but admins gets in.
  case rulesUnreadable(DatabaseID, String)
}

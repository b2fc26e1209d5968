/// The bounds that long polling keeps, whatever its clients do.
package struct PollLimits: Sendable {
  /// Sessions at the same time; one more is told to try again later.
  package var sessions = 10_000
  /// What may wait for a session's next poll; more ends the session. A single message may be longer when
  /// nothing else waits.
  package var budgetBytes = 16 * 1024 * 1024
  /// What may wait for a session's next poll before its listens are told whole with that poll instead: past
  /// it, changes are left out.
  package var conflationBytes = 4 * 1024 * 1024
  /// What may wait for the next polls of all sessions; more ends the session that wants it.
  package var totalBudgetBytes = 1024 * 1024 * 1024
  /// How long a poll is held when there is nothing to say. Clients send the next after 25 seconds.
  package var holdSeconds = 25.0
  /// A new session whose first poll does not come within this time is over.
  package var firstPollSeconds = 30.0
  /// A session that says nothing for this long is over. Browsers let a hidden page act once in a minute.
  package var silenceSeconds = 90.0
  /// The longest answer that is kept in case its poll is repeated because the answer got lost.
  package var keptAnswerBytes = 1024 * 1024
  /// How far ahead of the next piece of a message another may come.
  package var segmentsAhead: Int64 = 1024
  /// How many bytes of pieces may wait for one before them.
  package var segmentsAheadBytes = 512 * 1024
  /// What may come on a WebSocket for a session that has not quite moved there.
  package var movingBytes = 32 * 1024 * 1024

  package init() {}
}

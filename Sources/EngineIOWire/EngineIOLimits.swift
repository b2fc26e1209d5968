/// The bounds that Engine.IO sessions keep, whatever their clients do.
package struct EngineIOLimits: Sendable {
  /// How often clients of revision 3 ping, and the server those of revision 4.
  package var pingIntervalSeconds = 25.0
  /// How long an answer to a ping may take. Wilddog's clients are of revision 3 and often on bad networks.
  package var pingTimeoutSeconds = (three: 60.0, four: 20.0)
  /// A client of revision 4 that has not connected to the namespace by then is let go.
  package var connectSeconds = 45.0
  /// A WebSocket that is to take over from polling has so long to do it.
  package var upgradeSeconds = 10.0
  /// An ended session is kept for so long, for the poll that is told.
  package var closingSeconds = 30.0
  /// Sessions that are polled, or were at first; one more is told to try again later.
  package var sessions = 10_000
  /// The body of one request: the longest message that a session takes, and room for what is around it.
  package var payloadBytes = 16 * 1024 * 1024 + 128 * 1024
  /// Packets in the body of one request.
  package var packetsPerPayload = 100_000
  /// Packets in one answer: some clients take no more.
  package var packetsPerAnswer = 16
  /// Once more than this waits for a session's next poll, what can be told again is left out until all of it
  /// is taken.
  package var conflationBytes = 4 * 1024 * 1024
  /// What may wait for a session's next poll; more ends the session. A single message may be longer when
  /// nothing else waits.
  package var budgetBytes = 16 * 1024 * 1024
  /// What may wait for the next polls of all sessions; more ends the session that wants it.
  package var totalBudgetBytes = 1024 * 1024 * 1024
  /// What a ping may bring to be sent back with the pong.
  package var pingBytes = 125
  /// The name of a namespace, with its query.
  package var namespaceBytes = 256

  package init() {}

  func pingTimeoutSeconds(_ revision: Revision) -> Double {
    revision == .three ? pingTimeoutSeconds.three : pingTimeoutSeconds.four
  }
}

/// The revisions of Engine.IO that are spoken. Socket.IO 1 and 2 use the first, its later ones the second.
package enum Revision: Sendable, Hashable {
  case three, four
}

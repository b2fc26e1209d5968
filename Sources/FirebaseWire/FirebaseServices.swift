package import Engine

/// What all Firebase connections of a server share.
package final class FirebaseServices: Sendable {
  package let databases: any DatabaseDirectory
  package let authenticator: any Authenticator
  package let clock: any Clock
  package let naming: DatabaseNaming
  package let limits: FirebaseLimits
  /// Tell clients in words why something was denied: for dev mode only.
  package let explainsDenials: Bool
  /// The sessions that are carried by long polling.
  package let polling: Polling
  /// Makes the names of sessions.
  package let newSession: @Sendable () -> String
  /// The name of this run of the server.
  package let instance: String
  /// How large values are made into text.
  package let longWork: LongWork

  package init(
    databases: any DatabaseDirectory, authenticator: any Authenticator, clock: any Clock = SystemClock(),
    naming: DatabaseNaming = DatabaseNaming(), limits: FirebaseLimits = .standard,
    pollLimits: PollLimits = PollLimits(), explainsDenials: Bool = false,
    newSession: @escaping @Sendable () -> String = FirebaseServices.randomSession,
    instance: String = FirebaseServices.randomSession(), longWork: LongWork = .beside
  ) {
    self.longWork = longWork
    self.instance = instance
    self.databases = databases
    self.authenticator = authenticator
    self.clock = clock
    self.naming = naming
    self.limits = limits
    self.explainsDenials = explainsDenials
    self.newSession = newSession
    polling = Polling(limits: pollLimits)
  }

  /// A session's name from the system's random numbers.
  @Sendable package static func randomSession() -> String {
    var random = SystemRandomNumberGenerator()
    return Handshake.newSession(using: &random)
  }
}

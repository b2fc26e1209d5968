import Crypto
package import Rules
import Synchronization

/// Everything that signatures are checked against, for all databases: their secrets, this server's own keys,
/// and the providers that are trusted.
package final class Keyring: Sendable {
  private struct State {
    var secrets: [String: [DatabaseSecret]] = [:]
    var serviceKeys: [String: [String: [VerificationKey]]] = [:]
    /// By database and uid: this server's tokens issued before that second are refused.
    var refused: [String: [String: Int64]] = [:]
    var ownKeys: [VerificationKey] = []
    /// The last ticket that was given out, and by what was set the last one it was set by.
    var lastTicket: UInt64 = 0
    var setBy: [String: UInt64] = [:]
    var watcher: (@Sendable (Loss) -> Void)?
  }

  /// A place in the order of changes: what was read from the store after a ticket was taken is at least as
  /// new as that ticket.
  package struct Ticket: Sendable {
    let number: UInt64
  }

  /// What credentials can no longer rest on.
  package struct Loss: Sendable {
    /// The database that it is about; nil for all.
    package let database: String?
    /// Whether these grounds are among what is gone. It is cheap, for it is asked for everybody who is
    /// connected.
    package let includes: @Sendable (Grounds) -> Bool
    /// How long those who are connected by it keep what they are, to come with something better.
    package let afterSeconds: Double

    init(
      database: String?, afterSeconds: Double = 0, includes: @escaping @Sendable (Grounds) -> Bool
    ) {
      self.database = database
      self.afterSeconds = afterSeconds
      self.includes = includes
    }
  }

  /// Who this server's own tokens are from: `issuer(of:)` has it in front.
  package let issuerBase: String
  package let providers: [IdentityProvider]
  /// How long the connections live on of who has set a new password by them.
  private let ownConnectionSeconds: Double
  private let state = Mutex(State())
  /// Counts the changes that make tokens invalid; changed while the state is locked.
  private let changes = Atomic<UInt64>(0)

  package init(
    issuerBase: String = "dhole", providers: [IdentityProvider] = [],
    ownConnectionSeconds: Double = IdentityLimits.ownConnectionSeconds
  ) {
    self.issuerBase = issuerBase
    self.providers = providers
    self.ownConnectionSeconds = ownConnectionSeconds
  }

  /// What this server's own tokens for a database have as `iss`.
  package func issuer(of database: String) -> String { "\(issuerBase)/\(database)" }

  /// Changes with everything that makes tokens invalid.
  var generation: UInt64 { changes.load(ordering: .acquiring) }

  /// Has what is gone told from now on, on any thread, after it is refused here.
  package func watch(_ watcher: @escaping @Sendable (Loss) -> Void) {
    state.withLock { $0.watcher = watcher }
  }

  /// To be taken before the store is read for what is to be set: of two who set the same at the same time,
  /// the one who read last wins.
  package func ticket() -> Ticket {
    state.withLock { state in
      state.lastTicket += 1
      return Ticket(number: state.lastTicket)
    }
  }

  /// The secrets of a database from now on.
  package func setSecrets(_ secrets: [DatabaseSecret], of database: String, by ticket: Ticket? = nil) {
    change("secrets/\(database)", by: ticket) { state in
      let former = state.secrets[database] ?? []
      state.secrets[database] = secrets.isEmpty ? nil : secrets
      let gone = Set(former.map(\.id)).subtracting(secrets.map(\.id))
      guard !gone.isEmpty else { return nil }
      return Loss(database: database) { if case .secret(let id) = $0 { gone.contains(id) } else { false } }
    }
  }

  /// The keys that this server's tokens are signed with, the retired ones included that are still good.
  package func setOwnKeys(_ keys: [VerificationKey], by ticket: Ticket? = nil) {
    change("own", by: ticket) { state in
      let gone = Set(state.ownKeys.compactMap(\.id)).subtracting(keys.compactMap(\.id))
      state.ownKeys = keys
      guard !gone.isEmpty else { return nil }
      return Loss(database: nil) { grounds in
        switch grounds {
        case .user(_, let key, _), .service(let key, _): gone.contains(key)
        case .secret: false
        }
      }
    }
  }

  /// The public keys of a database's service accounts, by their addresses.
  package func setServiceKeys(
    _ keys: [String: [VerificationKey]], of database: String, by ticket: Ticket? = nil
  ) {
    change("services/\(database)", by: ticket) { state in
      let former = state.serviceKeys[database] ?? [:]
      state.serviceKeys[database] = keys.isEmpty ? nil : keys
      let ids = { (keys: [String: [VerificationKey]]) in Set(keys.values.joined().compactMap(\.id)) }
      let gone = ids(former).subtracting(ids(keys))
      guard !gone.isEmpty else { return nil }
      return Loss(database: database) {
        if case .service(_, let account) = $0 { gone.contains(account) } else { false }
      }
    }
  }

  /// Makes a change, unless a later one of the same was made meanwhile; tells what is gone by it.
  private func change(_ what: String, by ticket: Ticket?, _ body: (inout State) -> Loss?) {
    let (loss, watcher) = state.withLock { state -> (Loss?, (@Sendable (Loss) -> Void)?) in
      if let ticket {
        guard ticket.number > state.setBy[what] ?? 0 else { return (nil, nil) }
        state.setBy[what] = ticket.number
      }
      let loss = body(&state)
      changes.wrappingAdd(1, ordering: .acquiringAndReleasing)
      return (loss, state.watcher)
    }
    if let loss { watcher?(loss) }
  }

  func serviceKeys(of account: String, in database: String) -> [VerificationKey] {
    state.withLock { $0.serviceKeys[database]?[account] ?? [] }
  }

  /// Refuses this server's tokens for a user that were issued before a second.
  ///
  /// `own` is the second in which the token was issued by which the user has asked for it: their client
  /// is about to come with a new one, and would take itself for signed out if its connection were nobody's.
  func refuse(uid: String, of database: String, issuedBefore second: Int64, sparing own: Int64? = nil) {
    let oldest = second - IdentityLimits.longestTokenSeconds - IdentityLimits.clockSkewSeconds
    change("refused", by: nil) { state in
      var refused = state.refused[database] ?? [:]
      // What is older has no good tokens left: now and then, all of them are looked through.
      if refused.count >= 1024, refused.count.nonzeroBitCount == 1 {
        refused = refused.filter { $0.value > oldest }
      }
      refused[uid] = max(second, refused[uid] ?? .min)
      state.refused[database] = refused
      return Loss(database: database) {
        if case .user(uid, _, let issued) = $0 { issued < second && issued != own } else { false }
      }
    }
    guard let own, let watcher = state.withLock({ $0.watcher }) else { return }
    watcher(
      Loss(database: database, afterSeconds: ownConnectionSeconds) {
        if case .user(uid, _, own) = $0 { own < second } else { false }
      })
  }

  /// Whether a token of this server was issued before its user's sign-ins were ended.
  func isRefused(uid: String, of database: String, issuedAt second: Int64) -> Bool {
    state.withLock { state in
      guard let first = state.refused[database]?[uid] else { return false }
      return second < first
    }
  }

  /// Forgets everything about a database.
  package func forget(_ database: String) {
    change("forgotten", by: nil) { state in
      state.secrets[database] = nil
      state.serviceKeys[database] = nil
      state.refused[database] = nil
      return Loss(database: database) { _ in true }
    }
  }

  /// Whether a credential that rests on this is still good in a database.
  package func holds(_ grounds: Grounds, in database: String) -> Bool {
    state.withLock { state in
      switch grounds {
      case .secret(let id): return state.secrets[database]?.contains { $0.id == id } ?? false
      case .user(let uid, let key, let issued):
        guard state.ownKeys.contains(where: { $0.id == key }) else { return false }
        return state.refused[database]?[uid].map { issued >= $0 } ?? true
      case .service(let key, let account):
        guard state.ownKeys.contains(where: { $0.id == key }) else { return false }
        return state.serviceKeys[database]?.values.contains { $0.contains { $0.id == account } } ?? false
      }
    }
  }

  package func secrets(of database: String) -> [DatabaseSecret] {
    state.withLock { $0.secrets[database] ?? [] }
  }

  /// The id of the secret that a credential is; nil if it is none. All are compared, whichever fits.
  func secretID(_ digest: SHA256Digest, of database: String) -> String? {
    secrets(of: database).reduce(nil) { $1.matches(digest) ? $1.id : $0 }
  }

  func ownKeys(named id: String?) -> [VerificationKey] {
    guard let id else { return [] }
    return state.withLock { $0.ownKeys.filter { $0.id == id } }
  }
}

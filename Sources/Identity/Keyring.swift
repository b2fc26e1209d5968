import Crypto
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
    /// Counts the changes that make tokens invalid.
    var generation: UInt64 = 0
  }

  /// Who this server's own tokens are from: `issuer(of:)` has it in front.
  package let issuerBase: String
  package let providers: [IdentityProvider]
  private let state = Mutex(State())

  package init(issuerBase: String = "dhole", providers: [IdentityProvider] = []) {
    self.issuerBase = issuerBase
    self.providers = providers
  }

  /// What this server's own tokens for a database have as `iss`.
  package func issuer(of database: String) -> String { "\(issuerBase)/\(database)" }

  /// Changes with everything that makes tokens invalid.
  var generation: UInt64 { state.withLock { $0.generation } }

  /// The secrets of a database from now on.
  package func setSecrets(_ secrets: [DatabaseSecret], of database: String) {
    state.withLock { state in
      state.secrets[database] = secrets.isEmpty ? nil : secrets
      state.generation &+= 1
    }
  }

  /// The keys that this server's tokens are signed with, the retired ones included that are still good.
  package func setOwnKeys(_ keys: [VerificationKey]) {
    state.withLock { state in
      state.ownKeys = keys
      state.generation &+= 1
    }
  }

  /// The public keys of a database's service accounts, by their addresses.
  package func setServiceKeys(_ keys: [String: [VerificationKey]], of database: String) {
    state.withLock { state in
      state.serviceKeys[database] = keys.isEmpty ? nil : keys
      state.generation &+= 1
    }
  }

  func serviceKeys(of account: String, in database: String) -> [VerificationKey] {
    state.withLock { $0.serviceKeys[database]?[account] ?? [] }
  }

  /// Refuses this server's tokens for a user that were issued before a second.
  func refuse(uid: String, of database: String, issuedBefore second: Int64) {
    let oldest = second - IdentityLimits.longestTokenSeconds - IdentityLimits.clockSkewSeconds
    state.withLock { state in
      var refused = state.refused[database] ?? [:]
      // What is older has no good tokens left: now and then, all of them are looked through.
      if refused.count >= 1024, refused.count.nonzeroBitCount == 1 {
        refused = refused.filter { $0.value > oldest }
      }
      refused[uid] = max(second, refused[uid] ?? .min)
      state.refused[database] = refused
      state.generation &+= 1
    }
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
    state.withLock { state in
      state.secrets[database] = nil
      state.serviceKeys[database] = nil
      state.refused[database] = nil
      state.generation &+= 1
    }
  }

  package func secrets(of database: String) -> [DatabaseSecret] {
    state.withLock { $0.secrets[database] ?? [] }
  }

  /// Whether a credential is one of the database's secrets. All are compared, whichever fits.
  func isSecret(_ digest: SHA256Digest, of database: String) -> Bool {
    secrets(of: database).reduce(false) { $1.matches(digest) || $0 }
  }

  func ownKeys(named id: String?) -> [VerificationKey] {
    guard let id else { return [] }
    return state.withLock { $0.ownKeys.filter { $0.id == id } }
  }
}

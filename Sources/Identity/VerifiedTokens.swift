import Crypto
import Engine
import Rules
import Synchronization

/// What was verified before, so that a caller's next request costs one digest and one look-up.
///
/// Bounded in two generations: when the younger is full it becomes the older one, which is forgotten. What is
/// used moves to the younger. Tokens themselves are not kept, only their digests.
final class VerifiedTokens: Sendable {
  /// A digest as words: what is only looked up need not be compared in constant time.
  private struct Key: Hashable {
    private let words: (UInt64, UInt64, UInt64, UInt64)
    private let database: DatabaseID

    init(digest: SHA256Digest, database: DatabaseID) {
      words = digest.withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
      self.database = database
    }

    static func == (one: Key, other: Key) -> Bool {
      one.words == other.words && one.database == other.database
    }

    /// A part of the digest is as random as all of it.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
  }

  private struct Entry {
    let authentication: Authentication
    let bytes: Int
  }

  private struct State {
    var young: [Key: Entry] = [:]
    var old: [Key: Entry] = [:]
    var youngBytes = 0
    /// The keyring's, when these were verified.
    var generation: UInt64 = 0
  }

  private let state = Mutex(State())
  private let countLimit: Int
  private let byteLimit: Int

  init(
    countLimit: Int = IdentityLimits.rememberedTokens, byteLimit: Int = IdentityLimits.rememberedTokenBytes
  ) {
    self.countLimit = countLimit / 2
    self.byteLimit = byteLimit / 2
  }

  var count: Int { state.withLock { $0.young.count + $0.old.count } }

  /// What was found out about a token, unless the keyring has changed since; expired ones are forgotten.
  func authentication(
    of digest: SHA256Digest, in database: DatabaseID, generation: UInt64, nowSeconds: Int64
  ) -> Authentication? {
    state.withLock { state in
      guard state.generation == generation else {
        state = State()
        state.generation = generation
        return nil
      }
      let key = Key(digest: digest, database: database)
      if let entry = state.young[key] {
        if isGood(entry, nowSeconds) { return entry.authentication }
        state.young[key] = nil
        state.youngBytes -= entry.bytes
        return nil
      }
      guard let entry = state.old.removeValue(forKey: key), isGood(entry, nowSeconds) else { return nil }
      insert(entry, key, &state)
      return entry.authentication
    }
  }

  /// Remembers what a token of so many bytes means. Nothing is remembered that was verified before the
  /// keyring's last change.
  func remember(
    _ authentication: Authentication, of digest: SHA256Digest, in database: DatabaseID, bytes: Int,
    generation: UInt64
  ) {
    state.withLock { state in
      guard state.generation == generation else { return }
      let entry = Entry(authentication: authentication, bytes: bytes)
      insert(entry, Key(digest: digest, database: database), &state)
    }
  }

  private func insert(_ entry: Entry, _ key: Key, _ state: inout State) {
    if state.young.count >= countLimit || state.youngBytes + entry.bytes > byteLimit {
      state.old = state.young
      state.young = [:]
      state.youngBytes = 0
    }
    if let former = state.young.updateValue(entry, forKey: key) { state.youngBytes -= former.bytes }
    state.youngBytes += entry.bytes
  }

  private func isGood(_ entry: Entry, _ now: Int64) -> Bool {
    entry.authentication.caller.expiresAtSeconds.map { $0 > now } ?? true
  }
}

import Crypto
import CryptoExtras

/// Hashes passwords with scrypt, a few at a time, away from the threads that serve connections.
package final class PasswordHasher: Sendable {
  /// How much work one hash is; more memory than 128 × `rounds` × `blockSize` bytes is not needed.
  package struct Cost: Sendable, Equatable {
    let rounds: Int
    let blockSize: Int
    let parallelism: Int

    /// What OWASP recommends where 32 MB are at hand.
    package static let standard = Cost(rounds: 1 << 15, blockSize: 8, parallelism: 3)
    /// For tests: no protection.
    package static let cheap = Cost(rounds: 1 << 4, blockSize: 1, parallelism: 1)
  }

  private let cost: Cost
  private let turnstile: Turnstile
  /// Nobody's password, hashed for callers who name nobody, so that they wait as long.
  private let decoy: String

  /// At most `concurrency` hashes run at a time.
  package init(cost: Cost = .standard, concurrency: Int = 1) throws {
    self.cost = cost
    turnstile = Turnstile(places: concurrency, queueLimit: 64)
    let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
    let key = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
    decoy = Self.text(cost, salt: salt, key: key)
  }

  /// The hash of a new password, with its cost and salt, as text.
  package func hash(_ password: String) async throws -> String {
    let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
    let key = try await derive(password, salt: salt, cost: cost)
    return Self.text(cost, salt: salt, key: key.withUnsafeBytes { Array($0) })
  }

  /// Whether a password is the one that was hashed. Takes as long, and says no, when there is no hash.
  package func verify(_ password: String, hash: String?) async throws -> Bool {
    guard let stored = Self.parse(hash ?? decoy) else { throw AccountError.unavailable("a damaged hash") }
    let key = try await derive(password, salt: stored.salt, cost: stored.cost)
    // The library compares keys in constant time.
    return key == SymmetricKey(data: stored.key) && hash != nil
  }

  /// Whether a hash was made at another cost than hashes are now.
  package func isOutdated(_ hash: String) -> Bool { Self.parse(hash)?.cost != cost }

  private func derive(_ password: String, salt: [UInt8], cost: Cost) async throws -> SymmetricKey {
    guard ProfileCheck.passwordBytes.upperBound >= password.utf8.count else {
      throw AccountError.invalidCredentials
    }
    guard await turnstile.enter() else { throw AccountError.tooManyAttempts }
    let result: Result<SymmetricKey, any Error>
    do {
      result = .success(try await Self.scrypt(Array(password.utf8), salt, cost))
    } catch {
      result = .failure(error)
    }
    await turnstile.leave()
    return try result.get()
  }

  @concurrent private static func scrypt(_ password: [UInt8], _ salt: [UInt8], _ cost: Cost) async throws
    -> SymmetricKey
  {
    try KDF.Scrypt.deriveKey(
      from: password, salt: salt, outputByteCount: 32, rounds: cost.rounds, blockSize: cost.blockSize,
      parallelism: cost.parallelism, maxMemory: 256 * cost.rounds * cost.blockSize + (1 << 20))
  }

  // scrypt$rounds$blockSize$parallelism$salt$key

  private static func text(_ cost: Cost, salt: [UInt8], key: [UInt8]) -> String {
    "scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$"
      + "\(Base64URL.encode(salt))$\(Base64URL.encode(key))"
  }

  private static func parse(_ text: String) -> (cost: Cost, salt: [UInt8], key: [UInt8])? {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]), let block = Int(parts[2]),
      let parallelism = Int(parts[3]), let salt = Base64URL.decode(parts[4].utf8),
      let key = Base64URL.decode(parts[5].utf8), rounds > 1, block > 0, parallelism > 0
    else { return nil }
    return (Cost(rounds: rounds, blockSize: block, parallelism: parallelism), salt, key)
  }
}

/// Lets so many in at a time, and so many wait in order.
actor Turnstile {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private let queueLimit: Int

  init(places: Int, queueLimit: Int) {
    free = places
    self.queueLimit = queueLimit
  }

  /// False when too many wait already. Whoever was let in says `leave`.
  func enter() async -> Bool {
    if free > 0 {
      free -= 1
      return true
    }
    guard waiting.count < queueLimit else { return false }
    await withCheckedContinuation { waiting.append($0) }
    return true
  }

  func leave() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}

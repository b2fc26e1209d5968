import Crypto
import JWTKit
import Synchronization

/// The keys that this server signs its tokens with: the newest signs, retired ones are still published until
/// the last token they have signed is over.
package final class OwnKeys: Sendable {
  private struct Stored: Codable {
    let pem: String
    let createdAtSeconds: Int64
    var retiredAtSeconds: Int64?
  }

  private struct Signer {
    let id: String
    let signer: any JWTAlgorithm
  }

  private let store: any IdentityStore
  private let keyring: Keyring
  private let current = Mutex<Signer?>(nil)
  private let published = Mutex("")

  /// Loads the keys, and makes the first one at the first start.
  package init(store: any IdentityStore, keyring: Keyring, nowSeconds: Int64) async throws {
    self.store = store
    self.keyring = keyring
    try await load(nowSeconds: nowSeconds)
    if current.withLock({ $0 == nil }) { try await rotate(nowSeconds: nowSeconds) }
  }

  /// The public keys as a JWK set.
  package var keySet: String { published.withLock { $0 } }

  /// Signs from now on with a new key. The old one is good until its tokens are over, or with `distrustsOld`
  /// no longer: then everybody has to sign in again.
  package func rotate(nowSeconds: Int64, distrustsOld: Bool = false) async throws {
    var changes: [IdentityChange] = []
    for record in try await store.all(realm: "", kind: RecordKind.key.name, limit: .max, reversed: false) {
      var stored = try RecordText.decode(Stored.self, record.value)
      stored.retiredAtSeconds = stored.retiredAtSeconds ?? nowSeconds
      let isOver = distrustsOld || Self.isOver(stored, nowSeconds)
      changes.append(
        IdentityChange(
          realm: "", kind: .key, key: record.key, from: record.value,
          to: isOver ? nil : try RecordText.encode(stored)))
    }
    let fresh = Stored(pem: ES256PrivateKey().pemRepresentation, createdAtSeconds: nowSeconds)
    changes.append(
      IdentityChange(
        realm: "", kind: .key, key: RandomText.make(byteCount: 9), from: nil,
        to: try RecordText.encode(fresh)))
    guard try await store.apply(changes) else {
      throw AccountError.unavailable("keys were rotated by somebody else meanwhile")
    }
    try await load(nowSeconds: nowSeconds)
  }

  private static func isOver(_ key: Stored, _ now: Int64) -> Bool {
    guard let retired = key.retiredAtSeconds else { return false }
    return retired + IdentityLimits.longestTokenSeconds + IdentityLimits.clockSkewSeconds < now
  }

  private func load(nowSeconds: Int64) async throws {
    let ticket = keyring.ticket()
    var keys: [VerificationKey] = []
    var entries: [String] = []
    var newest: (Stored, Signer)?
    for record in try await store.all(realm: "", kind: RecordKind.key.name, limit: .max, reversed: false) {
      let stored = try RecordText.decode(Stored.self, record.value)
      if Self.isOver(stored, nowSeconds) { continue }
      let key = try ES256PrivateKey(pem: stored.pem)
      guard let point = key.publicKey.parameters else { continue }
      let (x, y) = (Base64URL.fromPlain(point.x), Base64URL.fromPlain(point.y))
      keys.append(try await VerificationKey(x: x, y: y, id: record.key))
      entries.append(
        #"{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"\#(record.key)","#
          + #""x":"\#(x)","y":"\#(y)"}"#
      )
      guard stored.retiredAtSeconds == nil, newest?.0.createdAtSeconds ?? .min <= stored.createdAtSeconds
      else { continue }
      let collection = JWTKeyCollection()
      await collection.add(ecdsa: key)
      newest = (stored, Signer(id: record.key, signer: try await collection.getKey()))
    }
    keyring.setOwnKeys(keys, by: ticket)
    let (signer, text) = (newest?.1, #"{"keys":[\#(entries.joined(separator: ","))]}"#)
    current.withLock { $0 = signer }
    published.withLock { $0 = text }
  }

  /// A token with this payload.
  func sign(_ payload: [UInt8]) throws -> String {
    guard let signer = current.withLock({ $0 }) else { throw AccountError.unavailable("there is no key") }
    let header = #"{"alg":"ES256","kid":"\#(signer.id)","typ":"JWT"}"#
    let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(payload)
    return signed + "." + Base64URL.encode(try signer.signer.sign(Array(signed.utf8)))
  }
}

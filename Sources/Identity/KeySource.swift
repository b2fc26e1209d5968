/// Where an identity provider's public keys come from: a file or an address.
package protocol KeySource: Sendable {
  /// The present set of keys, as JSON.
  func fetch() async throws -> FetchedKeys
}

/// A JWK set and how long it is fresh.
package struct FetchedKeys: Sendable {
  package let json: [UInt8]
  /// What the provider says about it; nil when it says nothing.
  package let freshSeconds: Int64?

  package init(json: [UInt8], freshSeconds: Int64? = nil) {
    self.json = json
    self.freshSeconds = freshSeconds
  }
}

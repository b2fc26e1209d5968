/// The bounds that one Firebase connection keeps, whatever its client sends.
package struct FirebaseLimits: Sendable, Hashable {
  /// The longest message, all its chunks together: 16 MiB to write and room for the envelope around it.
  package var messageBytes: Int
  /// How many requests may wait for a database or for a credential to be checked.
  package var waitingRequests: Int
  /// How many bytes of requests may wait, for these or for a long message that is being read: who sends more
  /// meanwhile is sent away.
  package var waitingBytes: Int
  /// The longest credential, in UTF-8 bytes.
  package var credentialBytes: Int
  /// Answers to a client that has fallen behind wait for its listens to be told again, up to so many bytes.
  package var heldAnswerBytes = 1024 * 1024
  /// How many bytes may wait for a client behind a large value that is being made into text.
  package var backlogBytes = 64 * 1024 * 1024
  /// The longest time until the next look at a credential's expiry.
  package var expiryCheckSeconds: Int64

  /// What the server keeps unless it is told otherwise.
  package static let standard = FirebaseLimits()

  package init(
    messageBytes: Int = 16 * 1024 * 1024 + 64 * 1024,
    waitingRequests: Int = 200_000, waitingBytes: Int = 64 * 1024 * 1024, credentialBytes: Int = 64 * 1024,
    expiryCheckSeconds: Int64 = 24 * 60 * 60
  ) {
    self.messageBytes = messageBytes
    self.waitingRequests = waitingRequests
    self.waitingBytes = waitingBytes
    self.credentialBytes = credentialBytes
    self.expiryCheckSeconds = expiryCheckSeconds
  }
}

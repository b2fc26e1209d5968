/// How much of everything identity takes from its callers.
package enum IdentityLimits {
  /// The longest token that is looked at.
  package static let tokenBytes = 16 * 1024
  /// How far a peer's clock may be ahead of ours.
  package static let clockSkewSeconds: Int64 = 60
  /// A token made with a secret that names no end is good for this long.
  package static let customTokenSeconds: Int64 = 24 * 3600
  /// How long a user's token is good: for clients that renew it, and for those that can't.
  package static let tokenSeconds: Int64 = 3600
  package static let longestTokenSeconds: Int64 = 24 * 3600
  /// Sensitive changes need a sign-in that is no older.
  package static let recentSignInSeconds: Int64 = 300
  /// How long the connections live on of who has set a new password by them: long enough for the answer to
  /// get there, and for the new token to come back.
  package static let ownConnectionSeconds = 30.0
  /// How long codes are good that go out by mail and by SMS, and how often one may be guessed.
  package static let mailedCodeSeconds: Int64 = 3600
  package static let smsCodeSeconds: Int64 = 600
  package static let smsCodeGuesses = 5
  /// Sign-ins of one user that can be renewed at a time; the oldest end first.
  package static let refreshTokensPerUser = 50
  /// Accounts that an operator is shown at a time.
  package static let accountsPerPage = 1000
  /// The longest text of claims that an operator or a custom token adds.
  package static let claimsBytes = 4096
  /// The longest name of a user.
  package static let uidBytes = 128
  /// Secrets that a database may have at a time.
  package static let secretsPerDatabase = 10
  /// HMAC-SHA-256 is as strong as it can be from this length on; shorter secrets are refused.
  package static let secretBytes = 32
  /// Verified tokens that are remembered, and their bytes.
  package static let rememberedTokens = 8192
  package static let rememberedTokenBytes = 16 * 1024 * 1024
  /// The largest set of keys that is read from a provider, and the most keys taken from it.
  package static let keySetBytes = 256 * 1024
  package static let keysPerProvider = 64
  /// A provider is asked for keys no more often than this.
  package static let keyRefreshSeconds: Int64 = 10
  /// What a provider says about how long its keys are fresh is kept within these bounds.
  package static let keyFreshSeconds: ClosedRange<Int64> = 300...86_400
  /// Keys that could not be renewed for this long are not believed any more.
  package static let keyStaleSeconds: Int64 = 86_400
  /// Credentials that wait for keys at a time; more are refused.
  package static let waitingCredentials = 1024
}

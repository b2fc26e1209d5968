package import Identity
package import Transport

/// Everything that a server is told before it starts.
package struct Configuration: Sendable {
  /// What an acknowledgement promises.
  package enum Durability: String, Sendable, CaseIterable {
    /// The write is on the disk.
    case full
    /// The write is with the operating system: a power failure may take the last moments.
    case relaxed
  }

  /// Where to listen; loopback unless told otherwise.
  package var host = "127.0.0.1"
  /// 0 takes any free port.
  package var port = 9000
  package var tls: TLSFiles?
  /// The folder of the journal, the checkpoints and the admin secret.
  package var dataFolder = "dhole-data"
  /// An emulator: open rules, `owner` is the operator, unsigned tokens, databases made on use.
  package var isDevelopment = false
  package var durability = Durability.full
  /// Event loops; nil is one for each processor.
  package var threadCount: Int?
  /// With `example.com`, the host `rooms.example.com` names the database `rooms`.
  package var baseDomain: String?
  /// A database without clients is closed after this long.
  package var idleDatabaseSeconds = 300.0
  /// Batches of writes after which a database's checkpoint is written.
  package var checkpointEntries: UInt64 = 10_000
  /// How long open exchanges may take to finish when the server stops.
  package var graceSeconds = 2.0
  package var transportLimits = TransportLimits()

  /// Who else is trusted to say who users are.
  package var identityProviders: [ProviderSettings] = []
  /// What this server's own tokens begin their `iss` with; the database's name follows. Nil is `dhole`, and
  /// in development what Firebase's SDKs insist on.
  package var issuer: String?
  /// The ways to sign in that are allowed; nil is all in development, and otherwise those alone that need the
  /// operator's own service.
  package var signInMethods: Set<SignInMethod>?
  /// The operator's mini-program at WeChat.
  package var weChat: WeChatSettings?
  /// Where codes for users go, to be sent by mail or SMS, and what these requests are signed with.
  package var authWebhook: String?
  package var authWebhookSecret: String?
  /// A proxy in front says where callers are, in `X-Forwarded-For`.
  package var isBehindProxy = false
  /// How much work it is to hash a password.
  package var passwordCost = PasswordHasher.Cost.standard
  package var signInThrottles = SignInThrottles()
  /// How long the connections live on of who has set a new password by them.
  package var ownConnectionSeconds = IdentityLimits.ownConnectionSeconds

  /// What `issuer` comes to.
  package var issuerBase: String {
    issuer ?? (isDevelopment ? "https://securetoken.google.com" : "dhole")
  }

  /// The ways to sign in that are open.
  package var allowedSignIn: Set<SignInMethod> {
    signInMethods ?? (isDevelopment ? Set(SignInMethod.allCases) : [.custom])
  }

  package init() {}

  /// Serves TLS with these PEM files.
  package mutating func useTLS(certificateChain: String, privateKey: String) {
    tls = TLSFiles(certificateChain: certificateChain, privateKey: privateKey)
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}

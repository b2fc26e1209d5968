import AsyncHTTPClient
import Engine
import Identity
import Logging
import Storage

/// Everything about who callers are, put together from the configuration and the data folder.
struct Identities: Sendable {
  let store: RecordIdentityStore
  let keyring: Keyring
  let keys: OwnKeys
  let accounts: Accounts
  let secrets: SecretBook
  let services: ServiceAccounts
  let audit: AuditLog
  private let client: HTTPClient

  init(_ configuration: Configuration, records: Records, logger: Logger, clock: any Clock = SystemClock())
    async throws
  {
    let client = OutboundHTTP.makeClient()
    do {
      try await self.init(configuration, records, client, logger, clock)
    } catch {
      try? await client.shutdown()
      throw error
    }
  }

  private init(
    _ configuration: Configuration, _ records: Records, _ client: HTTPClient, _ logger: Logger,
    _ clock: any Clock
  ) async throws {
    let http = OutboundHTTP(client: client)
    let now = clock.nowMilliseconds() / 1000
    self.client = client
    store = RecordIdentityStore(records: records)
    keyring = Keyring(
      issuerBase: configuration.issuerBase,
      providers: configuration.identityProviders.map { provider in
        IdentityProvider(
          issuer: provider.issuer, audiences: provider.audiences,
          databases: provider.databases.map { Set($0) },
          source: ProviderKeys(location: provider.keys, http: http))
      }, ownConnectionSeconds: configuration.ownConnectionSeconds)
    keys = try await OwnKeys(store: store, keyring: keyring, nowSeconds: now)
    secrets = SecretBook(store: store, keyring: keyring)
    services = ServiceAccounts(store: store, keyring: keyring)
    audit = AuditLog(store: store)
    let weChat = configuration.weChat.map { settings in
      WeChatServer(base: settings.base, appID: settings.appID, secret: settings.secret, http: http)
    }
    accounts = Accounts(
      store: store, keys: keys, keyring: keyring,
      passwords: try PasswordHasher(cost: configuration.passwordCost),
      throttles: configuration.isDevelopment ? .none : configuration.signInThrottles, clock: clock,
      weChat: weChat,
      messages: Self.messages(configuration, http, logger), methods: configuration.allowedSignIn,
      isDevelopment: configuration.isDevelopment)
    try await secrets.load()
    try await services.load()
    try await accounts.loadRevocations()
    for provider in keyring.providers {
      await provider.prepare(nowSeconds: now)
      guard let trouble = provider.trouble else { continue }
      logger.warning(
        "an identity provider's keys can't be had: its tokens are refused until they can",
        metadata: ["issuer": "\(provider.issuer)", "error": "\(trouble)"])
    }
  }

  private static func messages(
    _ configuration: Configuration, _ http: OutboundHTTP, _ logger: Logger
  ) -> (any MessageSender)? {
    if let webhook = configuration.authWebhook {
      return Webhook(url: webhook, secret: configuration.authWebhookSecret, http: http, logger: logger)
    }
    return configuration.isDevelopment ? PrintedMessages(logger: logger) : nil
  }

  /// Forgets all users, secrets and keys of a database.
  func removeAll(of database: DatabaseID) async throws {
    try await store.removeAll(realm: database.name)
    keyring.forget(database.name)
  }

  /// Adds to the audit log what was done elsewhere.
  func note(_ action: String, _ id: DatabaseID, address: String?, logger: Logger) async {
    let now = SystemClock().nowMilliseconds()
    do {
      try await audit.record(
        AuditLog.Entry(action, database: id.name, address: address, nowMilliseconds: now))
    } catch {
      logger.error("the audit log can't be written", metadata: ["error": "\(error)", "action": "\(action)"])
    }
  }

  /// Forgets what is over.
  func sweep(logger: Logger) async {
    do {
      try await accounts.sweep()
    } catch {
      logger.error("old codes can't be removed", metadata: ["error": "\(error)"])
    }
  }

  func close() async {
    try? await client.shutdown()
  }
}

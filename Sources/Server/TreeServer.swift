import Engine
import FirebaseWire
import Identity
package import Logging
import NIOCore
import NIOPosix
import RESTWire
import Rules
import ServiceLifecycle
import Storage
import Transport
import UnixSignals

/// A server that runs: the databases of one data folder, reachable at one address.
package final class TreeServer: Service {
  package let configuration: Configuration
  /// The port that was taken.
  package let port: Int
  /// The admin secret, when this start has made it: it is never seen again.
  package let newAdminSecret: String?

  private let listener: Listener
  private let routes: Routes
  private let databases: Databases
  private let node: StorageNode
  let identities: Identities
  private let group: MultiThreadedEventLoopGroup
  private let sweeper: RepeatedTask
  private let identitySweeper: RepeatedTask
  private let logger: Logger

  /// Opens the data folder and the address; whoever connects from now on is served.
  package static func start(_ configuration: Configuration, logger: Logger) async throws -> TreeServer {
    let node = try await StorageNode(configuration)
    for notice in await node.store.notices { logger.warning("\(notice)") }
    let group = MultiThreadedEventLoopGroup(
      numberOfThreads: configuration.threadCount ?? System.coreCount)
    var identities: Identities?
    do {
      let made = try await Identities(configuration, records: node.records, logger: logger)
      identities = made
      return try await TreeServer(
        configuration, node: node, identities: made, group: group, logger: logger)
    } catch {
      await identities?.close()
      try? await group.shutdownGracefully()
      await node.close()
      throw error
    }
  }

  private init(
    _ configuration: Configuration, node: StorageNode, identities: Identities,
    group: MultiThreadedEventLoopGroup, logger: Logger
  ) async throws {
    self.configuration = configuration
    self.identities = identities
    self.node = node
    self.group = group
    self.logger = logger

    let (secret, newSecret) = try Self.adminSecret(configuration)
    newAdminSecret = newSecret
    var options = DatabaseOptions()
    options.gatherMicroseconds = Self.gatherMicroseconds
    options.defaultRules = configuration.isDevelopment ? .open : .closed
    options.checkpointEntries = configuration.checkpointEntries
    options.report = { trouble in Self.report(trouble, to: logger) }
    options.explainsDenials = configuration.isDevelopment
    if logger.logLevel <= .debug {
      options.reportDenial = { database, denial in Self.report(denial, in: database, to: logger) }
    }
    let keyring = identities.keyring
    options.stands = { grounds, database in keyring.holds(grounds, in: database.name) }
    let databases = Databases(
      log: node.store, checkpoints: node.store, group: group, options: options,
      createsOnUse: configuration.isDevelopment, logger: logger)
    self.databases = databases
    keyring.watch { loss in
      let dismiss = { @Sendable in
        databases.forEachOpen(named: loss.database) { $0.dismiss(where: loss.includes) }
      }
      guard loss.afterSeconds > 0 else { return dismiss() }
      _ = group.next().scheduleTask(in: .nanoseconds(Int64(loss.afterSeconds * 1e9)), dismiss)
    }
    let authenticator = ServerAuthenticator(
      secret: secret, isDevelopment: configuration.isDevelopment, keyring: identities.keyring)
    routes = Routes(
      configuration, databases: databases, authenticator: authenticator, identities: identities,
      logger: logger)

    listener = try await Self.listen(configuration, group: group, routes: routes, logger: logger)
    port = listener.boundPort ?? configuration.port
    if newSecret != nil, let secret {
      try await node.store.create(try DatabaseID("default"))
      // Last, so that a start that failed before has not kept a secret that nobody has seen.
      try SecretFile(folder: configuration.dataFolder).store(secret)
    }
    routes.begin(listener)

    let idle = TimeAmount.nanoseconds(Int64(configuration.idleDatabaseSeconds * 1e9))
    let interval = max(TimeAmount.milliseconds(50), .nanoseconds(idle.nanoseconds / 4))
    sweeper = group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
      databases.closeIdle(unusedSince: .now() - idle)
    }
    identitySweeper = group.next().scheduleRepeatedTask(initialDelay: .minutes(1), delay: .hours(1)) { _ in
      Task { await identities.sweep(logger: logger) }
    }
  }

  /// The stored secret, or at the first start a new one. None in dev mode.
  /// Long enough for a loop to look at its sockets once. It makes batches of many busy writers half as large
  /// again, and takes nothing from a single one, who is never waited for.
  private static let gatherMicroseconds: Int64 = 10

  private static func adminSecret(_ configuration: Configuration) throws(ServerError)
    -> (AdminSecret?, newText: String?)
  {
    guard !configuration.isDevelopment else { return (nil, nil) }
    if let secret = try SecretFile(folder: configuration.dataFolder).load() { return (secret, nil) }
    let (secret, text) = AdminSecret.generate()
    return (secret, text)
  }

  private static func listen(
    _ configuration: Configuration, group: any EventLoopGroup, routes: Routes, logger: Logger
  ) async throws -> Listener {
    let address = ListenAddress.tcp(host: configuration.host, port: configuration.port)
    do {
      return try await Listener.start(
        on: address, group: group, router: routes, limits: configuration.transportLimits,
        tls: configuration.tls, logger: logger)
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw ServerError(
        "port \(configuration.port) of \(configuration.host) is taken",
        advice: "Another server runs there: stop it, or choose another with --port.")
    } catch let error as IOError where error.errnoCode == EACCES {
      throw ServerError(
        "port \(configuration.port) needs more rights", advice: "Choose one above 1023 with --port.")
    } catch {
      throw ServerError("can't listen on \(configuration.host):\(configuration.port): \(error)", advice: "")
    }
  }

  /// Serves until SIGTERM or SIGINT, then stops in order.
  package func runUntilStopped() async throws {
    let services = ServiceGroup(
      configuration: .init(
        services: [self], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await services.run()
  }

  /// Serves until the process is asked to stop, then stops in order.
  package func run() async throws {
    try? await gracefulShutdown()
    await stop()
  }

  /// Says goodbye to everybody, which runs what sessions have left for their end, writes checkpoints and lets
  /// go of the folder.
  package func stop() async {
    logger.notice("stopping")
    routes.beginStopping()
    sweeper.cancel()
    identitySweeper.cancel()
    await routes.endPolling()
    await listener.shutdown(graceSeconds: configuration.graceSeconds)
    await databases.closeAll()
    await identities.close()
    await node.close()
    try? await group.shutdownGracefully()
  }
}

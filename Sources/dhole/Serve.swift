import ArgumentParser
import Glibc
import Logging
import Server

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the server until it is told to stop (SIGTERM or SIGINT).",
    discussion: """
      With --dev it is an emulator: open rules, `owner` is the operator, unsigned tokens are believed, \
      databases are made on first use. Without --dev everything is closed until rules say otherwise, \
      databases are made with `dhole db create`, and the admin secret is printed once, at the first start.
      """)

  @Option(name: .long, help: "The address to listen on; 0.0.0.0 lets other machines in.")
  var host = "127.0.0.1"
  @Option(name: .long, help: "The port; 0 takes any free one.") var port = 9000
  @Option(name: .long, help: "The folder that keeps everything.") var data = "dhole-data"
  @Flag(name: .long, help: "Run as an emulator, for development only.") var dev = false
  @Option(
    name: .long,
    help: "full: acknowledged is on the disk. relaxed: a power failure may take the last moments.")
  var durability = Configuration.Durability.full
  @Option(name: .long, help: "Event loops; without it, one for each processor.") var threads: Int?
  @Option(name: .long, help: "The certificate chain as a PEM file; with --tls-key.") var tlsCert: String?
  @Option(name: .long, help: "The private key as a PEM file.") var tlsKey: String?
  @Option(name: .long, help: "With example.com, the host rooms.example.com names the database `rooms`.")
  var baseDomain: String?
  @Option(name: .long, help: "Seconds after which a database without clients is closed.")
  var idleDatabaseSeconds = 300.0
  @Option(name: .long, help: "Batches of writes after which a checkpoint is written.")
  var checkpointEntries = 10_000
  @OptionGroup(title: "Who gets in") var identity: IdentityOptions
  @Option(name: .long, help: "What is worth a line on standard error.")
  var logLevel = LogLevel.notice

  func validate() throws {
    guard (0...65535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
    guard (tlsCert == nil) == (tlsKey == nil) else {
      throw ValidationError("--tls-cert and --tls-key go together")
    }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads is 1 to 256") }
    guard checkpointEntries >= 1 else { throw ValidationError("--checkpoint-entries is at least 1") }
    guard idleDatabaseSeconds >= 1 else { throw ValidationError("--idle-database-seconds is at least 1") }
  }

  func run() async throws {
    var configuration = Configuration()
    configuration.host = host
    configuration.port = port
    configuration.dataFolder = data
    configuration.isDevelopment = dev
    configuration.durability = durability
    configuration.threadCount = threads
    configuration.baseDomain = baseDomain?.lowercased()
    configuration.idleDatabaseSeconds = idleDatabaseSeconds
    configuration.checkpointEntries = UInt64(checkpointEntries)
    do {
      try identity.apply(to: &configuration)
    } catch {
      throw Failure(rewording: error)
    }
    if let tlsCert, let tlsKey {
      configuration.useTLS(certificateChain: tlsCert, privateKey: tlsKey)
    }
    var logger = Logger(label: "dhole", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = Logger.Level(rawValue: logLevel.rawValue) ?? .notice
    Self.raiseDescriptorLimit()
    let server: TreeServer
    do {
      server = try await TreeServer.start(configuration, logger: logger)
    } catch {
      throw Failure(rewording: error)
    }
    server.announcement.forEach(Terminal.line)
    try await server.runUntilStopped()
  }

  /// Takes all the descriptors that the system allows: each connection is one.
  private static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

extension Configuration.Durability: ExpressibleByArgument {}

/// The levels of swift-log.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
  case trace, debug, info, notice, warning, error, critical
}

import ArgumentParser
import NIOCore
import NIOHTTP1
import NIOPosix

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put a short load on a running server, through the wire.",
    discussion: """
      A check that a server is well, not a comparison: the load runs on this machine and takes its share of \
      it. Writes below /dhole-bench and removes that when done. Plain http only.
      """)

  @OptionGroup var server: ServerOptions
  @Option(name: .long, help: "Connections that put.") var writers = 50
  @Option(name: .long, help: "Connections that listen to one path.") var listeners = 100
  @Option(name: .long, help: "Bytes of each value.") var size = 100
  @Option(name: .long, help: "Seconds for each of the two loads.") var seconds = 3
  @Flag(name: .long, help: "Print a JSON object.") var json = false

  func validate() throws {
    guard (1...10_000).contains(writers), (1...10_000).contains(listeners) else {
      throw ValidationError("--writers and --listeners are 1 to 10000")
    }
    guard (1...10_000).contains(size) else { throw ValidationError("--size is 1 to 10000") }
    guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is 1 to 3600") }
  }

  func run() async throws {
    let target = try BenchTarget(server)
    let value = String(repeating: "x", count: size)
    let root = "dhole-bench/" + String(UInt64.random(in: .min ... .max), radix: 36)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let puts = try await target.run(connections: writers, on: loop) { promise in
      PutLoad(path: root, value: value, writers: writers, seconds: Int64(seconds), promise: promise)
    }
    let fanOut = try await target.run(connections: listeners + 1, on: loop) { promise in
      FanOutLoad(
        path: root + "/fan", value: value, listeners: listeners, seconds: Int64(seconds), promise: promise)
    }
    _ = try await server.client.answer(
      to: .init(method: .DELETE, path: "dhole-bench", query: [("print", "silent")]))
    report([puts, fanOut])
  }

  private func report(_ results: [BenchResult]) {
    if json {
      let items = results.map { result in
        #""\#(result.name)":{"per_second":\#(Int(result.perSecond)),"p50_ms":\#(result.percentile(0.5)),"#
          + #""p99_ms":\#(result.percentile(0.99)),"count":\#(result.count)}"#
      }
      return Terminal.line(
        #"{"writers":\#(writers),"listeners":\#(listeners),"size":\#(size),\#(items.joined(separator: ","))}"#
      )
    }
    let heads = ["\(writers) writers, \(size) bytes", "1 writer, \(listeners) listeners, \(size) bytes"]
    for (head, result) in zip(heads, results) {
      Terminal.line(
        "\(result.name) (\(head)): \(Int(result.perSecond)) \(result.unit), "
          + "p50 \(result.percentile(0.5)) ms, p99 \(result.percentile(0.99)) ms")
    }
  }
}

/// The server that a load goes to.
struct BenchTarget: Sendable {
  private let host: String
  private let port: Int
  private let database: String?
  private let credential: String?

  init(_ server: ServerOptions) throws {
    let base = server.base
    guard base.hasPrefix("http://") else {
      throw Failure(
        .wrongInput, "bench speaks plain http only", advice: "Give an http:// address with --url.")
    }
    let authority = base.dropFirst("http://".count).prefix { $0 != "/" }
    let colon = authority.last == "]" ? nil : authority.lastIndex(of: ":")
    port = colon.flatMap { Int(authority[authority.index(after: $0)...]) } ?? 80
    host = String(authority[..<(colon ?? authority.endIndex)].filter { $0 != "[" && $0 != "]" })
    database = server.databaseName
    credential = server.credential
  }

  /// Opens the connections of a load, all on one loop, and waits for its end.
  func run(
    connections: Int, on loop: any EventLoop,
    _ makeLoad: @escaping @Sendable (EventLoopPromise<BenchResult>) -> any BenchBehaviour
  ) async throws -> BenchResult {
    let promise = loop.makePromise(of: BenchResult.self)
    try await loop.submit {
      let load = NIOLoopBound(makeLoad(promise), eventLoop: loop)
      for _ in 0..<connections {
        ClientBootstrap(group: loop)
          .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.addHandler(
                BenchConnection(
                  host: "\(host):\(port)", database: database, credential: credential, behaviour: load.value))
            }
          }
          .connect(host: host, port: port)
          .whenFailure { error in
            load.value.failed("no connection to \(host):\(port): \(RESTClient.reason(of: error))")
          }
      }
    }.get()
    return try await promise.futureResult.get()
  }
}

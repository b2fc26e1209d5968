package import Logging
package import NIOCore
import NIOPosix
import NIOSSL

/// The certificate chain and key of a listener that speaks TLS, as PEM files.
package struct TLSFiles: Sendable {
  package var certificateChain: String
  package var privateKey: String

  package init(certificateChain: String, privateKey: String) {
    self.certificateChain = certificateChain
    self.privateKey = privateKey
  }
}

/// Where a listener takes connections.
package enum ListenAddress: Sendable, Equatable {
  /// A host name or address, and a port; port 0 takes any free one.
  case tcp(host: String, port: Int)
  /// A socket file; one that is left over there is replaced.
  case unix(path: String)
}

/// A socket that takes connections and serves them until it is shut down.
package struct Listener: Sendable {
  /// Where it listens, with the port that was taken.
  package let boundAddress: SocketAddress

  private let channel: any Channel
  private let loops: Loops
  private let gauge: ConnectionGauge

  /// Opens the socket and serves from now on. Throws if the address is taken or a TLS file is unusable.
  package static func start(
    on address: ListenAddress, group: any EventLoopGroup, router: any Router,
    limits: TransportLimits = TransportLimits(), tls: TLSFiles? = nil,
    logger: Logger = Logger(label: "transport")
  ) async throws -> Listener {
    let context = try tls.map(makeContext)
    let gauge = ConnectionGauge()
    let loops = try await Loops(group) { loop in
      Connections(
        eventLoop: loop, router: router, limits: limits, isTLS: context != nil, logger: logger, gauge: gauge)
    }
    var bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: Int32(clamping: limits.backlog))
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: SmallReceiveBuffer(bytes: limits.receiveBufferBytes))
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try configure(channel, connections: loops.connections(on: channel.eventLoop), tls: context)
        }
      }
    let channel: any Channel
    switch address {
    case .tcp(let host, let port):
      bootstrap = bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      channel = try await bootstrap.bind(host: host, port: port).get()
    case .unix(let path):
      channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }
    guard let bound = channel.localAddress else { throw ChannelError.operationUnsupported }
    return Listener(boundAddress: bound, channel: channel, loops: loops, gauge: gauge)
  }

  /// The port that was taken; nil on a socket file.
  package var boundPort: Int? { boundAddress.port }

  /// Connections open now.
  package var connectionCount: Int { gauge.count }

  /// Takes no more connections, lets open exchanges finish and says goodbye to WebSockets (1001); what is
  /// left after the grace is cut. Returns when every connection has ended.
  package func shutdown(graceSeconds: Double) async {
    // Closed already is as good.
    try? await channel.close().get()
    await loops.end(after: .nanoseconds(Int64(max(graceSeconds, 0) * 1e9)))
  }

  private static func makeContext(_ files: TLSFiles) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMFile(files.certificateChain).map {
      NIOSSLCertificateSource.certificate($0)
    }
    let key = try NIOSSLPrivateKey(file: files.privateKey, format: .pem)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    return try NIOSSLContext(configuration: configuration)
  }

  private static func configure(
    _ channel: any Channel, connections: Connections, tls: NIOSSLContext?
  ) throws {
    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
    if connections.hasRoom, !connections.isQuiescing {
      try HTTPConnection.install(on: channel, connections: connections)
    } else {
      try channel.pipeline.syncOperations.addHandler(TurnAway())
    }
  }
}

/// A listener's connections, loop by loop.
private struct Loops: Sendable {
  private let byLoop: [ObjectIdentifier: NIOLoopBound<Connections>]
  private let loops: [any EventLoop]

  init(_ group: any EventLoopGroup, make: @escaping @Sendable (any EventLoop) -> Connections) async throws {
    var byLoop: [ObjectIdentifier: NIOLoopBound<Connections>] = [:]
    loops = Array(group.makeIterator())
    for loop in loops {
      byLoop[ObjectIdentifier(loop)] = try await loop.submit { NIOLoopBound(make(loop), eventLoop: loop) }
        .get()
    }
    self.byLoop = byLoop
  }

  func connections(on loop: any EventLoop) throws -> Connections {
    guard let bound = byLoop[ObjectIdentifier(loop)] else { throw EventLoopError.unsupportedOperation }
    return bound.value
  }

  func end(after grace: TimeAmount) async {
    let ended = loops.compactMap { loop -> EventLoopFuture<Void>? in
      guard let bound = byLoop[ObjectIdentifier(loop)] else { return nil }
      return loop.flatSubmit {
        let cutting = loop.scheduleTask(in: grace) { bound.value.cut() }
        let ended = bound.value.quiesce()
        ended.whenComplete { _ in cutting.cancel() }
        return ended
      }
    }
    // A loop that is gone has no connections.
    for future in ended { try? await future.get() }
  }
}

/// Answers a connection that is one too many, and ends it.
private final class TurnAway: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelActive(context: ChannelHandlerContext) {
    let text = "{\"error\":\"Too many connections.\"}"
    var response = ByteBuffer()
    ResponseText.appendHead(
      status: 503, headers: [("Content-Type", "application/json; charset=utf-8"), ("Retry-After", "5")],
      framing: .length(text.utf8.count), connection: "close", to: &response)
    response.writeString(text)
    context.writeAndFlush(wrapOutboundOut(response)).assumeIsolated().whenComplete { _ in
      context.close(promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

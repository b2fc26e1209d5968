package import Logging
package import NIOCore

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
  /// A socket file.
  case unix(path: String)
}

/// A socket that takes connections and serves them until it is shut down.
package struct Listener: Sendable {
  /// Where it listens, with the port that was taken.
  package let boundAddress: SocketAddress

  /// Opens the socket and serves from now on.
  package static func start(
    on address: ListenAddress, group: any EventLoopGroup, router: any Router,
    limits: TransportLimits = TransportLimits(), tls: TLSFiles? = nil, logger: Logger
  ) async throws -> Listener {
    _ = (address, group, router, limits, tls, logger)
    throw ChannelError.operationUnsupported
  }

  /// The port that was taken; nil on a socket file.
  package var boundPort: Int? { boundAddress.port }

  /// Connections open now.
  package var connectionCount: Int { 0 }

  /// Takes no more connections, lets open exchanges finish and says goodbye to WebSockets (1001); what is
  /// left after the grace is cut.
  package func shutdown(graceSeconds: Double) async {}
}

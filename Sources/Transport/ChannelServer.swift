package import NIOCore

/// Serves channels that the caller brings, exactly as a listener serves its sockets: for tests without one.
/// Used on its loop only.
package final class ChannelServer {
  private let connections: Connections

  package init(eventLoop: any EventLoop, router: any Router, limits: TransportLimits = TransportLimits()) {
    connections = Connections(eventLoop: eventLoop, router: router, limits: limits)
  }

  /// Makes a fresh channel of this loop a connection.
  package func serve(_ channel: any Channel) throws {
    try HTTPConnection.install(on: channel, connections: connections)
  }

  /// Connections that have not ended.
  package var connectionCount: Int { connections.count }
}

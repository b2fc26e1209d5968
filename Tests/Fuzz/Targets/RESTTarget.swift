import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import RESTWire
import Transport

extension FuzzTarget {
  /// Requests to the REST interface, as bytes of HTTP: paths, parameters, bodies and streams.
  static let rest = FuzzTarget("rest") { bytes in
    let room = try FuzzDatabase()
    var services = RESTServices(
      directory: room.directory, authenticator: FuzzAuthenticator(), lister: room.directory,
      clock: room.clock)
    services.readLimitBytes = 1 << 16
    let channel = EmbeddedChannel()
    var limits = TransportLimits()
    limits.headBytes = 8192
    let server = ChannelServer(
      eventLoop: channel.embeddedEventLoop, router: RESTRouter(handler: RESTHandler(services)),
      limits: limits)
    try server.serve(channel)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    func settle() {
      for _ in 0..<3 {
        room.loop.run()
        channel.embeddedEventLoop.run()
      }
    }
    for request in [seed, bytes] {
      guard channel.isActive else { break }
      try channel.writeInbound(ByteBuffer(bytes: request))
      settle()
    }
    try room.checkInvariants()
    var sent: [UInt8] = []
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { sent += Array(buffer: piece) }
    try Finding.check(sent.starts(with: Array("HTTP/1.1 200 OK\r\n".utf8)), "the seed was refused")
    for _ in 0..<20 where channel.isActive {
      channel.embeddedEventLoop.advanceTime(by: .seconds(10))
      settle()
    }
    // A stream lives as long as its peer.
    channel.close(promise: nil)
    settle()
    try Finding.check(server.connectionCount == 0, "a connection that has ended is remembered")
    let left = room.database.assumeIsolated { $0.counters.listens }
    try Finding.check(left == 0, "\(left) listens of nobody")
  }

  private static let seed: [UInt8] = {
    let body = #"{"a":{"x":{"b":1},"y":{"b":"two"},"z":true,"10":{"b":null,".priority":3}},"s":"t"}"#
    return Array("PUT /.json?auth=owner HTTP/1.1\r\nHost: x\r\n".utf8)
      + Array("Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
  }()
}

private struct RESTRouter: Router {
  let handler: RESTHandler

  func respond(to exchange: Exchange) { handler.respond(to: exchange) }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    .refuse(status: 404, text: "no")
  }

  func bodyLimitBytes(for head: RequestHead) -> Int { min(handler.bodyLimitBytes(for: head), 4096) }
}

extension OneDatabase: DatabaseLister {
  func databaseNames(
    on eventLoop: any EventLoop, completion: @escaping @Sendable (Result<[String], DirectoryError>) -> Void
  ) {
    completion(.success(["default"]))
  }
}

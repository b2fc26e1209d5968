import NIOCore
import NIOEmbedded
import TestSupport
import Transport

extension FuzzTarget {
  /// HTTP and WebSockets as a peer speaks them: what is answered depends on the bytes alone and not on how
  /// they are cut into reads, and nothing is left behind.
  ///
  /// The first byte says whether the rest begins after the opening of a WebSocket, and how it is cut.
  static let sockets = FuzzTarget("sockets") { bytes in
    guard let mode = bytes.first else { return }
    let head = mode & 1 == 0 ? [] : webSocketHead
    let input = head + bytes.dropFirst()
    let whole = try answer(to: [input])
    let pieces = cut(input, seed: mode)
    let other = try answer(to: pieces)
    try Finding.check(
      whole == other,
      "whole: \(String(decoding: whole, as: UTF8.self))\nin \(pieces.count) pieces: "
        + String(decoding: other, as: UTF8.self))
  }

  private static let webSocketHead = Array(
    ("GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8)

  /// Bytes one by one, or runs of a few.
  private static func cut(_ bytes: [UInt8], seed: UInt8) -> [[UInt8]] {
    let step = seed & 2 == 0 ? 1 : 1 + Int(seed >> 2)
    return stride(from: 0, to: bytes.count, by: step).map { Array(bytes[$0..<min($0 + step, bytes.count)]) }
  }

  /// Everything that a connection answers, over its whole life.
  private static func answer(to reads: [[UInt8]]) throws -> [UInt8] {
    let channel = EmbeddedChannel()
    var limits = TransportLimits()
    limits.messageBytes = 4096
    limits.frameBytes = 2048
    limits.headBytes = 2048
    let server = ChannelServer(
      eventLoop: channel.embeddedEventLoop, router: EchoRouter(bodyLimitBytes: 1024), limits: limits)
    try server.serve(channel)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    for read in reads where channel.isActive {
      try channel.writeInbound(ByteBuffer(bytes: read))
      channel.embeddedEventLoop.run()
    }
    var sent: [UInt8] = []
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { sent += Array(buffer: piece) }
    for _ in 0..<20 where channel.isActive { channel.embeddedEventLoop.advanceTime(by: .seconds(10)) }
    try Finding.check(!channel.isActive, "a silent connection is still open after 200 seconds")
    try Finding.check(server.connectionCount == 0, "a connection that has ended is remembered")
    return sent
  }
}

/// Answers every request with what was asked, and every message with itself.
private struct EchoRouter: Router {
  private let limit: Int

  init(bodyLimitBytes: Int) { limit = bodyLimitBytes }

  func respond(to exchange: Exchange) {
    var body = ByteBuffer(string: "\(exchange.head.method) \(exchange.head.path)?\(exchange.head.query) ")
    body.writeImmutableBuffer(exchange.body)
    exchange.respond(status: 200, headers: [("Content-Type", "text/plain")], body: body)
  }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    .accept(EchoHandler())
  }

  func bodyLimitBytes(for head: RequestHead) -> Int { limit }
}

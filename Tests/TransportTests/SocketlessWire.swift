import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import Transport

/// A connection without a socket.
struct SocketlessWire {
  private let channel = EmbeddedChannel()
  let router: TestRouter
  let connections: Connections

  init(_ router: TestRouter = TestRouter(), limits: TransportLimits = TransportLimits()) throws {
    self.router = router
    connections = Connections(eventLoop: channel.embeddedEventLoop, router: router, limits: limits)
    try HTTPConnection.install(on: channel, connections: connections)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  var isActive: Bool { channel.isActive }

  func close() { channel.close(promise: nil) }

  func receive(_ text: String) throws { try receive(Array(text.utf8)) }

  func receive(_ bytes: [UInt8]) throws {
    try channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()
  }

  /// Everything sent since the last call.
  func sent() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer: piece) }
    return bytes
  }

  func sentText() throws -> String { String(decoding: try sent(), as: UTF8.self) }

  func wait(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

  static func webSocket() throws -> SocketlessWire {
    let wire = try SocketlessWire()
    try wire.receive("GET /echo HTTP/1.1\r\n\(WireClient.upgradeHead)")
    #expect(try wire.sentText().hasPrefix("HTTP/1.1 101 "))
    return wire
  }
}

import NIOCore
import NIOPosix

/// Requests with headers that a well-behaved client would not let through.
enum RawHTTP {
  /// The whole answer to a GET for another host than the one that is dialled.
  static func get(_ target: String, host: String, port: Int) async throws -> String {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let promise = loop.makePromise(of: String.self)
    let name = host.split(separator: "/").last.map(String.init) ?? host
    let channel = try await ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Reader(promise))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    let request = "GET \(target) HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n"
    try await channel.writeAndFlush(ByteBuffer(string: request))
    return try await promise.futureResult.get()
  }

  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let promise: EventLoopPromise<String>
    private var received = ByteBuffer()

    init(_ promise: EventLoopPromise<String>) {
      self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received.writeImmutableBuffer(unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
      promise.succeed(String(buffer: received))
    }
  }
}

import NIOCore
import NIOPosix
import Synchronization

/// Stands between a client and a server on loopback, and cuts each connection after so many bytes of answers.
final class CuttingProxy: Sendable {
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel
  var port: Int { channel.localAddress?.port ?? 0 }

  /// `limits`: after how many bytes the first, the second… connection is cut; the last counts for all later
  /// ones, and nil is never.
  init(to target: Int, cutting limits: [Int?]) async throws {
    let accepted = Mutex(0)
    channel = try await ServerBootstrap(group: group)
      .childChannelInitializer { client in
        let number = accepted.withLock { count in
          count += 1
          return count - 1
        }
        let limit = limits[min(number, limits.count - 1)]
        return ClientBootstrap(group: client.eventLoop)
          .connect(host: "127.0.0.1", port: target)
          .flatMapThrowing { server in
            try server.pipeline.syncOperations.addHandler(Pipe(to: client, bytes: limit ?? .max))
            try client.pipeline.syncOperations.addHandler(Pipe(to: server, bytes: .max))
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  func stop() async throws {
    try await channel.close()
    try await group.shutdownGracefully()
  }

  /// Hands what one side says to the other, up to a number of bytes.
  private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private var left: Int

    init(to other: any Channel, bytes: Int) {
      self.other = other
      left = bytes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      let count = min(left, bytes.readableBytes)
      left -= count
      guard let piece = bytes.readSlice(length: count) else { return }
      other.writeAndFlush(piece, promise: nil)
      if left == 0 {
        other.close(promise: nil)
        context.close(promise: nil)
      }
    }

    func channelInactive(context: ChannelHandlerContext) {
      other.close(promise: nil)
    }
  }
}

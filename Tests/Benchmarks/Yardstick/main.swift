// The yardstick: a broadcaster on bare SwiftNIO that matches no paths, checks no rules and stores nothing.
// What Dhole reaches is stated as a ratio to it, measured in the same run.
//
//   Yardstick direct PORT   WebSockets at /sub, /pub and /echo; frames of one tick leave in one send(2)
//   Yardstick http PORT     every request gets the same small JSON, through NIOHTTP1
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

let arguments = CommandLine.arguments
guard arguments.count == 3, let port = Int(arguments[2]), ["direct", "http"].contains(arguments[1]) else {
  print("usage: Yardstick direct|http PORT")
  exit(64)
}
let isHTTP = arguments[1] == "http"
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let hub = NIOLoopBound.make(on: group.next()) { Hub() }

let server = try ServerBootstrap(group: group)
  .serverChannelOption(.backlog, value: 4096)
  .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
  .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
  .childChannelOption(.maxMessagesPerRead, value: 1)
  .childChannelOption(
    .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: isHTTP ? 2048 : 16_384)
  )
  .childChannelInitializer { channel in
    channel.eventLoop.makeCompletedFuture {
      if isHTTP {
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
        try channel.pipeline.syncOperations.addHandler(SmallAnswer())
      } else {
        try channel.pipeline.syncOperations.addHandler(Broadcaster(hub.value))
      }
    }
  }
  .bind(host: "127.0.0.1", port: port).wait()
try server.closeFuture.wait()

extension NIOLoopBound {
  /// Makes the value on its loop, from outside.
  static func make(on eventLoop: any EventLoop, _ body: @escaping @Sendable () -> Value) -> NIOLoopBound<
    Value
  > {
    guard let bound = try? eventLoop.submit({ NIOLoopBound(body(), eventLoop: eventLoop) }).wait() else {
      preconditionFailure("the loop has only just started")
    }
    return bound
  }
}

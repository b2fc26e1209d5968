import Glibc
import NIOCore
import NIOPosix
import TestSupport
import Transport

/// Returns every complete message to its sender, through the server's own WebSocket code, so that any
/// conformance suite for servers can be run against it: `ws-echo [PORT]`, 9001 unless told otherwise.
@main
enum WebSocketEcho {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let port = arguments.isEmpty ? 9001 : arguments.first.flatMap({ Int($0) }) else {
      print("usage: ws-echo [PORT]")
      exit(64)
    }
    var limits = TransportLimits()
    limits.messageBytes = 16 * 1024 * 1024
    limits.frameBytes = 16 * 1024 * 1024
    let listener = try await Listener.start(
      on: .tcp(host: "127.0.0.1", port: port), group: MultiThreadedEventLoopGroup.singleton,
      router: EchoRouter(), limits: limits)
    print("ws://127.0.0.1:\(listener.boundPort ?? port)/")
    fflush(nil)
    while true { try await Task.sleep(for: .seconds(3600)) }
  }
}

private struct EchoRouter: Router {
  func respond(to exchange: Exchange) {
    exchange.respond(status: 426, headers: [("Upgrade", "websocket")], body: ByteBuffer())
  }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    .accept(EchoHandler())
  }

  func bodyLimitBytes(for head: RequestHead) -> Int { 0 }
}

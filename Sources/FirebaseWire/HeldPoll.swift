import NIOCore
import Transport

/// A poll's request, to be answered once, now or later, from any loop.
final class HeldPoll: Sendable {
  private let exchange: NIOLoopBound<Exchange>

  /// On the exchange's loop.
  init(_ exchange: Exchange) {
    exchange.endsWithInput = true
    self.exchange = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
  }

  /// Answers with a script. If the peer has left, nobody hears it.
  func answer(_ script: ByteBuffer) {
    let loop = exchange.eventLoop
    if loop.inEventLoop { return respond(script) }
    loop.execute { self.respond(script) }
  }

  private func respond(_ script: ByteBuffer) {
    exchange.value.respond(status: 200, headers: Self.headers, body: script)
  }

  /// A script that may be loaded by any page, is not to be kept, and is nothing but a script.
  private static let headers = [
    ("content-type", "text/javascript; charset=utf-8"), ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"), ("cross-origin-resource-policy", "cross-origin"),
  ]
}

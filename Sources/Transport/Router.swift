package import NIOCore

/// Decides what requests mean. Called on the connection's loop.
package protocol Router: Sendable {
  /// Answers a request, now or later, exactly once.
  func respond(to exchange: Exchange)
  /// Says whether a WebSocket may be opened here, and who handles its messages.
  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision
  /// The largest body that this request may bring; asked before the body is read.
  func bodyLimitBytes(for head: RequestHead) -> Int
}

package enum WebSocketDecision {
  case accept(any MessageHandler)
  /// Answered as plain HTTP.
  case refuse(status: Int, text: String)
}

import NIOCore
import Transport

/// A request of a poll, to be answered once, now or later, from any loop.
final class HeldExchange: Sendable {
  private let exchange: NIOLoopBound<Exchange>
  private let origin: String?
  /// Whether the client can't read anything but text, and says so.
  private let needsText: Bool

  /// On the exchange's loop.
  init(_ exchange: Exchange) {
    exchange.endsWithInput = true
    origin = exchange.head.header("origin")
    needsText = exchange.head.target.contains("b64=")
    self.exchange = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
  }

  /// Answers with packets. If the peer has left, nobody hears it.
  ///
  /// Long ones go as bytes to clients of revision 3: of a text of more than about 120 KB, Engine.IO's own
  /// clients before 2.0 make an error in browsers, connect anew, and are told the same again.
  func answer(_ body: ByteBuffer, revision: Revision = .four) {
    if revision == .three, !needsText, body.readableBytes > EnginePayload.longestTextBytes,
      let bytes = EnginePayload.binaryBody(of: body)
    {
      return respond(status: 200, type: "application/octet-stream", bytes)
    }
    respond(status: 200, type: "text/plain; charset=UTF-8", body)
  }

  /// A request that brought packets was taken.
  func accept() {
    respond(status: 200, type: "text/html", ByteBuffer(string: "ok"))
  }

  func refuse(_ refusal: EngineRefusal) {
    respond(status: refusal.status, type: "application/json", ByteBuffer(string: refusal.text))
  }

  /// Says to a browser that wants to know beforehand what may be asked.
  func answerPreflight(requestedHeaders: String?) {
    respond(
      status: 204, type: nil, ByteBuffer(),
      more: [
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", requestedHeaders ?? "content-type"),
        ("access-control-max-age", "3600"),
      ])
  }

  private func respond(status: Int, type: String?, _ body: ByteBuffer, more: [(String, String)] = []) {
    var headers = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] + more
    if let type { headers.append(("content-type", type)) }
    if status == 503 { headers.append(("retry-after", "5")) }
    // Some clients ask with credentials, of which there are none here: any page may ask.
    if let origin {
      headers += [
        ("access-control-allow-origin", origin), ("access-control-allow-credentials", "true"),
        ("vary", "Origin"),
      ]
    }
    let loop = exchange.eventLoop
    if loop.inEventLoop { return exchange.value.respond(status: status, headers: headers, body: body) }
    let all = headers
    loop.execute { self.exchange.value.respond(status: status, headers: all, body: body) }
  }
}

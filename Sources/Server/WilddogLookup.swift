import NIOCore
import Transport

/// What Wilddog's SDKs for browsers and Node ask `ns.wilddog.com` for before they connect: the hosts that
/// serve an app. Whoever has come here for it is to come back here.
enum WilddogLookup {
  static let path = "/v1/lookup"

  static func respond(to exchange: Exchange) {
    // Without a host the SDK asks again later, which is all that can be done about it.
    let host = exchange.head.host.map { Exchange.quoted($0) } ?? ""
    let headers = [
      ("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store"),
      // Browsers ask from any page.
      ("access-control-allow-origin", "*"),
    ]
    exchange.respond(
      status: 200, headers: headers, body: ByteBuffer(string: #"{"nssList":[\#(host)]}"#))
  }
}

package import NIOCore
package import NIOHTTP1

/// What a request asked for, before its body.
package struct RequestHead: Sendable {
  private let head: HTTPRequestHead
  /// Where the peer is, as the socket says.
  package let peer: SocketAddress?
  /// Whether the connection is encrypted.
  package let isTLS: Bool

  package init(_ head: HTTPRequestHead, peer: SocketAddress?, isTLS: Bool) {
    self.head = head
    self.peer = peer
    self.isTLS = isTLS
  }

  /// A head as it would have come from a peer, for tests and for requests made inside the process.
  package init(
    method: String, target: String, headers: [(String, String)] = [], peer: SocketAddress? = nil,
    isTLS: Bool = false
  ) {
    self.init(
      HTTPRequestHead(
        version: .http1_1, method: HTTPMethod(rawValue: method), uri: target, headers: HTTPHeaders(headers)),
      peer: peer, isTLS: isTLS)
  }

  /// The method in upper case, as sent.
  package var method: String { head.method.rawValue }
  /// The request target as sent: `/a/b.json?x=1`, or with scheme and host in front.
  package var target: String { head.uri }
  /// The path as sent, still percent-encoded, without scheme, host and query.
  package var path: Substring { Self.split(head.uri).path }
  /// The query as sent, still percent-encoded, without its `?`; empty if there is none.
  package var query: Substring { Self.split(head.uri).query }
  /// The host (and port) that the client believes to talk to.
  package var host: String? {
    if let authority = Self.split(head.uri).authority { return String(authority) }
    return header("host")
  }
  /// The peer's address without its port, if it has one.
  package var remoteAddress: String? { peer?.ipAddress }
  /// Whether the client speaks HTTP/1.1, and so understands chunks.
  package var isHTTP11: Bool { head.version.minor >= 1 }
  /// Whether the client wants the connection kept after the answer.
  package var isKeepAlive: Bool { head.isKeepAlive }

  /// Whether only the head of the answer is wanted.
  package var isHEAD: Bool { head.method == .HEAD }

  /// The headers in their order, names as sent.
  var fields: HTTPHeaders { head.headers }

  /// The first value of a header, names compared without case.
  package func header(_ name: String) -> String? { head.headers.first(name: name) }

  /// All values of a header in their order.
  package func headers(_ name: String) -> [String] { head.headers[name] }

  /// Whether a comma-separated header holds a token, compared without case.
  package func hasToken(_ token: String, in name: String) -> Bool {
    head.headers[canonicalForm: name].contains { $0.lowercased() == token }
  }

  private static func split(
    _ target: String
  ) -> (authority: Substring?, path: Substring, query: Substring) {
    let bytes = target.utf8
    let queryMark = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    let query = queryMark == bytes.endIndex ? "" : target[bytes.index(after: queryMark)...]
    let location = target[..<queryMark]
    if bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "*") { return (nil, location, query) }
    guard let colon = location.utf8.firstIndex(of: UInt8(ascii: ":")),
      location[colon...].utf8.starts(with: "://".utf8)
    else { return (nil, location, query) }
    let rest = location[bytes.index(colon, offsetBy: 3)...]
    guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return (rest, "/", query) }
    return (rest[..<slash], rest[slash...], query)
  }
}

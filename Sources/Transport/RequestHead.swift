package import NIOCore
package import NIOHTTP1

/// What a request asked for, before its body.
package struct RequestHead: Sendable {
  private let head: HTTPRequestHead
  /// Where the parts of the target are in its UTF-8.
  private let parts: TargetParts
  /// Where the peer is, as the socket says.
  package let peer: SocketAddress?
  /// Whether the connection is encrypted.
  package let isTLS: Bool

  package init(_ head: HTTPRequestHead, peer: SocketAddress?, isTLS: Bool) {
    self.head = head
    parts = TargetParts(head.uri)
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
  package var path: Substring { parts.path.map { head.uri.part($0) } ?? "/" }
  /// The query as sent, still percent-encoded, without its `?`; empty if there is none.
  package var query: Substring { head.uri.part(parts.query) }
  /// The host (and port) that the client believes to talk to.
  package var host: String? {
    if let authority = parts.authority { return String(head.uri.part(authority)) }
    return header("host")
  }
  /// The peer's address without its port, if it has one.
  package var remoteAddress: String? { peer?.ipAddress }
  /// Whether the client speaks HTTP/1.1, and so understands chunks.
  package var isHTTP11: Bool { head.version.minor >= 1 }
  /// Whether the client wants the connection kept after the answer.
  package var isKeepAlive: Bool { head.isKeepAlive }

  package var isGET: Bool { head.method == .GET }
  /// Whether only the head of the answer is wanted.
  package var isHEAD: Bool { head.method == .HEAD }

  /// The headers in their order, names as sent.
  var fields: HTTPHeaders { head.headers }

  /// The first value of a header, names compared without case.
  package func header(_ name: String) -> String? { head.headers.first(name: name) }

  /// Whether a test holds for any header, given its name as sent and its value.
  package func contains(_ isMeant: (_ name: Substring.UTF8View, _ value: String) -> Bool) -> Bool {
    head.headers.contains { isMeant($0.name[...].utf8, $0.value) }
  }

  /// All values of a header in their order.
  package func headers(_ name: String) -> [String] { head.headers[name] }

  /// Whether a comma-separated header holds a token, compared without case.
  package func hasToken(_ token: String, in name: String) -> Bool {
    head.headers[canonicalForm: name].contains { $0.lowercased() == token }
  }
}

/// The parts of a request's target, as ranges of its UTF-8.
private struct TargetParts {
  /// The host (and port), if the target names one.
  var authority: Range<Int>?
  /// Nil if there is an authority and nothing after it: `/` then.
  var path: Range<Int>?
  /// Empty if there is none.
  var query: Range<Int>

  init(_ target: String) {
    var target = target
    self = target.withUTF8 { TargetParts($0) }
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>) {
    let mark = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
    query = min(mark + 1, bytes.count)..<bytes.count
    path = 0..<mark
    if bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "*") { return }
    let location = bytes[..<mark]
    guard let colon = location.firstIndex(of: UInt8(ascii: ":")),
      location[colon...].starts(with: "://".utf8)
    else { return }
    let start = colon + 3
    let slash = location[start...].firstIndex(of: UInt8(ascii: "/"))
    authority = start..<(slash ?? mark)
    path = slash.map { $0..<mark }
  }
}

extension String {
  /// A part of the text by its range of UTF-8.
  fileprivate func part(_ range: Range<Int>) -> Substring {
    let start = utf8.index(utf8.startIndex, offsetBy: range.lowerBound)
    return self[start..<utf8.index(start, offsetBy: range.count)]
  }
}

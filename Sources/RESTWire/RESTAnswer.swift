import JSONTree
import NIOCore
import Transport

/// A response before it has become bytes.
struct RESTAnswer: Sendable {
  enum Content: Sendable {
    case none
    /// JSON that is at hand.
    case json([UInt8])
    /// JSON that is made while it is sent, if it is long.
    case value(Node, Export.Style)
    case plain(String)
  }

  var status: Int
  var content: Content
  var etag: String?
  /// The name of the snapshot that the value is kept as.
  var snapshot: String?
  /// How much of the value's text the peer has already.
  var skippedBytes = 0
  /// Why the rules said no, for those who may be told.
  var explanation: String?

  init(status: Int = 200, _ content: Content, etag: String? = nil) {
    self.status = status
    self.content = content
    self.etag = etag
  }

  init(_ error: RESTError) {
    if error == .hint {
      self.init(status: error.status, .plain(error.text))
      return
    }
    var json = Array("{\"error\":".utf8)
    JSONText.appendString(error.text, to: &json)
    json.append(UInt8(ascii: "}"))
    self.init(status: error.status, .json(json))
    explanation = error.explanation
  }

  /// What browsers of any origin may do.
  static func preflight(requestedHeaders: String?) -> [(String, String)] {
    [
      ("Access-Control-Allow-Origin", "*"),
      ("Access-Control-Allow-Methods", "GET, PUT, POST, PATCH, DELETE, OPTIONS"),
      ("Access-Control-Allow-Headers", requestedHeaders ?? "*"),
      ("Access-Control-Max-Age", "3600"),
    ]
  }

  private static let common = [
    ("Cache-Control", "no-cache"), ("Access-Control-Allow-Origin", "*"),
  ]
  private static let json = [("Content-Type", "application/json; charset=utf-8")] + common
  /// The head of an answer to a plain GET.
  static let plainValue = ResponseHead(status: 200, headers: json)
  private static let script =
    [("Content-Type", "application/javascript; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    + common
  private static let denialHeader = "X-Permission-Denied"
  static let eventStream = [("Content-Type", "text/event-stream; charset=utf-8")] + common
  private static let plain = [("Content-Type", "text/plain; charset=utf-8")] + common

  /// Sends the response in the dress that the request asks for; `request` is nil if the request was not
  /// understood.
  func send(to exchange: Exchange, for request: RESTRequest?) {
    let succeeded = status == 200
    if succeeded, request?.print == .silent {
      return exchange.respond(status: 204, headers: headers(Self.common, nil))
    }
    let callback = succeeded ? request?.callback : nil
    let dress = RESTBody.Dress(callback: callback, isPretty: request?.print == .pretty)
    let head = headers(callback == nil ? Self.json : Self.script, succeeded ? request : nil)
    switch content {
    case .none: exchange.respond(status: status, headers: headers(Self.common, nil))
    case .plain(let text):
      exchange.respond(status: status, headers: headers(Self.plain, nil), body: ByteBuffer(string: text))
    case .json(let text):
      exchange.respond(status: status, headers: head, body: dress.whole(text))
    case .value(let node, let style):
      if skippedBytes == 0, Export.isSmall(node) {
        exchange.respond(status: status, headers: head, body: dress.whole(node, style))
      } else {
        let body = RESTBody(
          Export(node, style: style), dress: dress, exchange: exchange, skippedBytes: skippedBytes)
        body.start(status: status, headers: head)
      }
    }
  }

  private func headers(_ base: [(String, String)], _ request: RESTRequest?) -> [(String, String)] {
    let download = request?.download
    if etag == nil, download == nil, explanation == nil, snapshot == nil { return base }
    var headers = base
    if let snapshot { headers.append((SnapshotRequest.header, snapshot)) }
    if let explanation {
      headers.append((Self.denialHeader, HeaderText.visible(explanation)))
      headers.append(("Access-Control-Expose-Headers", Self.denialHeader))
    }
    if let etag {
      headers.append(("ETag", etag))
      headers.append(("Access-Control-Expose-Headers", "ETag"))
    }
    if let download { headers.append(("Content-Disposition", "attachment; filename=\(download)")) }
    return headers
  }
}

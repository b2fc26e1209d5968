import NIOCore
import NIOHTTP1

/// The status and the headers of answers that are all alike, made once.
package struct ResponseHead: Sendable {
  let status: Int
  let headers: [(String, String)]
  /// The head up to where it tells the body's length.
  let text: [UInt8]

  package init(status: Int, headers: [(String, String)]) {
    self.status = status
    self.headers = headers
    var output = ByteBuffer()
    ResponseText.appendFields(status: status, headers: headers, to: &output)
    text = Array(output.readableBytesView)
  }
}

/// Responses as they stand on the wire.
enum ResponseText {
  /// How the end of a body is told.
  enum Framing: Equatable {
    case length(Int)
    case chunks
    /// The connection is closed after it.
    case close
    /// The status allows no body.
    case none
  }

  static func framing(status: Int, count: Int) -> Framing {
    status == 204 || status == 304 || status < 200 ? .none : .length(count)
  }

  /// Appends a head. The headers that tell framing and connection are this function's own; a line break in
  /// a value becomes a space, so that no value can start a header.
  static func appendHead(
    status: Int, headers: [(String, String)], framing: Framing, connection: StaticString?,
    to output: inout ByteBuffer
  ) {
    appendFields(status: status, headers: headers, to: &output)
    appendEnd(of: framing, connection: connection, to: &output)
  }

  /// Appends the part of a head that does not depend on the body.
  fileprivate static func appendFields(
    status: Int, headers: [(String, String)], to output: inout ByteBuffer
  ) {
    if status == 200 {
      output.writeStaticString("HTTP/1.1 200 OK\r\n")
    } else {
      output.writeStaticString("HTTP/1.1 ")
      output.writeString(String(status))
      output.writeStaticString(" ")
      output.writeString(HTTPResponseStatus(statusCode: status).reasonPhrase)
      output.writeStaticString("\r\n")
    }
    for (name, value) in headers where !isOurs(name) {
      append(name, to: &output)
      output.writeStaticString(": ")
      append(value, to: &output)
      output.writeStaticString("\r\n")
    }
  }

  /// Appends the rest of a head.
  static func appendEnd(of framing: Framing, connection: StaticString?, to output: inout ByteBuffer) {
    switch framing {
    case .length(let count):
      output.writeStaticString("Content-Length: ")
      output.writeString(String(count))
      output.writeStaticString("\r\n")
    case .chunks: output.writeStaticString("Transfer-Encoding: chunked\r\n")
    case .close, .none: break
    }
    if let connection {
      output.writeStaticString("Connection: ")
      output.writeStaticString(connection)
      output.writeStaticString("\r\n")
    }
    output.writeStaticString("\r\n")
  }

  static let lastChunk = ByteBuffer(string: "0\r\n\r\n")
  static let goOn = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

  private static func isOurs(_ name: String) -> Bool {
    switch name.utf8.count {
    case 10: name.lowercased() == "connection"
    case 14: name.lowercased() == "content-length"
    case 17: name.lowercased() == "transfer-encoding"
    default: false
    }
  }

  private static func append(_ text: String, to output: inout ByteBuffer) {
    let isClean = text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
    if isClean {
      output.writeString(text)
    } else {
      output.writeBytes(text.utf8.map { $0 >= 0x20 || $0 == 0x09 ? $0 : 0x20 })
    }
  }
}

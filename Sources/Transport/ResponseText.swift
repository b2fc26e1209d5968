import NIOCore
import NIOHTTP1

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

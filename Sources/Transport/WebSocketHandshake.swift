import Crypto
import NIOCore

/// The opening of a WebSocket (RFC 6455, 4.2), without I/O.
enum WebSocketHandshake {
  enum Checked: Equatable {
    case lawful(key: String)
    case refused(status: Int, text: String)
  }

  /// Whether the request wants to become a WebSocket, lawfully or not.
  static func isAsked(by head: RequestHead) -> Bool { head.hasToken("websocket", in: "upgrade") }

  static func check(_ head: RequestHead) -> Checked {
    guard head.method == "GET", head.isHTTP11, head.hasToken("upgrade", in: "connection") else {
      return .refused(status: 400, text: "A WebSocket opens with GET, HTTP/1.1 and Connection: Upgrade.")
    }
    guard head.headers("sec-websocket-version") == ["13"] else {
      return .refused(status: 426, text: "This server speaks version 13 of the WebSocket protocol.")
    }
    let keys = head.headers("sec-websocket-key")
    guard keys.count == 1, isKey(keys[0]) else {
      return .refused(status: 400, text: "Sec-WebSocket-Key has to be 16 bytes in base64.")
    }
    return .lawful(key: keys[0])
  }

  /// The answer that opens it.
  static func response(key: String) -> ByteBuffer {
    var hash = Insecure.SHA1()
    hash.update(data: Array(key.utf8))
    hash.update(data: Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
    var response = ByteBuffer()
    response.reserveCapacity(160)
    response.writeStaticString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
    response.writeStaticString("Connection: Upgrade\r\nSec-WebSocket-Accept: ")
    response.writeBytes(base64(Array(hash.finalize())))
    response.writeStaticString("\r\n\r\n")
    return response
  }

  // 16 bytes are 22 digits and two fillers.
  private static func isKey(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count == 24 && bytes.suffix(2) == [0x3d, 0x3d]
      && bytes.prefix(22).allSatisfy { digits.contains($0) }
  }

  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let piece = bytes[start..<min(start + 3, bytes.count)]
      let bits = piece.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - piece.count))
      for digit in 0..<4 {
        let isFiller = digit > piece.count
        text.append(isFiller ? 0x3d : digits[Int(bits >> (18 - 6 * UInt32(digit))) & 63])
      }
    }
    return text
  }
}

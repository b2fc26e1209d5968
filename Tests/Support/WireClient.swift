import Glibc
import NIOCore

/// A plain socket, so that the tests see exactly the bytes that a peer sees.
package final class WireClient {
  private let descriptor: CInt
  private var isOpen = true
  private var received: [UInt8] = []

  package struct Failure: Error {
    package let text: String
    /// Nothing came for as long as anybody would wait.
    package var isTimeout = false

    package init(text: String, isTimeout: Bool = false) {
      self.text = text
      self.isTimeout = isTimeout
    }
  }

  package init(port: Int, receiveBufferBytes: Int32 = 0) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    if receiveBufferBytes > 0 { set(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes) }
    set(CInt(IPPROTO_TCP), TCP_NODELAY, Int32(1))
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    let result = address.withSockAddr { connect(descriptor, $0, socklen_t($1)) }
    guard result == 0 else { throw Failure(text: "connect: \(errno)") }
  }

  deinit { close() }

  private func set<Value>(_ level: CInt, _ option: CInt, _ value: Value) {
    withUnsafePointer(to: value) {
      _ = setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Value>.size))
    }
  }

  package func close() {
    if isOpen { _ = Glibc.close(descriptor) }
    isOpen = false
  }

  /// Ends the sending side only.
  package func closeOutput() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// Closes with a reset instead of an orderly end.
  package func reset() {
    set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
    close()
  }

  package func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  package func send(_ bytes: [UInt8]) async throws {
    var sent = 0
    while sent < bytes.count {
      sent += try await patiently("send") {
        bytes.withUnsafeBytes {
          let rest = UnsafeRawBufferPointer(rebasing: $0[sent...])
          return Glibc.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
      }
    }
  }

  /// Waits for more bytes; false at the peer's end.
  private func receive() async throws -> Bool {
    var piece = [UInt8](repeating: 0, count: 65536)
    let count = try await patiently("recv") { recv(descriptor, &piece, piece.count, CInt(MSG_DONTWAIT)) }
    received += piece[..<count]
    return count > 0
  }

  /// Tries again while the socket would block. A thread that waits would hold up the other tests.
  private func patiently(_ name: String, _ call: () -> Int) async throws -> Int {
    let start = ContinuousClock.now
    while true {
      let count = call()
      if count >= 0 { return count }
      guard errno == EAGAIN else { throw Failure(text: "\(name): \(errno)") }
      guard ContinuousClock.now - start < .seconds(60) else {
        throw Failure(text: "\(name): nothing came for a minute", isTimeout: true)
      }
      try await Task.sleep(nanoseconds: 1_000_000)
    }
  }

  /// The next `count` bytes.
  package func read(_ count: Int) async throws -> [UInt8] {
    while received.count < count {
      guard try await receive() else { throw Failure(text: "ended after \(received.count) of \(count)") }
    }
    defer { received.removeFirst(count) }
    return Array(received[..<count])
  }

  /// Everything up to and with `mark`.
  package func read(through mark: String) async throws -> String {
    let mark = Array(mark.utf8)
    var from = 0
    while true {
      while from + mark.count <= received.count {
        if received[from] == mark[0], Array(received[from..<(from + mark.count)]) == mark {
          return String(decoding: try await read(from + mark.count), as: UTF8.self)
        }
        from += 1
      }
      guard try await receive() else {
        throw Failure(text: "ended in \(String(decoding: received, as: UTF8.self))")
      }
    }
  }

  /// Everything until the peer's end.
  package func readToEnd() async throws -> [UInt8] {
    while try await receive() {}
    defer { received = [] }
    return received
  }

  /// Whether the peer ends, orderly or not, with nothing more to read.
  package func isEnded() async -> Bool {
    if !received.isEmpty { return false }
    do {
      return try await !receive()
    } catch {
      return (error as? Failure)?.isTimeout == false
    }
  }
}

/// What a client understands of an answer.
package struct WireResponse {
  package var status: Int
  package var headers: [String: String]
  package var body: [UInt8]

  package var text: String { String(decoding: body, as: UTF8.self) }
}

extension WireClient {
  package func readHead() async throws -> WireResponse {
    let lines = try await read(through: "\r\n\r\n").split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
      throw Failure(text: "status line \(lines)")
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw Failure(text: "header \(line)") }
      headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    return WireResponse(status: status, headers: headers, body: [])
  }

  package func readResponse(toHEAD: Bool = false) async throws -> WireResponse {
    var response = try await readHead()
    if toHEAD || response.status < 200 || response.status == 204 || response.status == 304 {
      return response
    }
    if let length = response.headers["content-length"].flatMap({ Int($0) }) {
      response.body = try await read(length)
    } else if response.headers["transfer-encoding"] == "chunked" {
      while let chunk = try await readChunk() { response.body += chunk }
    } else {
      response.body = try await readToEnd()
    }
    return response
  }

  /// The next chunk; nil at the last.
  package func readChunk() async throws -> [UInt8]? {
    let line = try await read(through: "\r\n").dropLast()
    guard let count = Int(line, radix: 16) else { throw Failure(text: "chunk \(line)") }
    let bytes = try await read(count)
    guard try await read(2) == [13, 10] else { throw Failure(text: "end of chunk") }
    return count == 0 ? nil : bytes
  }

  package func get(_ path: String, headers: String = "") async throws -> WireResponse {
    try await send("GET \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
    return try await readResponse()
  }
}

/// A frame as a client sees it.
package struct WireFrame: Equatable {
  package var opcode: UInt8
  package var payload: [UInt8]
  package var isFinal = true

  package init(opcode: UInt8, payload: [UInt8], isFinal: Bool = true) {
    self.opcode = opcode
    self.payload = payload
    self.isFinal = isFinal
  }

  package static func text(_ text: String) -> WireFrame { WireFrame(opcode: 1, payload: Array(text.utf8)) }

  package static func close(_ code: UInt16?, _ reason: String = "") -> WireFrame {
    guard let code else { return WireFrame(opcode: 8, payload: []) }
    return WireFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8))
  }

  /// The bytes that a client sends for it.
  package func bytes(mask: [UInt8]? = [0x12, 0x34, 0x56, 0x78], reserved: UInt8 = 0) -> [UInt8] {
    var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let bit: UInt8 = mask == nil ? 0 : 0x80
    if payload.count < 126 {
      bytes.append(bit | UInt8(payload.count))
    } else if payload.count < 65536 {
      bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    } else {
      bytes.append(bit | 127)
      bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    guard let mask else { return bytes + payload }
    bytes += mask
    let start = bytes.count
    bytes += payload
    bytes.withUnsafeMutableBytes { bytes in
      for at in 0..<(bytes.count - start) { bytes[start + at] ^= mask[at & 3] }
    }
    return bytes
  }

  package var closeCode: UInt16? {
    opcode == 8 && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
  }
}

extension WireClient {
  package static let upgradeHead =
    "Host: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

  /// Opens a WebSocket.
  package static func webSocket(port: Int, path: String = "/echo", receiveBufferBytes: Int32 = 0) async throws
    -> WireClient
  {
    let client = try WireClient(port: port, receiveBufferBytes: receiveBufferBytes)
    try await client.upgrade(path)
    return client
  }

  package func upgrade(_ path: String = "/echo", early: [UInt8] = []) async throws {
    try await send(Array("GET \(path) HTTP/1.1\r\n\(Self.upgradeHead)".utf8) + early)
    let response = try await readHead()
    guard response.status == 101, response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    else { throw Failure(text: "upgrade: \(response)") }
  }

  package func send(_ frame: WireFrame) async throws { try await send(frame.bytes()) }

  package func readFrame() async throws -> WireFrame {
    let head = try await read(2)
    var count = Int(head[1])
    guard count < 128, head[0] & 0x70 == 0 else { throw Failure(text: "frame head \(head)") }
    if count == 126 {
      count = try await read(2).reduce(0) { $0 << 8 | Int($1) }
    } else if count == 127 {
      count = try await read(8).reduce(0) { $0 << 8 | Int($1) }
    }
    return WireFrame(opcode: head[0] & 15, payload: try await read(count), isFinal: head[0] & 0x80 != 0)
  }
}

import Foundation
import Glibc
import JSONTree
import NIOCore
import TestSupport

/// A plain socket that is read when a test says so and not before. The kernel holds little for it.
final class SlowSocket {
  struct Failure: Error {
    let text: String
  }

  private let descriptor: CInt
  var unread = ByteBuffer()
  private(set) var bytesRead = 0

  init(port: Int) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var size: Int32 = 16 * 1024
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    guard address.withSockAddr({ connect(descriptor, $0, socklen_t($1)) }) == 0 else {
      throw Failure(text: "connect: \(errno)")
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: [UInt8]) throws {
    guard Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else {
      throw Failure(text: "send: \(errno)")
    }
  }

  /// Reads what there is; false if there is nothing for half a second.
  func read(upTo most: Int = 1 << 18) throws -> Bool {
    var piece = [UInt8](repeating: 0, count: most)
    for _ in 0..<500 {
      let count = recv(descriptor, &piece, piece.count, CInt(MSG_DONTWAIT))
      if count == 0 { throw Failure(text: "closed after \(bytesRead) bytes") }
      if count > 0 {
        bytesRead += count
        unread.writeBytes(piece[..<count])
        return true
      }
      guard errno == EAGAIN else { throw Failure(text: "recv: \(errno)") }
      usleep(1000)
    }
    return false
  }

  /// Reads the head of an answer, byte by byte, so that nothing of what follows is taken.
  func readHead() throws -> String {
    var head = ""
    while !head.hasSuffix("\r\n\r\n") {
      guard try read(upTo: 1), let byte = unread.readString(length: 1) else {
        throw Failure(text: "no answer: \(head)")
      }
      head += byte
    }
    return head
  }
}

/// A Firebase client that reads when it is told to.
final class SlowReader {
  private let socket: SlowSocket
  private(set) var follower: Follower
  var bytesRead: Int { socket.bytesRead }

  /// Opens a WebSocket; `query` is that of its listen.
  init(port: Int, query: String? = nil) throws {
    follower = Follower(query: query)
    socket = try SlowSocket(port: port)
    try socket.write(
      Array(
        ("GET /.ws?v=5&ns=default HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8))
    _ = try socket.readHead()
  }

  func listen() throws { try send(follower.request) }

  /// Sends a short message, masked with nothing.
  func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    var head: [UInt8] = [0x81]
    if bytes.count < 126 {
      head.append(0x80 | UInt8(bytes.count))
    } else {
      head += [0xfe, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)]
    }
    try socket.write(head + [0, 0, 0, 0] + bytes)
  }

  /// Reads, and puts together what it is told, until that says so or nothing has come for half a second.
  func read(until isEnough: (Node) -> Bool) throws {
    while !isEnough(follower.value), try socket.read() {
      while let frame = frame() {
        guard frame.getInteger(at: frame.readerIndex, as: UInt8.self) != 0x88 else {
          throw SlowSocket.Failure(text: "the server says goodbye: \(Array(frame.readableBytesView))")
        }
        try follower.take(frame)
      }
    }
  }

  /// The next frame that is here whole; a ping is left out.
  private func frame() -> ByteBuffer? {
    let unread = socket.unread
    let start = unread.readerIndex
    guard let first = unread.getInteger(at: start, as: UInt8.self),
      let second = unread.getInteger(at: start + 1, as: UInt8.self)
    else { return nil }
    var count = 2 + Int(second)
    if second == 126 {
      guard let length = unread.getInteger(at: start + 2, as: UInt16.self) else { return nil }
      count = 4 + Int(length)
    } else if second == 127 {
      guard let length = unread.getInteger(at: start + 2, as: UInt64.self) else { return nil }
      count = 10 + Int(length)
    }
    guard let frame = socket.unread.readSlice(length: count) else { return nil }
    socket.unread.discardReadBytes()
    return first == 0x89 ? self.frame() : frame
  }
}

/// Memory of this process that is in use, in bytes.
func residentBytes() throws -> Int {
  let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
  guard fields.count > 1, let pages = Int(fields[1]) else { throw SlowSocket.Failure(text: "no statm") }
  return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
}

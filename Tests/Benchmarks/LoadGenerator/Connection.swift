import Glibc

/// One socket to the server: what was read and not yet understood, and how far it got.
final class Connection {
  let descriptor: CInt
  let index: Int
  /// Bytes of an incomplete message.
  private var rest: [UInt8] = []
  /// The next number this connection must hear, in its own stream of deliveries.
  var expected = 0
  /// When its message under way left.
  var sentAt: UInt64 = 0
  /// The socket speaks WebSocket frames now.
  var isUpgraded = false
  /// Setup is over; what arrives counts.
  var isReady = false

  init(port: UInt16, index: Int) {
    self.index = index
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { quit("socket: \(String(cString: strerror(errno)))") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { quit("connect to port \(port): \(String(cString: strerror(errno)))") }
    var one: CInt = 1
    setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  deinit { close(descriptor) }

  /// Sends all bytes; the loads here never fill a socket for long.
  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wait, 1, 1000)
      } else {
        quit("send: \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Reads what is there and hands over whole messages; `split` says how long the first one is, and where its
  /// payload lies.
  func read(
    into scratch: UnsafeMutableRawBufferPointer,
    split: (UnsafeRawBufferPointer) -> (total: Int, payload: Range<Int>)?,
    message: (UnsafeRawBufferPointer) -> Void
  ) {
    let room = scratch.count - rest.count
    guard room > 0 else { quit("a message is larger than the buffer of \(scratch.count) bytes") }
    let kept = rest.count
    rest.withUnsafeBytes { scratch.copyMemory(from: $0) }
    let count = recv(descriptor, scratch.baseAddress! + kept, room, 0)
    if count == 0 { quit("the server closed connection \(index)") }
    if count < 0 {
      if errno == EAGAIN { return }
      quit("recv: \(String(cString: strerror(errno)))")
    }
    let bytes = UnsafeRawBufferPointer(start: scratch.baseAddress, count: kept + count)
    var at = 0
    while at < bytes.count {
      let tail = UnsafeRawBufferPointer(rebasing: bytes[at...])
      guard let found = split(tail) else { break }
      message(UnsafeRawBufferPointer(rebasing: tail[found.payload]))
      at += found.total
    }
    if at == bytes.count {
      if kept > 0 { rest.removeAll(keepingCapacity: false) }
    } else {
      rest = Array(bytes[at...])
    }
  }
}

import Glibc
import NIOCore

/// What waits to be sent to one peer, in order.
///
/// On a plain socket it sends on the descriptor itself. What the socket does not take is handed to NIO, and
/// until NIO has written that, everything else waits here, because sending it would overtake.
///
///     append → first | rest → flush ─→ send(2)
///                                └───→ .handOver → NIO → wasWritten
struct Outbox {
  enum Action {
    case nothing
    /// Write these through NIO, in this order, and say `wasWritten` when the last one is.
    case handOver(ByteBuffer, ByteBuffer?)
    /// The socket is broken: nothing can be sent any more.
    case broken
  }

  // Fields in the order of a push's needs: they share a cache line with the owner's first ones.
  /// Below 0: everything goes through NIO.
  private(set) var descriptor: CInt
  private var isHandedOver = false
  private var first: ByteBuffer?  // most often shared by many outboxes; nil if nothing waits
  private var rest: ByteBuffer?  // what came after it
  private var handedOverBytes = 0
  /// What is allowed beside the budget: a single item that was longer, until it is sent.
  private var excessBytes = 0

  init(descriptor: CInt) { self.descriptor = descriptor }

  /// Whether nothing waits, here or in NIO.
  var isEmpty: Bool { !isHandedOver && first == nil }
  /// Whether NIO has bytes that it has not written.
  var waitsForNIO: Bool { isHandedOver }
  /// Bytes that wait, here and in NIO.
  var queuedBytes: Int { handedOverBytes + (first?.readableBytes ?? 0) + (rest?.readableBytes ?? 0) }

  /// Takes bytes; false if that would pass the budget, and then they are not taken.
  mutating func append(_ frames: ByteBuffer, budget: Int) -> Bool {
    if !isHandedOver, first == nil {
      first = frames
      excessBytes = frames.readableBytes > budget ? frames.readableBytes : 0
      return true
    }
    guard queuedBytes + frames.readableBytes <= budget + excessBytes else { return false }
    append(frames)
    return true
  }

  /// Takes bytes whatever waits already.
  mutating func append(_ frames: ByteBuffer) {
    if isEmpty { excessBytes = 0 }
    if first == nil {
      first = frames
    } else if rest == nil {
      rest = frames
    } else {
      rest?.writeImmutableBuffer(frames)
    }
  }

  /// Sends what waits.
  mutating func flush() -> Action {
    guard !isHandedOver, let head = first else { return .nothing }
    let tail = rest
    first = nil
    if tail != nil { rest = nil }
    return send(head, tail)
  }

  /// Sends `frames` at once if nothing waits before it; `append` and `flush` in one.
  mutating func send(_ frames: ByteBuffer, budget: Int) -> Action? {
    if isHandedOver || first != nil || frames.readableBytes > budget {
      return append(frames, budget: budget) ? flush() : nil
    }
    return send(frames, nil)
  }

  /// NIO has written what it was given.
  mutating func wasWritten() {
    isHandedOver = false
    handedOverBytes = 0
  }

  /// Forgets what NIO was not given yet.
  mutating func drop() {
    first = nil
    rest = nil
  }

  /// The socket is closed, or about to be: its number may soon be another's.
  mutating func forgetSocket() {
    descriptor = -1
    drop()
  }

  private mutating func send(_ head: ByteBuffer, _ tail: ByteBuffer?) -> Action {
    guard descriptor >= 0 else { return handOver(head, tail, sent: 0) }
    let total = head.readableBytes + (tail?.readableBytes ?? 0)
    let sent = tail.map { Self.send(descriptor, head, $0) } ?? Self.send(descriptor, head)
    if sent == total { return .nothing }
    if sent < 0, errno != EAGAIN, errno != EWOULDBLOCK, errno != EINTR, errno != ENOBUFS {
      forgetSocket()
      return .broken
    }
    return handOver(head, tail, sent: max(sent, 0))
  }

  private mutating func handOver(_ head: ByteBuffer, _ tail: ByteBuffer?, sent: Int) -> Action {
    isHandedOver = true
    handedOverBytes = head.readableBytes + (tail?.readableBytes ?? 0) - sent
    var (head, tail) = (head, tail)
    let fromHead = min(sent, head.readableBytes)
    head.moveReaderIndex(forwardBy: fromHead)
    tail?.moveReaderIndex(forwardBy: sent - fromHead)
    guard head.readableBytes > 0, let tail else { return .handOver(tail ?? head, nil) }
    return .handOver(head, tail)
  }

  private static let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)

  @inline(__always)
  private static func send(_ descriptor: CInt, _ bytes: ByteBuffer) -> Int {
    bytes.withUnsafeReadableBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
  }

  private static func send(_ descriptor: CInt, _ head: ByteBuffer, _ tail: ByteBuffer) -> Int {
    head.withUnsafeReadableBytes { head in
      tail.withUnsafeReadableBytes { tail in
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { pieces in
          pieces.initializeElement(at: 0, to: iovec(piece: head))
          pieces.initializeElement(at: 1, to: iovec(piece: tail))
          var message = msghdr()
          message.msg_iov = pieces.baseAddress
          message.msg_iovlen = 2
          return sendmsg(descriptor, &message, flags)
        }
      }
    }
  }
}

extension iovec {
  fileprivate init(piece: UnsafeRawBufferPointer) {
    self.init(iov_base: UnsafeMutableRawPointer(mutating: piece.baseAddress), iov_len: piece.count)
  }
}

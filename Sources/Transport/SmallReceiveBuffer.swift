import NIOCore

/// Receive buffers for very many connections that are mostly idle: each keeps a small one, and borrows
/// larger ones only while its peer sends faster than that.
///
/// NIO keeps the first buffer it gets from here for the life of the channel; a size that is not announced by
/// `nextBufferSize` is used once and let go.
struct SmallReceiveBuffer: RecvByteBufferAllocator {
  static let largest = 64 * 1024
  /// So many small reads in a row end the borrowing. A burst should come in one read, so that what it causes
  /// leaves in one write; and a borrowed buffer costs nothing between reads.
  static let patience: UInt8 = 16

  private let idle: Int
  private var next: Int
  private var smallReads: UInt8 = 0

  init(bytes: Int) {
    idle = max(bytes, 64)
    next = idle
  }

  func nextBufferSize() -> Int? { next == idle ? idle : nil }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: next) }

  mutating func record(actualReadBytes: Int) -> Bool {
    if actualReadBytes >= next {
      next = min(next * 8, max(Self.largest, idle))
      smallReads = 0
    } else if actualReadBytes >= idle {
      smallReads = 0
    } else if next > idle {
      smallReads += 1
      if smallReads == Self.patience { next = idle }
    }
    return next > idle
  }
}

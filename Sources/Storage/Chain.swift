import Crypto
import Engine

/// The chain that ties every entry to all entries before it.
enum Chain {
  /// SHA-256 over the digest before, epoch, index, kind (numbers with the highest byte first) and payload.
  static func digest(
    after previous: ChainDigest, epoch: UInt64, index: UInt64, kind: UInt8, payload: UnsafeRawBufferPointer
  ) -> ChainDigest {
    var head: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt8)
    head = (
      previous.words.0.bigEndian, previous.words.1.bigEndian, previous.words.2.bigEndian,
      previous.words.3.bigEndian, epoch.bigEndian, index.bigEndian, kind
    )
    var hash = SHA256()
    withUnsafeBytes(of: &head) { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<49])) }
    hash.update(bufferPointer: payload)
    return hash.finalize().withUnsafeBytes { ChainDigest(reading: $0) } ?? .zero
  }
}

extension ChainDigest {
  /// Reads 32 bytes in place, nil for any other count.
  init?(reading bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 32 else { return nil }
    func word(_ offset: Int) -> UInt64 {
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    self.init(word(0), word(8), word(16), word(24))
  }

  /// The 32 bytes, without a copy on the heap.
  func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    var stored = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    return try withUnsafeBytes(of: &stored, body)
  }
}

extension LogPosition {
  /// Whether both are the same place of the same history; tokens are the log's own business.
  func isSamePlace(as other: LogPosition) -> Bool {
    index == other.index && epoch == other.epoch && digest == other.digest
  }
}

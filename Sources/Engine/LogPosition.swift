/// A SHA-256 digest as four words, so that positions are plain memory.
package struct ChainDigest: Hashable, Sendable {
  package var words: (UInt64, UInt64, UInt64, UInt64)

  package init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    words = (a, b, c, d)
  }

  /// Reads 32 bytes in order, nil for any other count.
  package init?(bytes: some Sequence<UInt8>) {
    var all: [UInt64] = [0, 0, 0, 0]
    var count = 0
    for byte in bytes {
      guard count < 32 else { return nil }
      all[count / 8] = all[count / 8] << 8 | UInt64(byte)
      count += 1
    }
    guard count == 32 else { return nil }
    words = (all[0], all[1], all[2], all[3])
  }

  /// The 32 bytes, in the order that a hash function gives them.
  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(32)
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        out.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return out
  }

  /// The digest of an empty log.
  package static let zero = ChainDigest(0, 0, 0, 0)

  package static func == (a: ChainDigest, b: ChainDigest) -> Bool { a.words == b.words }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

/// A place in a database's log: everything up to and including entry `index`.
package struct LogPosition: Hashable, Sendable, CustomStringConvertible {
  /// Who wrote the entry: grows when another writer takes the database over.
  package var epoch: UInt64
  /// Dense, from 1; 0 is the place before the first entry.
  package var index: UInt64
  /// The chain digest of the whole prefix.
  package var digest: ChainDigest
  /// The log's own handle of the entry (a row id, a stream sequence); means nothing to others.
  package var token: UInt64

  package init(epoch: UInt64, index: UInt64, digest: ChainDigest, token: UInt64) {
    self.epoch = epoch
    self.index = index
    self.digest = digest
    self.token = token
  }

  /// Before the first entry.
  package static let start = LogPosition(epoch: 0, index: 0, digest: .zero, token: 0)

  package var description: String { "\(epoch):\(index)" }
}

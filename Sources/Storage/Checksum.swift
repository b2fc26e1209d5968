/// A fast 64-bit fingerprint that shows a flipped bit; no protection against somebody who wants to forge
/// one.
struct Checksum {
  private(set) var value: UInt64 = 0x243f_6a88_85a3_08d3

  mutating func combine(_ word: UInt64) {
    let product = (value ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    value = product.high ^ product.low ^ 0x1319_8a2e_0370_7344
  }

  /// Takes the bytes and their number, so that moving the border between two fields shows as well.
  mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(UInt64(bytes.count))
    var offset = 0
    while offset + 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    guard offset < bytes.count else { return }
    var last: UInt64 = 0
    for byte in bytes[offset...].reversed() { last = last << 8 | UInt64(byte) }
    combine(last)
  }
}

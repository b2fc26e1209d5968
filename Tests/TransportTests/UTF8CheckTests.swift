import Testing

@testable import Transport

struct UTF8CheckTests {
  private func isValid(_ bytes: [UInt8]) -> Bool {
    var check = UTF8Check()
    return bytes.withUnsafeBytes { check.accept($0) } && check.isComplete
  }

  private func isValid(byByte bytes: [UInt8]) -> Bool {
    var check = UTF8Check()
    for byte in bytes where !withUnsafeBytes(of: byte, { check.accept($0) }) { return false }
    return check.isComplete
  }

  @Test func `every character is valid and every surrogate is not`() {
    for value in stride(from: UInt32(0), through: 0x10ffff, by: 7) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      #expect(isValid(Array(String(scalar).utf8)))
    }
    #expect(!isValid([0xed, 0xa0, 0x80]))
    #expect(!isValid([0xed, 0xbf, 0xbf]))
    #expect(!isValid([0xf4, 0x90, 0x80, 0x80]))
  }

  @Test func `it agrees with the standard library on random bytes`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = Random(seed: seed)
    let edges: [UInt8] = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0]
    let more: [UInt8] = [0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
    for _ in 0..<20_000 {
      let bytes = (0..<random.below(12)).map { _ in (edges + more)[random.below(edges.count + more.count)] }
      let expected = String(validating: bytes, as: UTF8.self) != nil
      #expect(isValid(bytes) == expected, "\(bytes), seed \(seed)")
      #expect(isValid(byByte: bytes) == expected, "\(bytes), seed \(seed)")
    }
  }

  @Test func `it says no at the first wrong byte`() {
    var check = UTF8Check()
    #expect([0x41, 0xe2].withUnsafeBytes { check.accept(UnsafeRawBufferPointer(rebasing: $0[..<1])) })
    #expect(withUnsafeBytes(of: UInt8(0xe2)) { check.accept($0) })
    #expect(!check.isComplete)
    #expect(!withUnsafeBytes(of: UInt8(0x28)) { check.accept($0) })
  }
}

import FirebaseWire
import Testing

@Suite struct MessageChunksTests {
  private func chunks(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    let ranges = bytes.withUnsafeBytes(MessageChunks.ranges)
    #expect(ranges.first?.lowerBound ?? 0 == 0 && ranges.last?.upperBound ?? 0 == bytes.count)
    return ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  private func check(_ text: String, units: [Int]) {
    let chunks = chunks(text)
    #expect(chunks.map(\.utf16.count) == units)
    #expect(chunks.joined() == text)
  }

  @Test(arguments: ["x", "é", "語"]) func `a text of the most units is one chunk, one more makes two`(
    character: String
  ) {
    let most = String(repeating: character, count: 16_384)
    check(most, units: [16_384])
    check(most + "y", units: [16_384, 1])
    check(most + most, units: [16_384, 16_384])
    check(most + most + character, units: [16_384, 16_384, 1])
  }

  @Test func `a pair of surrogates at the cut stays whole`() {
    let almost = String(repeating: "x", count: 16_383)
    check(almost + "😀", units: [16_383, 2])
    check(almost + "😀" + almost, units: [16_383, 16_384, 1])
    check(String(repeating: "😀", count: 8_192), units: [16_384])
    check("x" + String(repeating: "😀", count: 8_192), units: [16_383, 2])
    check(String(repeating: "😀", count: 8_193), units: [16_384, 2])
  }

  @Test func `characters of every length at the cut stay whole`() {
    for shift in 0..<8 {
      for character in ["é", "語", "😀"] {
        let text = String(repeating: "x", count: 16_380 + shift) + String(repeating: character, count: 20_000)
        let chunks = chunks(text)
        #expect(chunks.joined() == text)
        #expect(chunks.allSatisfy { $0.utf16.count <= 16_384 && !$0.contains("\u{FFFD}") })
        #expect(chunks.dropLast().allSatisfy { $0.utf16.count >= 16_383 })
      }
    }
  }

  @Test func `a short text is one chunk, and so is none`() {
    check("{}", units: [2])
    check("", units: [0])
  }
}

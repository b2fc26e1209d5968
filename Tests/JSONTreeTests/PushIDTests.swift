import JSONTree
import TestSupport
import Testing

@Suite struct PushIDTests {
  /// Gives the same number for ever.
  private struct Constant: RandomNumberGenerator {
    let value: UInt64
    mutating func next() -> UInt64 { value }
  }

  @Test func `the time comes first`() {
    var ids = PushIDGenerator()
    var random = Constant(value: 0)
    let id = ids.next(nowMilliseconds: 1_700_000_000_000, using: &random)
    #expect(id.text == "-NjEtLV-------------")
  }

  @Test func `within one millisecond each id is the last plus one, with carry`() {
    var ids = PushIDGenerator()
    var random = Constant(value: .max)
    let first = ids.next(nowMilliseconds: 1_700_000_000_000, using: &random)
    #expect(first.text == "-NjEtLV-zzzzzzzzzzzz")
    // All random digits are at their last: the time takes the carry.
    #expect(ids.next(nowMilliseconds: 1_700_000_000_000, using: &random).text == "-NjEtLV0------------")
    for _ in 0..<63 { _ = ids.next(nowMilliseconds: 1_700_000_000_000, using: &random) }
    #expect(ids.next(nowMilliseconds: 1_700_000_000_000, using: &random).text == "-NjEtLV0----------0-")
  }

  @Test func `ids ascend, whatever the clock does`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    var ids = PushIDGenerator()
    var last = ids.next(nowMilliseconds: 1_700_000_000_000, using: &random)
    for i in 0..<5_000 {
      let now = 1_700_000_000_000 + Int64(i / 10) - Int64.random(in: 0...3, using: &random)
      let id = ids.next(nowMilliseconds: now, using: &random)
      #expect(last < id, "seed \(seed)")
      #expect(id.utf8Count == 20)
      #expect(throws: Never.self) { try ChildKey(id.text) }
      last = id
    }
  }
}

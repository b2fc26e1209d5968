/// Makes keys that sort by the time they were made: 8 characters of time, 12 of chance.
///
/// Ids of one generator ascend strictly, also within one millisecond and when the clock is set back.
package struct PushIDGenerator: Sendable {
  /// The milliseconds of the last id.
  private var time: Int64 = -1
  /// The last id's random digits, base 64, most significant first.
  private var random: [UInt8] = Array(repeating: 0, count: 12)

  private static let alphabet: StaticString =
    "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

  /// A generator that has made no id yet.
  package init() {}

  /// The next id: the last one plus one if no time has passed since.
  package mutating func next(
    nowMilliseconds: Int64, using generator: inout some RandomNumberGenerator
  ) -> ChildKey {
    if nowMilliseconds > time {
      time = nowMilliseconds
      for i in random.indices { random[i] = UInt8.random(in: 0..<64, using: &generator) }
    } else {
      increment()
    }
    return withUnsafeTemporaryAllocation(byteCount: 20, alignment: 8) { id in
      for i in 0..<8 { id[i] = PushIDGenerator.digit(UInt8(time >> (42 - 6 * Int64(i)) & 63)) }
      for i in 0..<12 { id[8 + i] = PushIDGenerator.digit(random[i]) }
      return ChildKey(trusted: UnsafeRawBufferPointer(id))
    }
  }

  /// Adds one to the random digits; past the last of them to the time.
  private mutating func increment() {
    for i in random.indices.reversed() {
      if random[i] < 63 {
        random[i] += 1
        return
      }
      random[i] = 0
    }
    time += 1
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    alphabet.utf8Start[Int(value)]
  }
}

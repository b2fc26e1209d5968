/// Numbers as JSON writes them.
enum NumberText {
  /// The most digits and signs of an integer.
  static let integerCapacity = 20

  /// Calls `body` with the decimal digits.
  @inline(__always)
  static func withDigits<R>(_ value: Int64, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeTemporaryAllocation(byteCount: integerCapacity, alignment: 1) { space in
      let count = write(value, to: space.baseAddress.unsafelyUnwrapped)
      return try body(UnsafeRawBufferPointer(rebasing: space[..<count]))
    }
  }

  /// Writes the decimal digits to memory that has room for `integerCapacity` bytes, and returns how many.
  static func write(_ value: Int64, to out: UnsafeMutableRawPointer) -> Int {
    var magnitude = value.magnitude
    var count = value < 0 ? 2 : 1
    var limit: UInt64 = 10
    while magnitude >= limit {
      count &+= 1
      let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
      if overflow { break }
      limit = next
    }
    var i = count
    repeat {
      i &-= 1
      let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
      out.storeBytes(of: UInt8(truncatingIfNeeded: digit) &+ 0x30, toByteOffset: i, as: UInt8.self)
      magnitude = quotient
    } while magnitude != 0
    if value < 0 { out.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self) }
    return count
  }

  /// Calls `body` with the shortest text that reads back as the same double.
  static func withText<R>(_ value: Double, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    var text = value.description
    return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
  }
}

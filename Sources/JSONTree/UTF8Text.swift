/// Checking and cutting UTF-8.
enum UTF8Text {
  /// The length of the character that starts at `i`, or nil when the bytes are not UTF-8.
  ///
  /// Refuses overlong forms, surrogates and everything past U+10FFFF.
  @inline(__always)
  static func characterLength(_ bytes: UnsafeRawBufferPointer, at i: Int) -> Int? {
    let lead = bytes[i]
    if lead < 0x80 { return 1 }
    let left = bytes.count &- i
    if lead < 0xE0 {
      guard lead >= 0xC2, left >= 2, isContinuation(bytes[i &+ 1]) else { return nil }
      return 2
    }
    if lead < 0xF0 {
      guard left >= 3, isContinuation(bytes[i &+ 1]), isContinuation(bytes[i &+ 2]) else { return nil }
      if lead == 0xE0, bytes[i &+ 1] < 0xA0 { return nil }
      if lead == 0xED, bytes[i &+ 1] > 0x9F { return nil }
      return 3
    }
    guard lead <= 0xF4, left >= 4, isContinuation(bytes[i &+ 1]), isContinuation(bytes[i &+ 2]),
      isContinuation(bytes[i &+ 3])
    else { return nil }
    if lead == 0xF0, bytes[i &+ 1] < 0x90 { return nil }
    if lead == 0xF4, bytes[i &+ 1] > 0x8F { return nil }
    return 4
  }

  @inline(__always)
  private static func isContinuation(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
  }

  /// Appends a Unicode scalar value as UTF-8.
  static func append(_ scalar: UInt32, to out: inout ContiguousArray<UInt8>) {
    if scalar < 0x80 {
      out.append(UInt8(truncatingIfNeeded: scalar))
      return
    }
    if scalar < 0x800 {
      out.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
    } else {
      if scalar < 0x10000 {
        out.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
      } else {
        out.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
        out.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12) & 0x3F)
      }
      out.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6) & 0x3F)
    }
    out.append(0x80 | UInt8(truncatingIfNeeded: scalar) & 0x3F)
  }
}

/// Checks UTF-8 that comes in pieces, and says no at the first byte that cannot be part of any valid text.
struct UTF8Check {
  // How many bytes the current character still needs, and what the next one may be.
  private var missing: UInt8 = 0
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xbf

  /// Whether the text may end here: not inside a character.
  var isComplete: Bool { missing == 0 }

  /// Takes the next piece; false once the text is invalid.
  mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at < bytes.count {
      if missing == 0 {
        at = Self.skipASCII(bytes, from: at)
        if at == bytes.count { break }
      }
      guard accept(bytes[at]) else { return false }
      at += 1
    }
    return true
  }

  private static func skipASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var at = start
    while at + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      if word & 0x8080_8080_8080_8080 != 0 { break }
      at += 8
    }
    while at < bytes.count, bytes[at] < 0x80 { at += 1 }
    return at
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    if missing > 0 {
      guard byte >= lowest, byte <= highest else { return false }
      missing -= 1
      (lowest, highest) = (0x80, 0xbf)
      return true
    }
    switch byte {
    case 0..<0x80: break
    case 0xc2...0xdf: missing = 1
    case 0xe0: (missing, lowest) = (2, 0xa0)  // shorter forms exist
    case 0xed: (missing, highest) = (2, 0x9f)  // surrogates
    case 0xe1...0xef: missing = 2
    case 0xf0: (missing, lowest) = (3, 0x90)
    case 0xf1...0xf3: missing = 3
    case 0xf4: (missing, highest) = (3, 0x8f)  // past U+10FFFF
    default: return false
    }
    return true
  }
}

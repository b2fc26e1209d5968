/// The head of a client's frame:
///
///     F R R R opcode | M length | length, 2 or 8 bytes if 126 or 127 | mask, 4 bytes
///
/// A length must stand in as few bytes as it needs.
struct FrameHead: Equatable {
  var opcode: WebSocketFraming.Opcode
  var isFinal: Bool
  var length: Int
  /// The four bytes in memory order.
  var mask: UInt32

  static let longest = 14

  enum Parsed: Equatable {
    case head(FrameHead, bytes: Int)
    /// The head has so many bytes, at least.
    case needs(bytes: Int)
    case violation(code: UInt16)
  }

  /// Reads a head from the front, and refuses it as soon as it cannot become a lawful one.
  static func parse(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Parsed {
    guard bytes.count >= 2 else { return .needs(bytes: 2) }
    let (first, second) = (bytes[0], bytes[1])
    guard first & 0x70 == 0, let opcode = WebSocketFraming.Opcode(rawValue: first & 0x0f), second & 0x80 != 0
    else { return .violation(code: CloseCode.protocolError) }
    let isFinal = first & 0x80 != 0
    var length = Int(second & 0x7f)
    if opcode.isControl, !isFinal || length > 125 { return .violation(code: CloseCode.protocolError) }
    var at = 2
    if length == 126 {
      guard bytes.count >= 4 else { return .needs(bytes: 8) }
      length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      guard length > 125 else { return .violation(code: CloseCode.protocolError) }
      at = 4
    } else if length == 127 {
      guard bytes.count >= 10 else { return .needs(bytes: 14) }
      let long = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      guard long > 0xffff, long <= UInt64(Int64.max) else {
        return .violation(code: CloseCode.protocolError)
      }
      length = Int(long)
      at = 10
    }
    guard length <= limit else { return .violation(code: CloseCode.messageTooBig) }
    guard bytes.count >= at + 4 else { return .needs(bytes: at + 4) }
    let mask = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
    return .head(FrameHead(opcode: opcode, isFinal: isFinal, length: length, mask: mask), bytes: at + 4)
  }

  /// Copies `source` unmasked to `target`, which has the same size; `mask` starts at its first byte.
  static func unmask(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, mask: UInt32
  ) {
    let wide = UInt64(mask) | UInt64(mask) << 32
    var at = 0
    while at + 8 <= source.count {
      let word = source.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      target.storeBytes(of: word ^ wide, toByteOffset: at, as: UInt64.self)
      at += 8
    }
    withUnsafeBytes(of: wide) { key in
      for rest in at..<source.count { target[rest] = source[rest] ^ key[rest - at] }
    }
  }

  /// The mask for what follows `count` bytes that were unmasked with it.
  static func rotate(_ mask: UInt32, by count: Int) -> UInt32 {
    // In memory order: the byte after the last used one comes to the front.
    let bits = UInt32(truncatingIfNeeded: count & 3) * 8
    guard bits > 0 else { return mask }
    return UInt32(littleEndian: mask.littleEndian >> bits | mask.littleEndian << (32 - bits))
  }
}

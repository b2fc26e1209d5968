import NIOCore

/// How a client of revision 3 writes what is not ASCII into the bodies of its requests.
///
/// Engine.IO's own clients before 2.0, which all of Wilddog's SDKs for browsers have in them, encode a packet
/// in UTF-8 and then send the bytes as if each were a character: 汉, E6 B1 89, goes out as U+E6 U+B1 U+89.
/// Later ones encode once, and nothing in a request says which is which. A text that can be decoded twice is
/// hardly ever meant to be read as it stands, so the first text that is not ASCII decides for the session.
enum TextEncoding {
  case unknown, once, twice

  /// The text that is meant.
  mutating func decode(_ text: ByteBuffer) -> ByteBuffer {
    guard self != .once, text.readableBytesView.contains(where: { $0 >= 0x80 }) else { return text }
    guard let inner = Self.inner(text) else {
      if self == .unknown { self = .once }
      return text
    }
    self = .twice
    return inner
  }

  /// The bytes that the characters of a text stand for, if these are text again.
  private static func inner(_ text: ByteBuffer) -> ByteBuffer? {
    var inner: [UInt8] = []
    inner.reserveCapacity(text.readableBytes)
    var lead: UInt8?
    for byte in text.readableBytesView {
      if let first = lead {
        // Up to U+00FF there are two bytes, the first of which is C2 or C3.
        guard byte & 0xC0 == 0x80 else { return nil }
        inner.append(first << 6 | byte & 0x3F)
        lead = nil
      } else if byte < 0x80 {
        inner.append(byte)
      } else {
        guard byte == 0xC2 || byte == 0xC3 else { return nil }
        lead = byte
      }
    }
    guard lead == nil, String(validating: inner, as: UTF8.self) != nil else { return nil }
    return ByteBuffer(bytes: inner)
  }
}

import CLinux

/// How messages are cut out of a byte stream, and wrapped into one.
enum Framing {
  typealias Cut = (total: Int, payload: Range<Int>)

  /// A client's text frame; the mask is zero, so that payload bytes stay as they are.
  static func webSocket(_ text: String) -> [UInt8] {
    let payload = Array(text.utf8)
    var frame: [UInt8] = [0x81]
    if payload.count < 126 {
      frame.append(0x80 | UInt8(payload.count))
    } else {
      frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    }
    return frame + [0, 0, 0, 0] + payload
  }

  /// A server's frame. Control frames come out with an empty payload.
  @inline(__always)
  static func cutWebSocket(_ bytes: UnsafeRawBufferPointer) -> Cut? {
    guard bytes.count >= 2 else { return nil }
    var head = 2
    var length = Int(bytes[1] & 127)
    if length == 126 {
      guard bytes.count >= 4 else { return nil }
      length = Int(bytes[2]) << 8 | Int(bytes[3])
      head = 4
    } else if length == 127 {
      guard bytes.count >= 10 else { return nil }
      length = bytes[2..<10].reduce(0) { $0 << 8 | Int($1) }
      head = 10
    }
    guard bytes.count - head >= length else { return nil }
    let isControl = bytes[0] & 8 != 0
    return (head + length, isControl ? head..<head : head..<head + length)
  }

  /// A response with a content-length, or the head alone of one without.
  static func cutHTTP(_ bytes: UnsafeRawBufferPointer) -> Cut? {
    guard let end = find("\r\n\r\n", in: bytes) else { return nil }
    var length = 0
    let head = UnsafeRawBufferPointer(rebasing: bytes[..<end])
    if let name = find("ontent-length: ", in: head) ?? find("ontent-Length: ", in: head) {
      var at = name + 15
      while at < end, bytes[at] >= 48, bytes[at] <= 57 {
        length = length * 10 + Int(bytes[at] - 48)
        at += 1
      }
    }
    let total = end + 4 + length
    return total <= bytes.count ? (total, 0..<total) : nil
  }

  /// A Redis reply of one line.
  static func cutLine(_ bytes: UnsafeRawBufferPointer) -> Cut? {
    guard let end = find("\r\n", in: bytes) else { return nil }
    return (end + 2, 0..<end)
  }

  static func find(_ needle: StaticString, in bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress else { return nil }
    return find_bytes(start, bytes.count, needle.utf8Start, needle.utf8CodeUnitCount).map { $0 - start }
  }
}

import NIOCore

/// What a client makes of the bytes a server sends: unmasked text frames, put together by their counts.
enum ServerFrames {
  /// The text of each frame.
  static func payloads(_ bytes: ByteBuffer) -> [String] {
    var bytes = bytes
    var payloads: [String] = []
    while let head = bytes.readInteger(as: UInt8.self), let length = bytes.readInteger(as: UInt8.self) {
      guard head == 0x81, length & 0x80 == 0 else { return payloads + ["not a whole text frame"] }
      let count: Int? =
        switch length {
        case 126: bytes.readInteger(as: UInt16.self).map(Int.init)
        case 127: bytes.readInteger(as: UInt64.self).map { Int($0) }
        default: Int(length)
        }
      guard let count, let text = bytes.readString(length: count) else {
        return payloads + ["a frame is cut off"]
      }
      if text == "0" || text.isEmpty { return payloads + ["a frame that clients would misread"] }
      payloads.append(text)
    }
    return payloads
  }

  /// The messages.
  static func texts(_ bytes: ByteBuffer) -> [String] {
    var texts: [String] = []
    var missing = 0
    for payload in payloads(bytes) {
      if missing > 0 {
        texts[texts.count - 1] += payload
        missing -= 1
      } else if payload.utf8.count <= 4, let count = Int(payload), count > 0 {
        missing = count
        texts.append("")
      } else {
        texts.append(payload)
      }
    }
    return missing == 0 ? texts : texts + ["\(missing) chunks are missing"]
  }
}

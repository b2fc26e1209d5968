import NIOCore

/// How polls carry packets: several in one body.
///
///     revision 4           4hello ␞ 2 ␞ 4world
///     revision 3           6:4hello1:26:4world      lengths in UTF-16 code units
///                          (what they count may be encoded twice: `TextEncoding`)
///     revision 3, binary   00 06 FF 4hello …        a 0 for text or 1, digits of the length in bytes, 255
enum EnginePayload {
  /// What stands between packets of revision 4, and here behind every packet that waits for a poll.
  static let separator: UInt8 = 0x1E

  // MARK: What clients send

  /// Takes the body of a client's request apart.
  static func frames(
    _ body: ByteBuffer, revision: Revision, isBinary: Bool, mostPackets: Int, encoding: inout TextEncoding
  ) throws(EngineFault) -> [EngineFrame] {
    var rest = body
    var frames: [EngineFrame] = []
    if rest.readableBytes == 0 { throw .protocolError(EngineIOText.emptyPayload) }
    if revision == .four {
      if isBinary { throw .protocolError(EngineIOText.unexpectedBinary) }
      // A separator at the end means that an empty packet follows.
      var isLast = false
      while !isLast {
        let count = rest.readableBytesView.firstIndex(of: separator).map { $0 - rest.readerIndex }
        isLast = count == nil
        frames.append(EngineFrame(rest.readSlice(length: count ?? rest.readableBytes) ?? ByteBuffer()))
        rest.moveReaderIndex(forwardBy: isLast ? 0 : 1)
        if frames.count > mostPackets { throw .protocolError(EngineIOText.tooManyPackets) }
      }
      return frames
    }
    while rest.readableBytes > 0 {
      frames.append(try isBinary ? binaryFrame(&rest) : textFrame(&rest, &encoding))
      if frames.count > mostPackets { throw .protocolError(EngineIOText.tooManyPackets) }
    }
    return frames
  }

  private static let mostDigits = 9

  private static func textFrame(
    _ rest: inout ByteBuffer, _ encoding: inout TextEncoding
  ) throws(EngineFault) -> EngineFrame {
    var length = 0
    var digits = 0
    while let byte = rest.readInteger(as: UInt8.self) {
      if byte == UInt8(ascii: ":"), digits > 0 {
        guard let count = bytes(of: length, in: rest), let text = rest.readSlice(length: count) else { break }
        return EngineFrame(encoding.decode(text))
      }
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits < mostDigits else { break }
      length = length * 10 + Int(byte - UInt8(ascii: "0"))
      digits += 1
    }
    throw .protocolError(EngineIOText.invalidLength)
  }

  /// How many bytes a text of so many UTF-16 code units has; nil if there is no such text.
  private static func bytes(of units: Int, in text: ByteBuffer) -> Int? {
    text.withUnsafeReadableBytes { bytes in
      var left = units
      var end = 0
      while end < bytes.count {
        let isInside = bytes[end] & 0xC0 == 0x80
        if left == 0, !isInside { break }
        if !isInside { left -= bytes[end] >= 0xF0 ? 2 : 1 }
        if left < 0 { return nil }
        end += 1
      }
      return left == 0 ? end : nil
    }
  }

  private static func binaryFrame(_ rest: inout ByteBuffer) throws(EngineFault) -> EngineFrame {
    if let kind = rest.readInteger(as: UInt8.self), kind < 2 {
      var length = 0
      var digits = 0
      while let byte = rest.readInteger(as: UInt8.self) {
        if byte == 255, digits > 0 {
          guard let bytes = rest.readSlice(length: length) else { break }
          return EngineFrame(bytes, isText: kind == 0)
        }
        guard byte < 10, digits < mostDigits else { break }
        length = length * 10 + Int(byte)
        digits += 1
      }
    }
    throw .protocolError(EngineIOText.invalidLength)
  }

  // MARK: What the server sends

  /// Takes packets, each with a separator behind it, and makes the body of an answer of them.
  static func takeBody(
    from waiting: inout ByteBuffer, revision: Revision, mostPackets: Int
  ) -> ByteBuffer {
    var body = ByteBuffer()
    var packets = 0
    var taken = 0
    waiting.withUnsafeReadableBytes { bytes in
      while packets < mostPackets, taken < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        let count = rest.firstIndex(of: separator) ?? rest.count
        let packet = UnsafeRawBufferPointer(rebasing: rest[..<count])
        taken = min(taken + count + 1, bytes.count)
        packets += 1
        if revision == .three {
          appendMeasured(packet, to: &body)
        } else {
          if packets > 1 { body.writeInteger(separator) }
          body.writeBytes(packet)
        }
      }
    }
    waiting.moveReaderIndex(forwardBy: taken)
    return body
  }

  /// The longest body of revision 3 that is sent as text where bytes are read as well.
  static let longestTextBytes = 64 * 1024

  /// A body of revision 3 in its binary form: the same packets, which are all ASCII; nil if it is none.
  static func binaryBody(of text: ByteBuffer) -> ByteBuffer? {
    var rest = text
    var body = ByteBuffer()
    body.reserveCapacity(text.readableBytes)
    while rest.readableBytes > 0 {
      guard let colon = rest.readableBytesView.firstIndex(of: UInt8(ascii: ":")),
        let digits = rest.readString(length: colon - rest.readerIndex), let length = Int(digits),
        rest.readInteger(as: UInt8.self) != nil, let packet = rest.readSlice(length: length)
      else { return nil }
      body.writeInteger(0 as UInt8)
      body.writeBytes(digits.utf8.map { $0 - UInt8(ascii: "0") })
      body.writeInteger(255 as UInt8)
      body.writeImmutableBuffer(packet)
    }
    return body
  }

  /// Calls `body` with each packet of those that wait.
  static func forEach(in waiting: ByteBuffer, _ body: (UnsafeRawBufferPointer) -> Void) {
    waiting.withUnsafeReadableBytes { bytes in
      var start = 0
      while start < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        let count = rest.firstIndex(of: separator) ?? rest.count
        body(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        start += count + 1
      }
    }
  }

  /// Appends a packet with its length before it. Clients count differently what is not ASCII, so that is
  /// written with escapes, which the JSON texts in packets allow.
  private static func appendMeasured(_ packet: UnsafeRawBufferPointer, to body: inout ByteBuffer) {
    if packet.allSatisfy({ $0 < 0x80 }) {
      body.writeString("\(packet.count):")
      body.writeBytes(packet)
      return
    }
    var text: [UInt8] = []
    text.reserveCapacity(packet.count * 2)
    for unit in String(decoding: packet, as: UTF8.self).utf16 {
      if unit < 0x80 { text.append(UInt8(unit)) } else { appendEscape(unit, to: &text) }
    }
    body.writeString("\(text.count):")
    body.writeBytes(text)
  }

  private static func appendEscape(_ unit: UInt16, to text: inout [UInt8]) {
    let digits: StaticString = "0123456789abcdef"
    text.append(UInt8(ascii: "\\"))
    text.append(UInt8(ascii: "u"))
    for shift in stride(from: UInt16(12), through: 0, by: -4) {
      text.append(digits.utf8Start[Int(unit >> shift & 15)])
    }
  }
}

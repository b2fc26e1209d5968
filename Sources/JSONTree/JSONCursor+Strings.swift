extension JSONCursor {
  /// Scans a string whose opening quote has been read, and returns where its bytes stand.
  ///
  /// Returns nil if it holds an escape: then nothing has been read of it.
  mutating func scanString() throws(JSONSyntaxError) -> Range<Int>? {
    let start = position
    var i = start
    while true {
      i = JSONCursor.endOfPlainText(bytes, from: i)
      guard i < bytes.count else {
        position = i
        throw fault(.unexpectedEnd)
      }
      let byte = bytes[i]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") { return nil }
      guard byte >= 0x20 else {
        position = i
        throw fault(.controlCharacter)
      }
      guard let length = UTF8Text.characterLength(bytes, at: i) else {
        position = i
        throw fault(.invalidUTF8)
      }
      i &+= length
    }
    guard i - start <= limits.stringBytes else { throw fault(.stringTooLong) }
    position = i + 1
    return start..<i
  }

  /// The first byte from `start` on that is a quote, a backslash, a control or not ASCII; or the end.
  @inline(__always)
  static func endOfPlainText(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var i = start
    while i &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5C)
      // A borrow can only mark bytes above one that is truly marked, so the lowest mark is right.
      let marks =
        ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) | word)
        & tops
      if marks != 0 { return i &+ marks.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < bytes.count {
      let byte = bytes[i]
      if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { return i }
      i &+= 1
    }
    return i
  }

  /// The first byte from `start` on that is not ASCII or cannot stand in a key as it is; or the end.
  @inline(__always)
  static func endOfPlainKey(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var i = start
    while i &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
      // Adding to seven bits never carries into the next byte, so a sum's top bit says "not below".
      let low = word & ~tops
      let quotes = (low &+ ones &* (0x80 - 0x22)) & ~(low &+ ones &* (0x80 - 0x25))
      let dots = (low &+ ones &* (0x80 - 0x2E)) & ~(low &+ ones &* (0x80 - 0x30))
      let brackets = (low &+ ones &* (0x80 - 0x5B)) & ~(low &+ ones &* (0x80 - 0x5E))
      let controls = ~(low &+ ones &* (0x80 - 0x20)) | (low &+ ones)
      let marks = (quotes | dots | brackets | controls | word) & tops
      if marks != 0 { return i &+ marks.trailingZeroBitCount &>> 3 }
      i &+= 8
    }
    while i < bytes.count, bytes[i] < 0x80, bytes[i] != 0x22, bytes[i] != 0x5C,
      !ChildKey.isForbidden(bytes[i])
    {
      i &+= 1
    }
    return i
  }

  /// Appends a string whose opening quote has been read to `out`, without its escapes.
  mutating func unescapeString(to out: inout ContiguousArray<UInt8>) throws(JSONSyntaxError) {
    let mark = out.count
    while true {
      let end = JSONCursor.endOfPlainText(bytes, from: position)
      out.append(contentsOf: bytes[position..<end])
      position = end
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      guard out.count - mark <= limits.stringBytes else { throw fault(.stringTooLong) }
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        position += 1
        try unescapeCharacter(to: &out)
      case 0..<0x20:
        throw fault(.controlCharacter)
      default:
        guard let length = UTF8Text.characterLength(bytes, at: position) else { throw fault(.invalidUTF8) }
        out.append(contentsOf: bytes[position..<position + length])
        position += length
      }
    }
  }

  /// Appends the character of an escape whose backslash has been read.
  private mutating func unescapeCharacter(
    to out: inout ContiguousArray<UInt8>
  ) throws(JSONSyntaxError) {
    guard position < bytes.count else { throw fault(.unexpectedEnd) }
    let byte = bytes[position]
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      position += 1
      UTF8Text.append(try escapedScalar(), to: &out)
      return
    default: throw fault(.invalidEscape)
    }
    position += 1
  }

  /// The scalar of four hex digits, or of two such escapes that are a pair of surrogates.
  private mutating func escapedScalar() throws(JSONSyntaxError) -> UInt32 {
    let start = position
    let unit = try escapedUnit()
    if unit & 0xF800 != 0xD800 { return unit }
    let hasNext = position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
    guard unit < 0xDC00, hasNext, bytes[position + 1] == UInt8(ascii: "u") else {
      throw JSONSyntaxError(.loneSurrogate, offset: start)
    }
    position += 2
    let low = try escapedUnit()
    guard low & 0xFC00 == 0xDC00 else { throw JSONSyntaxError(.loneSurrogate, offset: start) }
    return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
  }

  private mutating func escapedUnit() throws(JSONSyntaxError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw fault(.unexpectedEnd) }
      let byte = bytes[position]
      switch byte {
      case 0x30...0x39: unit = unit << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: unit = unit << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: unit = unit << 4 | UInt32(byte - 0x57)
      default: throw fault(.invalidEscape)
      }
      position += 1
    }
    return unit
  }
}

/// How a text is cut into frames: clients take at most 16,384 UTF-16 code units in one.
///
/// A longer text is announced by a frame with the number of chunks, which then follow. No chunk ends inside a
/// character.
package enum MessageChunks {
  /// The most UTF-16 code units that one frame may hold.
  package static let unitsPerFrame = 16_384
  /// The most chunks that every client's count of four digits can announce.
  package static let mostChunks = 9_999

  /// The byte ranges of the chunks of a UTF-8 text; one if it needs no cutting.
  package static func ranges(_ text: UnsafeRawBufferPointer) -> [Range<Int>] {
    if text.count <= unitsPerFrame { return [0..<text.count] }
    var ranges: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let end = endOfChunk(text, from: start)
      ranges.append(start..<end)
      start = end
    }
    return ranges
  }

  /// Where the chunk that begins at `start` has to end.
  private static func endOfChunk(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
    var left = unitsPerFrame
    var end = start
    while left > 0, end < text.count {
      // A text has no more code units than bytes: that many fit, but for a pair that begins in the last.
      let next = min(text.count, end + left)
      left -= unitCount(text, end..<next)
      end = next
    }
    if left < 0 {
      repeat { end -= 1 } while isInsideCharacter(text[end])
    } else {
      while end < text.count, isInsideCharacter(text[end]) { end += 1 }
    }
    return end
  }

  /// How many UTF-16 code units the characters have that begin in a range.
  private static func unitCount(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
    var units = 0
    for byte in UnsafeRawBufferPointer(rebasing: text[range]) {
      units &+= (byte & 0xC0 == 0x80 ? 0 : 1) &+ (byte >= 0xF0 ? 1 : 0)
    }
    return units
  }

  private static func isInsideCharacter(_ byte: UInt8) -> Bool {
    byte & 0xC0 == 0x80
  }
}

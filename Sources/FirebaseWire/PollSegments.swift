import NIOCore

/// Puts a client's messages together from the pieces that polls bring.
///
/// Pieces may come in any order and more than once, since requests overtake each other and browsers repeat
/// them. Memory is bounded: of a message that is too long only its request's number is kept.
struct PollSegments {
  /// Why the pieces can't be those of one client that keeps to the protocol.
  enum Violation: Error, Equatable {
    /// A piece says something else about its message than the piece before.
    case inconsistent
    /// A piece is too far ahead, or too much waits for one that is missing.
    case tooFarAhead
    /// The text is not base 64, or what it holds is not UTF-8.
    case unreadable
  }

  private let messageBytes: Int
  private let limits: PollLimits
  /// The place of the piece that must come next.
  private var next: Int64 = 0
  /// Pieces that have come before their turn.
  private var early: [Int64: PollSegment] = [:]
  private var earlyBytes = 0
  private var unfinished: Unfinished?

  /// A message of which some pieces are still to come.
  private struct Unfinished {
    let total: Int64
    var missing: Int64
    var decoder = AddressBase64()
    var text = ByteBuffer()
    /// What is left of a message that is too long.
    var oversized: RequestNumberScanner?
  }

  init(messageBytes: Int, limits: PollLimits) {
    self.messageBytes = messageBytes
    self.limits = limits
  }

  /// Takes a piece, and returns the messages that it completes.
  mutating func receive(_ segment: PollSegment) throws(Violation) -> [FrameAssembler.Step] {
    guard segment.place >= next, early[segment.place] == nil else { return [] }
    guard segment.place == next else {
      guard segment.place - next <= limits.segmentsAhead,
        earlyBytes + segment.text.utf8.count <= limits.segmentsAheadBytes
      else { throw .tooFarAhead }
      earlyBytes += segment.text.utf8.count
      early[segment.place] = segment
      return []
    }
    var messages: [FrameAssembler.Step] = []
    var current: PollSegment? = segment
    while let segment = current {
      if let message = try add(segment) { messages.append(message) }
      next += 1
      current = early.removeValue(forKey: next)
      earlyBytes -= current?.text.utf8.count ?? 0
    }
    return messages
  }

  private mutating func add(_ segment: PollSegment) throws(Violation) -> FrameAssembler.Step? {
    var message = unfinished ?? Unfinished(total: segment.total, missing: segment.total)
    unfinished = nil
    guard message.total == segment.total else { throw .inconsistent }
    message.missing -= 1
    guard message.decoder.append(segment.text, to: &message.text) else { throw .unreadable }
    if message.oversized != nil {
      message.oversized?.scan(message.text.readableBytesView)
      message.text.clear()
    } else if message.text.readableBytes > messageBytes {
      var scanner = RequestNumberScanner()
      scanner.scan(message.text.readableBytesView)
      message.oversized = scanner
      message.text = ByteBuffer()
    }
    guard message.missing == 0 else {
      unfinished = message
      return nil
    }
    guard message.decoder.isComplete else { throw .unreadable }
    if let scanner = message.oversized { return .oversized(number: scanner.number) }
    guard String(validating: message.text.readableBytesView, as: UTF8.self) != nil else { throw .unreadable }
    return .message(message.text)
  }
}

/// Reads base 64 in the alphabet for addresses, in pieces of any length; padding is dots or equals signs.
struct AddressBase64 {
  private var bits: UInt32 = 0
  private var bitCount: UInt32 = 0
  private var padding = 0
  private var count = 0

  /// True if the text may end here.
  var isComplete: Bool { padding == 0 ? bitCount < 6 : (count + padding) % 4 == 0 }

  /// Decodes the next piece; false if it can't be read.
  mutating func append(_ text: String, to bytes: inout ByteBuffer) -> Bool {
    for letter in text.utf8 {
      guard let value = Self.value(letter) else {
        guard letter == UInt8(ascii: ".") || letter == UInt8(ascii: "="), padding < 2, bitCount > 0 else {
          return false
        }
        padding += 1
        continue
      }
      guard padding == 0 else { return false }
      count = (count + 1) & 3
      bits = bits << 6 | UInt32(value)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.writeInteger(UInt8(truncatingIfNeeded: bits >> bitCount))
      }
    }
    return true
  }

  private static func value(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"), UInt8(ascii: "+"): 62
    case UInt8(ascii: "_"), UInt8(ascii: "/"): 63
    default: nil
    }
  }
}

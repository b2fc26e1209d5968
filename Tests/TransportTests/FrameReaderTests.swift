import NIOCore
import TestSupport
import Testing

@testable import Transport

struct FrameReaderTests {
  private static let limits = FrameReader.Limits(frameBytes: 1 << 21, messageBytes: 1 << 21)

  /// Everything that the reader makes of the pieces.
  private func events(_ pieces: [[UInt8]], limits: FrameReader.Limits = limits) -> [FrameReader.Event] {
    var reader = FrameReader()
    var scratch = ByteBuffer()
    var events: [FrameReader.Event] = []
    for piece in pieces {
      var input = ByteBuffer(bytes: piece)
      while let event = reader.next(from: &input, scratch: &scratch, limits: limits) {
        events.append(event)
        if case .violation = event { return events }
      }
      #expect(input.readableBytes == 0)
    }
    return events
  }

  private func payload(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(0x20 + $0 % 90) } }

  @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 1 << 20])
  func `a frame of any size class comes back as it was sent`(count: Int) {
    let payload = payload(count)
    let bytes = WireFrame(opcode: 1, payload: payload).bytes()
    let expected = [FrameReader.Event.message(ByteBuffer(bytes: payload), isText: true)]
    #expect(events([bytes]) == expected)
    #expect(events([Array(bytes[..<1]), Array(bytes[1...])]) == expected)
    #expect(events([Array(bytes.dropLast(5)), Array(bytes.suffix(5))]) == expected)
  }

  @Test func `frames cut at every place mean the same`() {
    var bytes = WireFrame(opcode: 1, payload: Array("grüße".utf8), isFinal: false).bytes()
    bytes += WireFrame(opcode: 9, payload: [1, 2, 3]).bytes()
    bytes += WireFrame(opcode: 0, payload: [], isFinal: false).bytes()
    bytes += WireFrame(opcode: 10, payload: []).bytes()
    bytes += WireFrame(opcode: 0, payload: Array("🐺".utf8)).bytes(mask: [9, 8, 7, 6])
    bytes += WireFrame(opcode: 2, payload: payload(300)).bytes()
    bytes += WireFrame.close(1000, "bye").bytes()
    let expected: [FrameReader.Event] = [
      .ping(ByteBuffer(bytes: [1, 2, 3])), .pong,
      .message(ByteBuffer(string: "grüße🐺"), isText: true),
      .message(ByteBuffer(bytes: payload(300)), isText: false), .close(code: 1000),
    ]
    #expect(events([bytes]) == expected)
    #expect(events(bytes.map { [$0] }) == expected)
    for cut in 1..<bytes.count {
      #expect(events([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected, "cut at \(cut)")
    }
  }

  @Test func `random frames in random pieces come back whole`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = Random(seed: seed)
    for _ in 0..<60 {
      var bytes: [UInt8] = []
      var expected: [FrameReader.Event] = []
      for _ in 0..<random.below(6) {
        let message = payload(random.below(8) == 0 ? random.below(70_000) : random.below(300))
        let mask = (0..<4).map { _ in UInt8(random.below(256)) }
        let cut = random.below(message.count + 1)
        if random.below(2) == 0 {
          bytes += WireFrame(opcode: 2, payload: message).bytes(mask: mask)
        } else {
          bytes += WireFrame(opcode: 2, payload: Array(message[..<cut]), isFinal: false).bytes(mask: mask)
          bytes += WireFrame(opcode: 0, payload: Array(message[cut...])).bytes(mask: mask)
        }
        expected.append(.message(ByteBuffer(bytes: message), isText: false))
      }
      var pieces: [[UInt8]] = []
      while !bytes.isEmpty {
        let count = min(bytes.count, 1 + random.below(random.below(2) == 0 ? 40 : 40_000))
        pieces.append(Array(bytes[..<count]))
        bytes.removeFirst(count)
      }
      #expect(events(pieces) == expected, "seed \(seed)")
    }
  }

  @Test(
    arguments: [
      ("a reserved bit", [0xc1, 0x80, 0, 0, 0, 0], 1002),
      ("another reserved bit", [0x91, 0x80, 0, 0, 0, 0], 1002),
      ("a reserved data opcode", [0x83, 0x80, 0, 0, 0, 0], 1002),
      ("a reserved control opcode", [0x8b, 0x80, 0, 0, 0, 0], 1002),
      ("no mask", [0x81, 0x01, 0x41], 1002),
      ("a long ping", [0x89, 0xfe, 0, 126], 1002),
      ("a ping in parts", [0x09, 0x80, 0, 0, 0, 0], 1002),
      ("a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002),
      ("a message inside another", [0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], 1002),
      ("a length with its highest bit", [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002),
      ("a length past the limit", [0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 1, 0, 0, 0, 0], 1009),
      ("text that is not UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
      ("text that ends inside a character", [0x81, 0x81, 0, 0, 0, 0, 0xc3], 1007),
      ("bad text in a frame that is not complete", [0x81, 0x85, 0, 0, 0, 0, 0x41, 0xc0], 1007),
      ("bad text in the first of several frames", [0x01, 0x82, 0, 0, 0, 0, 0xed, 0xa0], 1007),
      ("a close frame of one byte", [0x88, 0x81, 0, 0, 0, 0, 3], 1002),
      ("close code 999", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe7], 1002),
      ("close code 1004", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xec], 1002),
      ("close code 1005", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002),
      ("close code 1006", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xee], 1002),
      ("close code 1015", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf7], 1002),
      ("close code 2999", [0x88, 0x82, 0, 0, 0, 0, 0x0b, 0xb7], 1002),
      ("close code 5000", [0x88, 0x82, 0, 0, 0, 0, 0x13, 0x88], 1002),
      ("a close reason that is not UTF-8", [0x88, 0x83, 0, 0, 0, 0, 0x03, 0xe8, 0xff], 1007),
    ] as [(String, [UInt8], UInt16)])
  func `a rule broken is told with its code`(what: String, bytes: [UInt8], code: UInt16) {
    #expect(events([bytes]) == [.violation(code: code)], "\(what)")
    #expect(events(bytes.map { [$0] }) == [.violation(code: code)], "\(what), byte by byte")
  }

  @Test func `a frame at the limit is taken and one past it refused`() {
    let limits = FrameReader.Limits(frameBytes: 100, messageBytes: 150)
    let full = WireFrame(opcode: 2, payload: payload(100)).bytes()
    #expect(events([full], limits: limits).count == 1)
    #expect(
      events([WireFrame(opcode: 2, payload: payload(101)).bytes()], limits: limits) == [
        .violation(code: 1009)
      ])
  }

  @Test func `a message at the limit is taken and one past it refused`() {
    let limits = FrameReader.Limits(frameBytes: 100, messageBytes: 150)
    let first = WireFrame(opcode: 2, payload: payload(100), isFinal: false).bytes()
    let fits = WireFrame(opcode: 0, payload: payload(50)).bytes()
    #expect(
      events([first + fits], limits: limits) == [
        .message(ByteBuffer(bytes: payload(100) + payload(50)), isText: false)
      ])
    let passes = WireFrame(opcode: 0, payload: payload(51)).bytes()
    #expect(events([first + passes], limits: limits) == [.violation(code: 1009)])
  }

  @Test func `what is complete leaves nothing behind`() {
    var reader = FrameReader()
    var scratch = ByteBuffer()
    let bytes = WireFrame(opcode: 1, payload: payload(10)).bytes()
    var input = ByteBuffer(bytes: bytes.dropLast())
    #expect(reader.next(from: &input, scratch: &scratch, limits: Self.limits) == nil)
    #expect(!reader.isIdle)
    input = ByteBuffer(bytes: bytes.suffix(1))
    #expect(reader.next(from: &input, scratch: &scratch, limits: Self.limits) != nil)
    #expect(reader.isIdle)
  }
}

/// A generator with a seed that can be printed.
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}

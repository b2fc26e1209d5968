import NIOCore
import Testing

@testable import EngineIOWire

/// What polls carry.
@Suite struct EnginePayloadTests {
  private func texts(
    _ body: [UInt8], _ revision: Revision, isBinary: Bool = false, most: Int = 1000
  ) -> [String]? {
    var encoding = TextEncoding.unknown
    return try? EnginePayload.frames(
      ByteBuffer(bytes: body), revision: revision, isBinary: isBinary, mostPackets: most, encoding: &encoding
    ).map { ($0.isText ? "" : "binary ") + String(buffer: $0.bytes) }
  }

  private func texts(_ body: String, _ revision: Revision, most: Int = 1000) -> [String]? {
    texts(Array(body.utf8), revision, most: most)
  }

  @Test func `revision 4 has separators between packets`() {
    #expect(texts("4a", .four) == ["4a"])
    #expect(texts("4a\u{1e}2\u{1e}4ü😀", .four) == ["4a", "2", "4ü😀"])
    #expect(texts("4a\u{1e}", .four) == ["4a", ""])
    #expect(texts("\u{1e}\u{1e}", .four) == ["", "", ""])
    #expect(texts("", .four) == nil)
    #expect(texts(Array("4a".utf8), .four, isBinary: true) == nil)
    #expect(texts("1\u{1e}1\u{1e}1", .four, most: 3) == ["1", "1", "1"])
    #expect(texts("1\u{1e}1\u{1e}1\u{1e}1", .four, most: 3) == nil)
  }

  @Test func `revision 3 has lengths before packets, in UTF-16 code units`() {
    #expect(texts("2:4a1:2", .three) == ["4a", "2"])
    #expect(texts("2:4ü3:4😀3:4豺x", .three) == ["4ü", "4😀", "4豺x"])
    #expect(texts("0:", .three) == [""])
    #expect(texts("1:21:21:2", .three, most: 3) == ["2", "2", "2"])
    #expect(texts("1:21:21:21:2", .three, most: 3) == nil)
    for bad in [
      "", "4a", ":4a", "x:4a", "3:4a", "-1:4", "1:2x", "1:2 ", "2:4😀", "1000000000:4",
      "99999999999999999999:4",
      "999999999:4", "1", "+1:2",
    ] {
      #expect(texts(bad, .three) == nil, "\(bad)")
    }
    #expect(texts([0x31, 0x3A, 0xBF], .three) == nil)
  }

  /// A text as Engine.IO's clients before 2.0 send it: its bytes in UTF-8, each as a character.
  private func twice(_ text: String) -> String {
    String(String.UnicodeScalarView(text.utf8.map { Unicode.Scalar($0) }))
  }

  @Test func `old clients of revision 3 encode their texts twice`() {
    let text = #"42["wd",{"p":"/房间/é","d":"汉😀\u2028"}]"#
    let sent = twice(text)
    #expect(texts("1:2\(sent.utf16.count):\(sent)", .three) == ["2", text])
    #expect(texts("\(sent.utf16.count):\(sent)", .four) != [text])
  }

  @Test func `the first text that is not ASCII says how a client encodes all others`() {
    var old = TextEncoding.unknown
    var new = TextEncoding.unknown
    let read = { (text: String, encoding: inout TextEncoding) in
      String(buffer: encoding.decode(ByteBuffer(string: text)))
    }
    #expect(read("plain", &old) == "plain" && old == .unknown)
    #expect(read(twice("é"), &old) == "é" && old == .twice)
    #expect(read("é", &old) == "é" && read(twice("汉"), &old) == "汉" && old == .twice)
    for first in ["é", "汉", "Ã", "ÿ©", "😀"] {
      new = .unknown
      #expect(read(first, &new) == first && new == .once)
      #expect(read(twice("é"), &new) == twice("é") && new == .once)
    }
    // Not UTF-8 at all: whoever reads it says so.
    for bytes: [UInt8] in [[0xC3], [0xC3, 0x41], [0xC3, 0x83, 0xC3], [0xFF], [0xC3, 0xA9, 0xC2]] {
      new = .unknown
      #expect(Array(new.decode(ByteBuffer(bytes: bytes)).readableBytesView) == bytes && new == .once)
    }
  }

  @Test func `revision 3 has a binary form too`() {
    #expect(
      texts([0, 2, 255, 0x34, 0x61, 1, 1, 0, 255] + Array("4123456789".utf8), .three, isBinary: true)
        == ["4a", "binary 4123456789"])
    for bad: [UInt8] in [
      [2, 1, 255, 0x32], [0, 255, 0x32], [0, 2, 255, 0x32], [0, 10, 255], [0, 1], [0],
      [0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 255],
    ] {
      #expect(texts(bad, .three, isBinary: true) == nil, "\(bad)")
    }
  }

  @Test func `a body of revision 3 has the same packets as bytes`() throws {
    let text = ByteBuffer(string: "2:4a12:4hello world0:")
    let bytes = try #require(EnginePayload.binaryBody(of: text))
    #expect(
      Array(bytes.readableBytesView) == [0, 2, 255] + "4a".utf8 + [0, 1, 2, 255] + "4hello world".utf8 + [
        0, 0, 255,
      ])
    #expect(texts(Array(bytes.readableBytesView), .three, isBinary: true) == ["4a", "4hello world", ""])
    for bad in ["x", "3:4a", ":", "x:4a"] {
      #expect(EnginePayload.binaryBody(of: ByteBuffer(string: bad)) == nil)
    }
  }

  private func body(_ packets: [String], _ revision: Revision, most: Int = 16) -> (String, left: Int) {
    var waiting = ByteBuffer(string: packets.map { $0 + "\u{1e}" }.joined())
    let body = EnginePayload.takeBody(from: &waiting, revision: revision, mostPackets: most)
    return (String(buffer: body), waiting.readableBytes)
  }

  @Test func `an answer holds what waits, but not more packets than clients take`() {
    #expect(body(["4a", "2"], .four) == ("4a\u{1e}2", 0))
    #expect(body(["4a", "2"], .three) == ("2:4a1:2", 0))
    let many = (0..<20).map { "4\($0)" }
    #expect(body(many, .four).0.split(separator: "\u{1e}").count == 16)
    #expect(body(many, .four).left == 4 * 4)
    #expect(body([], .four) == ("", 0))
  }

  @Test func `an answer of revision 3 is ASCII, so that nobody counts it differently`() {
    #expect(body([#"42["wd",{"a":"é中😀"}]"#], .three) == (#"41:42["wd",{"a":"\u00e9\u4e2d\ud83d\ude00"}]"#, 0))
  }

  @Test func `random packets go there and come back`() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      let packets = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        "4"
          + String(
            String.UnicodeScalarView(
              (0..<Int.random(in: 0...9, using: &random)).map { _ in
                ["a", "ß", "豺", "😀", "\u{0}", "9", ":"].randomElement(using: &random) ?? "a"
              }))
      }
      let four = packets.joined(separator: "\u{1e}")
      #expect(texts(four, .four) == packets)
      let three = packets.map { "\($0.utf16.count):\($0)" }.joined()
      #expect(texts(three, .three) == packets)
      let (answer, left) = body(packets, .three)
      #expect(left == 0)
      #expect(try EngineClient.packets(answer, revision: 3).count == packets.count, "\(packets)")
    }
  }

  @Test func `payloads of any bytes are taken apart or refused`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random)
          : Array("0123456789:4b\u{1e}".utf8).randomElement(using: &random) ?? 0
      }
      for isBinary in [true, false] {
        _ = texts(bytes, .three, isBinary: isBinary)
        _ = texts(bytes, .four, isBinary: isBinary)
      }
    }
  }
}

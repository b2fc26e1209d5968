import TestSupport

/// UTF-8: what is text, what is not, and that what is not is refused as soon as it is seen.
enum TextCases {
  static let all = whole + valid + invalid + early

  private static let mixed = WireFrame.text("Hello-µ@ßöäüàá-UTF-8!! κόσμε \u{1F43A}")

  private static var whole: [EchoCase] {
    let nothing = WireFrame(opcode: 1, payload: [], isFinal: false)
    return [
      .echo("6.1.1", "no text", [.text("")], back: [.text("")]),
      .echo(
        "6.1.2", "no text in three frames",
        [nothing]
          + [nothing, nothing].map { _ in
            WireFrame(opcode: 0, payload: [], isFinal: false)
          } + [WireFrame(opcode: 0, payload: [])], back: [.text("")]),
    ]
      + [1, 2, 3, 7, 1000].flatMap { size -> [EchoCase] in
        [1, Int.max].map { writes -> EchoCase in
          .echo(
            "6.2", "text in frames of \(size), writes of \(writes)", mixed.fragments(of: size),
            writes: writes,
            back: [mixed])
        }
      }
  }

  /// The first and last of each length, and the edges of what is forbidden in between.
  private static var valid: [EchoCase] {
    let texts: [[UInt8]] = [
      [0x00], [0x7f], [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0xa0, 0x80], [0xed, 0x9f, 0xbf], [0xee, 0x80, 0x80],
      [0xef, 0xbf, 0xbd], [0xef, 0xbf, 0xbe], [0xef, 0xbf, 0xbf], [0xef, 0xb7, 0x90],
      [0xf0, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0xbf, 0xbf], [0xf3, 0xbf, 0xbf, 0xbf], [0xf4, 0x80, 0x80, 0x80], [0xf4, 0x8f, 0xbf, 0xbf],
      [0xf0, 0x9d, 0x84, 0x9e, 0x41], [0xef, 0xbb, 0xbf],
    ]
    return texts.flatMap { text -> [EchoCase] in
      let frame = WireFrame(opcode: 1, payload: text)
      return [
        .echo("6.5", "\(hex(text)) whole", [frame], back: [frame]),
        .echo("6.6", "\(hex(text)) byte by byte", [frame], writes: 1, back: [frame]),
        .echo("6.7", "\(hex(text)) in fragments", frame.fragments(of: 1), back: [frame]),
      ]
    }
  }

  static let invalidTexts: [[UInt8]] = [
    // A continuation without a beginning, alone and in rows.
    [0x80], [0xbf], [0x80, 0xbf, 0x80, 0xbf], [0x41, 0x80],
    // A beginning without its continuation.
    [0xc2, 0x20], [0xdf, 0x20], [0xe0, 0x20], [0xe1, 0x80, 0x20], [0xf0, 0x90, 0x80, 0x20], [0xf4, 0x41],
    // A text that ends inside a character.
    [0xc2], [0xe0, 0xa0], [0xef, 0xbf], [0xf0, 0x90, 0x80], [0xf4, 0x8f, 0xbf], [0x41, 0xdf],
    // Bytes that stand nowhere.
    [0xfe], [0xff], [0xfe, 0xfe, 0xff, 0xff], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
    // Longer than need be.
    [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xf0, 0x80, 0x80, 0xaf], [0xc1, 0xbf], [0xe0, 0x9f, 0xbf],
    [0xf0, 0x8f, 0xbf, 0xbf], [0xc0, 0x80],
    // Halves of pairs, alone and together; and past the last character.
    [0xed, 0xa0, 0x80], [0xed, 0xad, 0xbf], [0xed, 0xae, 0x80], [0xed, 0xbf, 0xbf],
    [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80], [0xf4, 0x90, 0x80, 0x80],
  ]

  private static var invalid: [EchoCase] {
    invalidTexts.flatMap { text -> [EchoCase] in
      let frame = WireFrame(opcode: 1, payload: Array("κ".utf8) + text)
      return [
        .failure("6.8", "\(hex(text)) whole", frame.bytes(), code: 1007),
        .failure("6.9", "\(hex(text)) byte by byte", frame.bytes(), writes: 1, code: 1007),
        .failure(
          "6.10", "\(hex(text)) in fragments", frame.fragments(of: 1).flatMap { $0.bytes() }, code: 1007),
        // The same bytes are no harm in a binary message.
        .echo(
          "6.11", "\(hex(text)) as binary", [WireFrame(opcode: 2, payload: text)],
          back: [WireFrame(opcode: 2, payload: text)]),
      ]
    }
  }

  /// The goodbye comes although the frame, or the message, is far from complete.
  private static var early: [EchoCase] {
    let good = Array("κόσμε".utf8)
    let bad: [[UInt8]] = [[0xf4, 0x90], [0xed, 0xa0], [0xc0], [0xff], [0xf0, 0x80], [0xe1, 0x80, 0x20]]
    return bad.flatMap { bad -> [EchoCase] in
      let long = WireFrame(opcode: 1, payload: good + bad + [UInt8](repeating: 0x2a, count: 1000))
      let begun = Array(long.bytes().prefix(8 + good.count + bad.count))
      let fragment = WireFrame(opcode: 1, payload: good, isFinal: false).bytes()
      let second = WireFrame(opcode: 0, payload: bad, isFinal: false).bytes()
      return [1, Int.max].flatMap { writes -> [EchoCase] in
        [
          .failure("6.4.1", "\(hex(bad)) in a frame that goes on", begun, writes: writes, code: 1007),
          .failure(
            "6.4.2", "\(hex(bad)) in a message that goes on", fragment + second, writes: writes, code: 1007),
        ]
      }
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0, radix: 16) }.joined(separator: " ")
  }
}

import TestSupport

/// Framing, pings, reserved bits, opcodes, fragments and limits.
enum FramingCases {
  static let all = framing + pings + reservedBits + opcodes + fragments + masks + limits

  private static let hello = WireFrame.text("Hello, world!")

  private static var framing: [EchoCase] {
    [0, 1, 125, 126, 127, 128, 65535, 65536].flatMap { count -> [EchoCase] in
      [WireFrame.text(count), .binary(count)].flatMap { frame -> [EchoCase] in
        [997, Int.max].map { writes -> EchoCase in
          .echo(
            "1.\(frame.opcode)", "\(count) bytes in writes of \(writes)", [frame], writes: writes,
            back: [frame])
        }
      }
    } + [
      .echo("1.1.9", "bytes one by one", [.text(300)], writes: 1, back: [.text(300)]),
      .failure("1.3.1", "two bytes of length for 125", [0x82, 0xfe, 0, 125, 0, 0, 0, 0], code: 1002),
      .failure(
        "1.3.2", "eight bytes of length for 65535", [0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0],
        code: 1002),
    ]
  }

  private static var pings: [EchoCase] {
    let long = [UInt8](repeating: 0xfe, count: 125)
    let ten = (0..<10).map { WireFrame.ping(Array("payload-\($0)".utf8)) }
    let tenBack = ten.map { WireFrame.pong($0.payload) }
    return [
      .echo("2.1", "a ping without payload", [.ping()], back: [.pong()]),
      .echo("2.2", "a ping with text", [.ping(Array("Hello".utf8))], back: [.pong(Array("Hello".utf8))]),
      .echo("2.3", "a ping that is no text", [.ping([0, 255, 254])], back: [.pong([0, 255, 254])]),
      .echo("2.4", "the longest ping", [.ping(long)], back: [.pong(long)]),
      .failure("2.5", "a ping that is too long", WireFrame.ping(long + [1]).bytes(), code: 1002),
      .echo("2.6", "the longest ping byte by byte", [.ping(long)], writes: 1, back: [.pong(long)]),
      .echo("2.7", "a pong nobody asked for", [.pong()], back: []),
      .echo("2.8", "a pong with a payload", [.pong(long)], back: []),
      .echo("2.9", "a pong, then a ping", [.pong([1]), .ping([2])], back: [.pong([2])]),
      .echo("2.10", "ten pings", ten, back: tenBack),
      .echo("2.11", "ten pings byte by byte", ten, writes: 1, back: tenBack),
    ]
  }

  private static var reservedBits: [EchoCase] {
    (1...7).flatMap { bits -> [EchoCase] in
      [hello, .binary(2), .ping([1]), .close(1000)].flatMap { frame -> [EchoCase] in
        let bytes = hello.bytes() + frame.bytes(reserved: UInt8(bits)) + WireFrame.ping().bytes()
        return [1, Int.max].map { writes -> EchoCase in
          .failure(
            "3.\(bits)", "reserved bits \(bits) with opcode \(frame.opcode), writes of \(writes)", bytes,
            writes: writes, back: [hello], code: 1002)
        }
      }
    }
  }

  private static var opcodes: [EchoCase] {
    ([3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]).flatMap { opcode -> [EchoCase] in
      ([[], [7]] as [[UInt8]]).flatMap { payload -> [EchoCase] in
        let bad = WireFrame(opcode: opcode, payload: payload).bytes()
        return [
          .failure("4.\(opcode).1", "opcode \(opcode) first", bad, code: 1002),
          .failure(
            "4.\(opcode).2", "opcode \(opcode) after a message",
            hello.bytes() + bad + WireFrame.ping().bytes(),
            back: [hello], code: 1002),
          .failure(
            "4.\(opcode).3", "opcode \(opcode) between fragments",
            hello.fragments(of: 5)[0].bytes() + bad + hello.fragments(of: 5)[1].bytes(), code: 1002),
        ]
      }
    }
  }

  private static var fragments: [EchoCase] {
    let parts = hello.fragments(of: 5)
    let many = hello.fragments(of: 1)
    let pinged = many.flatMap { [$0, .ping($0.payload)] }
    // Each ping goes after its fragment; the message is complete with the last fragment, before its ping.
    let pongs = many.map { WireFrame.pong($0.payload) }
    let interrupted = Array(pongs.dropLast()) + [hello] + pongs.suffix(1)
    let first = WireFrame(opcode: 1, payload: [0x61], isFinal: false)
    let next = WireFrame(opcode: 0, payload: [0x62], isFinal: false)
    let last = WireFrame(opcode: 0, payload: [0x63])
    let empty = WireFrame(opcode: 0, payload: [], isFinal: false)
    var cases: [EchoCase] = [
      .failure(
        "5.1", "a ping in parts", WireFrame(opcode: 9, payload: [1], isFinal: false).bytes(), code: 1002),
      .failure(
        "5.2", "a pong in parts", WireFrame(opcode: 10, payload: [1], isFinal: false).bytes(), code: 1002),
      .failure(
        "5.3", "a close in parts", WireFrame(opcode: 8, payload: [], isFinal: false).bytes(), code: 1002),
      .echo("5.6", "a ping between", [parts[0], .ping([9])] + parts[1...], back: [.pong([9]), hello]),
      .echo("5.7", "a pong between", [parts[0], .pong([9])] + parts[1...], back: [hello]),
      .echo("5.8", "empty fragments", [first, empty, empty, last], back: [.text("ac")]),
      .failure("5.9", "a last fragment of nothing", last.bytes() + hello.bytes(), code: 1002),
      .failure("5.10", "a middle fragment of nothing", next.bytes() + hello.bytes(), code: 1002),
      .failure(
        "5.11", "a fragment after a whole message", hello.bytes() + last.bytes(), back: [hello], code: 1002),
      .failure(
        "5.15", "a message inside another", (first.bytes() + next.bytes() + hello.bytes()), code: 1002),
      .failure("5.18", "two beginnings", first.bytes() + first.bytes(), code: 1002),
      .failure(
        "5.19", "a binary beginning inside text", first.bytes() + WireFrame.binary(1).bytes(), code: 1002),
      .echo(
        "5.21", "a close inside a message", [first], back: []),
    ]
    for writes in [1, 7, Int.max] {
      cases += [
        .echo("5.4", "two fragments, writes of \(writes)", parts, writes: writes, back: [hello]),
        .echo("5.5", "a fragment a byte, writes of \(writes)", many, writes: writes, back: [hello]),
        .echo("5.20", "pings all over, writes of \(writes)", pinged, writes: writes, back: interrupted),
      ]
    }
    return cases
  }

  private static var masks: [EchoCase] {
    let ways: [[UInt8]] = [[0, 0, 0, 0], [255, 255, 255, 255], [1, 0, 0, 128]]
    return ways.map { mask in
      let bytes = WireFrame.text(13).bytes(mask: mask) + WireFrame.close(1000).bytes(mask: mask)
      return EchoCase(
        "5.30", "mask \(mask)",
        [.send(bytes, writes: 3), .expect(.text(13)), .expect(.close(1000))])
    } + [
      .failure("5.31", "no mask", hello.bytes(mask: nil), code: 1002),
      .failure("5.32", "no mask on a ping", WireFrame.ping([1]).bytes(mask: nil), code: 1002),
      .failure("5.33", "no mask on a close", WireFrame.close(1000).bytes(mask: nil), code: 1002),
    ]
  }

  /// The largest message is 16 MiB here.
  private static var limits: [EchoCase] {
    let most = 16 << 20
    var cases = [64 << 10, 1 << 20, 4 << 20, most].flatMap { count -> [EchoCase] in
      let text = WireFrame.text(count)
      return [
        .echo("9.1", "\(count) bytes of text", [text], back: [text]),
        .echo("9.2", "\(count) bytes", [.binary(count)], back: [.binary(count)]),
        .echo("9.3", "\(count) bytes in frames of 64 KiB", text.fragments(of: 64 << 10), back: [text]),
      ]
    }
    for size in [64, 256, 1024, 4096] {
      let message = WireFrame.text(256 << 10)
      cases.append(.echo("9.4", "256 KiB in frames of \(size)", message.fragments(of: size), back: [message]))
    }
    for count in [0, 16, 64, 256, 1024] {
      let many = Array(repeating: WireFrame.text(count), count: 1000)
      cases.append(.echo("9.7", "a thousand messages of \(count) bytes", many, back: many))
    }
    let message = WireFrame.text(65536)
    let past = UInt64(most + 1)
    let head: [UInt8] = [0x82, 0xff] + (0..<8).map { UInt8(truncatingIfNeeded: past >> (56 - 8 * $0)) }
    let huge: [UInt8] = [0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]
    return cases + [
      .echo("10.1", "64 KiB in frames of 1300", message.fragments(of: 1300), back: [message]),
      .failure("9.9.1", "a byte too many, before it comes", head + [0, 0, 0, 0], code: 1009),
      .failure("9.9.2", "as long as a length can say", huge, code: 1009),
      .failure("9.9.3", "a length with its highest bit", [0x82, 0xff, 0x80] + huge[3...], code: 1002),
      .failure(
        "9.9.4", "fragments that become too long",
        WireFrame(opcode: 2, payload: [UInt8](repeating: 0, count: most), isFinal: false).bytes()
          + WireFrame(opcode: 0, payload: [0]).bytes().prefix(6), code: 1009),
    ]
  }
}

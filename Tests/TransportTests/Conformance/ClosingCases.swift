import TestSupport

/// How a connection ends: codes, reasons, and what comes too late.
enum ClosingCases {
  static let all = goodbyes + codes

  private static let hello = WireFrame.text("Hello, world!")

  private static var goodbyes: [EchoCase] {
    let close = WireFrame.close(1000)
    let large = WireFrame.text(256 << 10)
    let reason = String(repeating: "*", count: 123)
    return [
      .echo("7.1.1", "a message, then the end", [hello], back: [hello]),
      .failure("7.1.2", "two goodbyes", close.bytes() + close.bytes(), code: 1000),
      .failure("7.1.3", "a ping after the end", close.bytes() + WireFrame.ping().bytes(), code: 1000),
      .failure("7.1.4", "a message after the end", close.bytes() + hello.bytes(), code: 1000),
      .failure("7.1.5", "a bad frame after the end", close.bytes() + [0xff, 0xff, 0xff], code: 1000),
      .failure(
        "7.1.6", "a large message, the end and a ping",
        large.bytes() + close.bytes() + WireFrame.ping().bytes(), back: [large], code: 1000),
      .failure("7.1.7", "byte by byte", WireFrame.close(1000, "bye").bytes(), writes: 1, code: 1000),
      EchoCase(
        "7.3.1", "no code", [.send(WireFrame.close(nil).bytes(), writes: .max), .expect(.close(nil))]),
      .failure("7.3.2", "half a code", WireFrame(opcode: 8, payload: [3]).bytes(), code: 1002),
      .failure("7.3.4", "a code and a reason", WireFrame.close(1000, "Hello").bytes(), code: 1000),
      .failure("7.3.5", "the longest reason", WireFrame.close(1000, reason).bytes(), code: 1000),
      .failure("7.3.6", "too long a reason", WireFrame.close(1000, reason + "*").bytes(), code: 1002),
      .failure(
        "7.5.1", "a reason that is no text",
        WireFrame(opcode: 8, payload: [3, 232, 0xce, 0xba, 0xe1]).bytes(),
        code: 1007),
      .failure(
        "7.5.2", "a reason that is no text, after a message",
        hello.bytes() + WireFrame(opcode: 8, payload: [3, 232, 0xff]).bytes(), back: [hello], code: 1007),
    ]
  }

  private static var codes: [EchoCase] {
    let good: [UInt16] = [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
    ]
    let bad: [UInt16] = [
      0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535,
    ]
    return good.map { .failure("7.7", "code \($0) is given back", WireFrame.close($0).bytes(), code: $0) }
      + bad.map { .failure("7.9", "code \($0) is refused", WireFrame.close($0).bytes(), code: 1002) }
  }
}

import TestSupport
import Testing

/// One thing that a peer of an echo server may do, with everything that must come back for it: the frames in
/// order, byte for byte, and then the end of the connection.
struct EchoCase: Sendable, CustomTestStringConvertible {
  enum Step: Sendable {
    /// Sends bytes in writes of so many.
    case send([UInt8], writes: Int)
    /// Nothing else may come before this frame.
    case expect(WireFrame)
  }

  /// The category and number, such as `6.4`.
  let id: String
  let what: String
  let steps: [Step]

  init(_ id: String, _ what: String, _ steps: [Step]) {
    self.id = id
    self.what = what
    self.steps = steps
  }

  /// A case that breaks no rule: these come back, and then the goodbye is answered.
  static func echo(
    _ id: String, _ what: String, _ frames: [WireFrame], writes: Int = .max, back: [WireFrame]
  ) -> EchoCase {
    EchoCase(
      id, what,
      [.send((frames + [.close(1000)]).flatMap { $0.bytes() }, writes: writes)]
        + (back + [.close(1000)]).map { .expect($0) })
  }

  /// A case that breaks a rule: these come back, and then the code that says which.
  static func failure(
    _ id: String, _ what: String, _ bytes: [UInt8], writes: Int = .max, back: [WireFrame] = [], code: UInt16
  ) -> EchoCase {
    EchoCase(id, what, [.send(bytes, writes: writes)] + (back + [.close(code)]).map { .expect($0) })
  }

  var testDescription: String { "\(id) \(what)" }

  /// Plays the case on a connection of its own.
  func run(port: Int) async throws {
    let client = try await WireClient.webSocket(port: port)
    for step in steps {
      switch step {
      case .send(let bytes, let writes):
        var rest = bytes[...]
        while !rest.isEmpty {
          try await client.send(Array(rest.prefix(writes)))
          rest = rest.dropFirst(writes)
        }
      case .expect(let frame):
        let came = try await client.readFrame()
        guard came == frame else {
          Issue.record("\(testDescription): \(Self.text(came)) came, not \(Self.text(frame))")
          return
        }
      }
    }
    #expect(await client.isEnded(), "\(testDescription): something comes after the goodbye")
  }

  private static func text(_ frame: WireFrame) -> String {
    let bytes = frame.payload.prefix(40).map { String($0, radix: 16) }.joined(separator: " ")
    return "[opcode \(frame.opcode), \(frame.payload.count) bytes: \(bytes)]"
  }
}

extension WireFrame {
  static func binary(_ count: Int, _ byte: UInt8 = 0xfe) -> WireFrame {
    WireFrame(opcode: 2, payload: [UInt8](repeating: byte, count: count))
  }

  static func text(_ count: Int) -> WireFrame {
    WireFrame(opcode: 1, payload: [UInt8](repeating: UInt8(ascii: "*"), count: count))
  }

  static func ping(_ payload: [UInt8] = []) -> WireFrame { WireFrame(opcode: 9, payload: payload) }
  static func pong(_ payload: [UInt8] = []) -> WireFrame { WireFrame(opcode: 10, payload: payload) }

  /// The message in frames of so many bytes each; the last one is final.
  func fragments(of size: Int) -> [WireFrame] {
    let starts = Array(stride(from: 0, to: max(payload.count, 1), by: size))
    return starts.map { start in
      let end = min(start + size, payload.count)
      return WireFrame(
        opcode: start == 0 ? opcode : 0, payload: Array(payload[start..<end]), isFinal: end == payload.count)
    }
  }
}

import TestSupport

/// An Engine.IO client as the protocol's description has it, on plain sockets.
///
/// It polls when it is asked for what has come, and not before.
final class EngineClient {
  /// What carries its packets.
  enum Carrier: CaseIterable {
    case webSocket, polling
    /// Polling with binary payloads, as revision 3 has them.
    case binaryPolling
    /// Polling at first, then a WebSocket.
    case upgraded
  }

  let port: Int
  let revision: Int
  let carrier: Carrier
  let path: String
  let query: String
  private(set) var id = ""
  /// The open packet's JSON.
  private(set) var hello = ""
  private var packets: [String] = []
  private var socket: WireClient?
  // Connected when they are first needed: a server closes a connection that asks for nothing.
  private var reader: WireClient?
  private var writer: WireClient?
  /// The code and the reason that the server closed the WebSocket with.
  private(set) var closing: (code: UInt16?, reason: String)?

  /// Opens a session, and reads the open packet.
  init(
    port: Int, revision: Int = 3, carrier: Carrier = .webSocket, path: String = "/.ws/",
    query: String = "v=1.0&cv=2.5.17&ns=default"
  ) async throws {
    self.port = port
    self.revision = revision
    self.carrier = carrier
    self.path = path
    self.query = query
    if carrier == .webSocket {
      socket = try await WireClient.webSocket(port: port, path: target("websocket"))
    }
    let open = try await next()
    guard open.first == "0" else { throw WireClient.Failure(text: "no open packet: \(open)") }
    hello = String(open.dropFirst())
    id = hello.split(separator: "\"").dropFirst(3).first.map(String.init) ?? ""
  }

  func target(_ transport: String) -> String {
    let session = id.isEmpty ? "" : "&sid=\(id)"
    return "\(path)?\(query)&EIO=\(revision)&transport=\(transport)\(session)"
  }

  // MARK: Packets

  /// The next packet, but for what upgrades and heartbeats are made of.
  func nextPacket() async throws -> String {
    while true {
      let packet = try await next()
      if packet == "6" { continue }
      guard packet == "2", revision == 4 else { return packet }
      try await send("3")
    }
  }

  /// The next packet, whatever it is.
  func next() async throws -> String {
    while packets.isEmpty {
      if let socket {
        packets.append(try await text(from: socket))
      } else {
        packets += try await poll()
      }
    }
    return packets.removeFirst()
  }

  private func text(from socket: WireClient) async throws -> String {
    while true {
      let frame = try await socket.readFrame()
      switch frame.opcode {
      case 1: return String(decoding: frame.payload, as: UTF8.self)
      case 9: try await socket.send(WireFrame(opcode: 10, payload: frame.payload))
      case 8:
        closing = (frame.closeCode, String(decoding: frame.payload.dropFirst(2), as: UTF8.self))
        throw WireClient.Failure(text: "closed with \(frame.closeCode ?? 0)")
      default: throw WireClient.Failure(text: "a frame of kind \(frame.opcode)")
      }
    }
  }

  /// The connection that polls are made on.
  private func polls() throws -> WireClient {
    guard carrier != .webSocket else { throw WireClient.Failure(text: "no polls here") }
    let polls = try reader ?? WireClient(port: port)
    reader = polls
    return polls
  }

  /// Asks once for what has come.
  func poll() async throws -> [String] {
    let answer = try await polls().get(target("polling"))
    guard answer.status == 200 else { throw WireClient.Failure(text: "\(answer.status) \(answer.text)") }
    return try Self.packets(answer.text, revision: revision)
  }

  /// Begins to ask for what has come; `finishPoll` takes the answer.
  func beginPoll() async throws {
    try await polls().send("GET \(target("polling")) HTTP/1.1\r\nHost: test\r\n\r\n")
  }

  func finishPoll() async throws -> [String] {
    let answer = try await polls().readResponse()
    guard answer.status == 200 else { throw WireClient.Failure(text: "\(answer.status) \(answer.text)") }
    return try Self.packets(answer.text, revision: revision)
  }

  static func packets(_ text: String, revision: Int) throws -> [String] {
    if revision == 4 {
      return text.split(separator: "\u{1e}", omittingEmptySubsequences: false).map(String.init)
    }
    var rest = Array(text.utf16)[...]
    var packets: [String] = []
    // Long answers are bytes, all ASCII but for what stands behind a length: 255, which is no UTF-8.
    while rest.first == 0, let end = rest.firstIndex(of: 0xFFFD) {
      let count = rest[1..<end].reduce(0) { $0 * 10 + Int($1) }
      guard end + count < rest.endIndex else { break }
      packets.append(String(decoding: rest[(end + 1)...(end + count)], as: UTF16.self))
      rest = Array(rest[(end + count + 1)...])[...]
    }
    while let colon = rest.firstIndex(of: 0x3A) {
      guard let count = Int(String(decoding: rest[..<colon], as: UTF16.self)), colon + count < rest.endIndex
      else { break }
      packets.append(String(decoding: rest[(colon + 1)...(colon + count)], as: UTF16.self))
      rest = rest[(colon + count + 1)...]
    }
    guard rest.isEmpty else { throw WireClient.Failure(text: "not a payload: \(text)") }
    return packets
  }

  /// Sends packets in one go.
  func send(_ packets: String...) async throws { try await send(packets) }

  func send(_ packets: [String]) async throws {
    if let socket {
      var bytes: [UInt8] = []
      for packet in packets { bytes += WireFrame.text(packet).bytes() }
      return try await socket.send(bytes)
    }
    let isBinary = carrier == .binaryPolling
    let answer = try await post(payload(packets), isBinary: isBinary)
    guard answer.status == 200, answer.text == "ok" else {
      throw WireClient.Failure(text: "\(answer.status) \(answer.text)")
    }
  }

  private func payload(_ packets: [String]) -> [UInt8] {
    if revision == 4 { return Array(packets.joined(separator: "\u{1e}").utf8) }
    if carrier != .binaryPolling {
      return packets.flatMap { Array("\($0.utf16.count):\($0)".utf8) }
    }
    return packets.flatMap { packet in
      [0] + "\(packet.utf8.count)".utf8.map { $0 - 48 } + [255] + Array(packet.utf8)
    }
  }

  /// Sends any payload at all.
  func post(_ body: [UInt8], isBinary: Bool = false) async throws -> WireResponse {
    guard carrier != .webSocket else { throw WireClient.Failure(text: "no polls here") }
    let writer = try self.writer ?? WireClient(port: port)
    self.writer = writer
    let type = isBinary ? "application/octet-stream" : "text/plain;charset=UTF-8"
    try await writer.send(
      Array(
        ("POST \(target("polling")) HTTP/1.1\r\nHost: test\r\nContent-Type: \(type)\r\n"
          + "Content-Length: \(body.count)\r\n\r\n").utf8) + body)
    return try await writer.readResponse()
  }

  /// Sends a frame of a WebSocket.
  func send(_ frame: WireFrame) async throws { try await socket?.send(frame) }

  // MARK: Moving

  /// Opens the WebSocket that is to take over.
  func openUpgrade() async throws -> WireClient {
    try await WireClient.webSocket(port: port, path: target("websocket"))
  }

  /// Moves to a WebSocket; polls are over then.
  func upgrade() async throws {
    let socket = try await openUpgrade()
    try await socket.send(.text("2probe"))
    let answer = try await text(from: socket)
    guard answer == "3probe" else { throw WireClient.Failure(text: "probed: \(answer)") }
    try await socket.send(.text("5"))
    self.socket = socket
  }

  /// Leaves, as whoever polls has to say.
  func leave() async throws {
    if socket == nil { try await send("1") }
    drop()
  }

  /// Loses everything without a word.
  func drop() {
    socket?.close()
    reader?.close()
    writer?.close()
  }
}

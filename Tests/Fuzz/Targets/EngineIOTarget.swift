import Engine
import EngineIOWire
import FirebaseWire
import JSONTree
import NIOCore
import Synchronization
import TestSupport
import Transport

extension FuzzTarget {
  /// Engine.IO sessions over WebSockets and polls, and the moves between them: several clients, of which some
  /// follow the rules.
  ///
  /// Each line does something to the client whose digit, `0` to `3`, it names:
  ///
  ///     w0 3   p0 4    opens a session on a WebSocket or with polls, of that revision
  ///     0text          sends a WebSocket message, or a payload by a request (`b0` as binary)
  ///     g0             polls
  ///     u0             opens the WebSocket that is to take over; `v0text` sends a message on it
  ///     !0             loses the WebSocket, or gives up the poll
  ///     rM T           makes a request of that method and target
  ///     t              lets 20 seconds pass
  ///     s   c          lets the one who follows fall behind, and catch up
  ///
  /// Meanwhile one client follows everything by Wilddog's protocol; what it puts together from its pushes
  /// must be what the database holds.
  static let engineIO = FuzzTarget("engineio") { bytes in
    let stage = try EngineIOStage()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).prefix(400) {
      try stage.perform(line)
    }
    try stage.finish()
  }
}

private final class EngineIOStage {
  private let room: FuzzDatabase
  private let services: EngineIOServices
  private var clients: [UInt8: Client] = [:]
  private var watcher: Client
  private var follower = Follower()
  private var sinks: [FuzzSink] = []

  /// A client: its socket, or its session's name and its poll.
  private final class Client {
    var socket: (link: FuzzLink, handler: any MessageHandler)?
    var upgrade: (link: FuzzLink, handler: any MessageHandler)?
    /// Sockets that were to take over before; the session may be on one of them.
    var earlier: [(link: FuzzLink, handler: any MessageHandler)] = []
    var poll: (exchange: Exchange, sink: FuzzSink)?
    var id = ""
    var revision = "3"
  }

  init() throws {
    let room = try FuzzDatabase()
    self.room = room
    var limits = EngineIOLimits()
    limits.payloadBytes = 1 << 16
    limits.budgetBytes = 1 << 16
    limits.packetsPerPayload = 64
    limits.sessions = 8
    let count = Mutex(0)
    let firebase = FirebaseServices(
      databases: room.directory, authenticator: FuzzAuthenticator(), clock: room.clock,
      explainsDenials: true)
    services = EngineIOServices(
      limits: limits,
      newID: {
        count.withLock { count in
          count += 1
          return count < 3 ? "watcher-\(count)-5d9a42b7c1f0e6" : "s\(count)"
        }
      },
      accept: { firebase.wilddogHandler(for: $0) })
    watcher = Client()
    try openSocket(watcher, "EIO=3&transport=websocket")
    send(#"42["wd",\#(follower.request)]"#, watcher.socket)
    try settle()
  }

  private func settle() throws {
    room.loop.run()
    try room.checkInvariants()
    guard var sent = watcher.socket?.link.take() else { return }
    while let frame = try Self.frame(&sent) {
      let text = String(decoding: frame, as: UTF8.self)
      guard text.hasPrefix(#"42["wd","#) else { continue }
      try follower.read(Array(frame.dropFirst(8).dropLast()))
    }
    // Pings, as a client of revision 3 sends them.
    send("2", watcher.socket)
    room.loop.run()
    for client in clients.values {
      for socket in [client.socket, client.upgrade] + client.earlier {
        guard var sent = socket?.link.take() else { continue }
        while try Self.frame(&sent) != nil {}
      }
    }
  }

  /// The payload of the next frame, which must be a whole text frame.
  private static func frame(_ bytes: inout ByteBuffer) throws -> [UInt8]? {
    guard let first = bytes.readInteger(as: UInt8.self), let second = bytes.readInteger(as: UInt8.self) else {
      return nil
    }
    try Finding.check(first == 0x81 && second < 128, "not a whole text frame of a server")
    let count: Int? =
      switch second {
      case 126: bytes.readInteger(as: UInt16.self).map(Int.init)
      case 127: bytes.readInteger(as: UInt64.self).map { Int($0) }
      default: Int(second)
      }
    guard let count, let payload = bytes.readBytes(length: count) else { throw Finding("a frame is cut off") }
    return payload
  }

  // MARK: Clients

  private func openSocket(_ client: Client, _ query: String) throws {
    let head = RequestHead(method: "GET", target: "/.ws/?" + query, headers: [("Host", "x")])
    guard case .accept(let handler) = services.acceptWebSocket(head, on: room.loop) else { return }
    let link = FuzzLink(eventLoop: room.loop)
    if query.contains("sid=") {
      if let upgrade = client.upgrade { client.earlier.append(upgrade) }
      client.upgrade = (link, handler)
    } else {
      client.socket = (link, handler)
    }
    handler.opened(link: link)
  }

  private func send(
    _ text: some StringProtocol, _ socket: (link: FuzzLink, handler: any MessageHandler)?,
    isText: Bool = true
  ) {
    guard let socket, socket.link.closes.isEmpty else { return }
    socket.handler.received(ByteBuffer(substring: Substring(text)), isText: isText)
    socket.handler.receivedAll()
  }

  @discardableResult
  private func request(
    _ method: String, _ target: String, _ body: some Sequence<UInt8> = [UInt8](), isBinary: Bool = false
  ) -> (exchange: Exchange, sink: FuzzSink) {
    let headers = [("Host", "x"), ("Content-Type", isBinary ? "application/octet-stream" : "text/plain")]
    let sink = FuzzSink()
    let exchange = Exchange(
      head: RequestHead(method: method, target: target, headers: headers), body: ByteBuffer(bytes: body),
      eventLoop: room.loop, sink: sink)
    sinks.append(sink)
    services.respond(to: exchange)
    room.loop.run()
    return (exchange, sink)
  }

  private func target(_ client: Client, _ transport: String = "polling") -> String {
    "/.ws/?EIO=\(client.revision)&transport=\(transport)&sid=\(client.id)"
  }

  // MARK: Steps

  func perform(_ line: ArraySlice<UInt8>) throws {
    guard let first = line.first else { return }
    let rest = line.dropFirst()
    let digit = (rest.first ?? 0x30) & 3 | 0x30
    let text = String(decoding: rest.dropFirst(), as: UTF8.self)
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      deliver(clients[first], rest, isBinary: false)
    case UInt8(ascii: "b"):
      deliver(clients[digit], rest.dropFirst(), isBinary: true)
    case UInt8(ascii: "w"), UInt8(ascii: "p"):
      lose(digit)
      let client = Client()
      clients[digit] = client
      client.revision = text.hasSuffix("4") ? "4" : "3"
      if first == UInt8(ascii: "w") {
        try openSocket(client, "EIO=\(client.revision)&transport=websocket&ns=default")
      } else {
        let open = request("GET", "/.ws/?EIO=\(client.revision)&transport=polling&ns=default")
        client.id = open.sink.body.split(separator: "\"").dropFirst(3).first.map(String.init) ?? ""
      }
    case UInt8(ascii: "g"):
      guard let client = clients[digit] else { break }
      client.poll = request("GET", target(client))
    case UInt8(ascii: "u"):
      guard let client = clients[digit] else { break }
      try openSocket(client, "EIO=\(client.revision)&transport=websocket&sid=\(client.id)")
    case UInt8(ascii: "v"): send(text, clients[digit]?.upgrade)
    case UInt8(ascii: "!"): lose(digit)
    case UInt8(ascii: "r"):
      let words = String(decoding: rest, as: UTF8.self).split(separator: " ", maxSplits: 1)
      guard words.count == 2, !words[1].contains("watcher") else { break }
      request(String(words[0]), "/.ws/" + String(words[1]))
    case UInt8(ascii: "t"):
      room.clock.advance(milliseconds: 20_000)
      room.loop.advance(seconds: 20)
    case UInt8(ascii: "s"): watcher.socket?.handler.fellBehind()
    case UInt8(ascii: "c"): watcher.socket?.handler.caughtUp()
    default: break
    }
    try settle()
  }

  private func deliver(_ client: Client?, _ bytes: ArraySlice<UInt8>, isBinary: Bool) {
    guard let client else { return }
    if let socket = client.socket, socket.link.closes.isEmpty {
      // Text is checked before it gets here.
      let text = String(decoding: bytes, as: UTF8.self)
      send(text, socket, isText: !isBinary)
    } else if !client.id.isEmpty {
      request("POST", target(client), bytes, isBinary: isBinary)
    }
  }

  private func lose(_ digit: UInt8) {
    guard let client = clients[digit] else { return }
    client.poll?.sink.isLeft = true
    client.poll?.exchange.peerLeft()
    for socket in [client.socket, client.upgrade] + client.earlier { socket?.handler.closed() }
    client.socket = nil
    client.upgrade = nil
    client.earlier = []
  }

  /// Everything comes to its end.
  func finish() throws {
    for digit in Array(clients.keys) { lose(digit) }
    watcher.socket?.handler.caughtUp()
    for _ in 0..<30 {
      room.loop.advance(seconds: 5)
      try settle()
    }
    try Finding.check(services.count == 0, "\(services.count) sessions of nobody")
    try Finding.check(services.bytesWaiting == 0, "\(services.bytesWaiting) bytes wait for nobody")
    for sink in sinks where !sink.isAnswered { try Finding.check(sink.isLeft, "a request was not answered") }
    try Finding.check(watcher.socket?.link.closes.isEmpty == true, "somebody who did nothing was closed")
    try follower.check(against: room.data)
    watcher.socket?.handler.closed()
    room.loop.run()
    let left = room.database.assumeIsolated { $0.counters.listens }
    try Finding.check(left == 0, "\(left) listens of nobody")
  }
}

/// Keeps an answer.
private final class FuzzSink: ExchangeSink {
  private(set) var body = ""
  private(set) var isAnswered = false
  /// Its peer may have left before.
  var isLeft = false

  func send(status: Int, headers: [(String, String)], body: ByteBuffer) {
    isAnswered = true
    self.body = String(buffer: body)
  }

  func startBody(status: Int, headers: [(String, String)]) { isAnswered = true }
  func writeBody(_ piece: ByteBuffer) {}
  func endBody() {}
  var isWritable: Bool { true }
  func startEventStream(headers: [(String, String)]) -> EventStream {
    preconditionFailure("no stream is asked for")
  }
  func abort() { isAnswered = true }
}

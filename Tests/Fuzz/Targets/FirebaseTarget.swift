import Engine
import FirebaseWire
import JSONTree
import NIOCore
import Synchronization
import TestSupport
import Transport

extension FuzzTarget {
  /// Whole Firebase sessions: several clients, of which some follow the rules.
  ///
  /// Each line does something. `0` to `3` begin a frame of that client's, `!` and its digit end a client,
  /// `+`, a digit and text open one with parameters, `b` and its digit send the rest as a binary frame, `h`
  /// and `f` let the next append hang or fail, `r` lets go what hangs, `t` lets 20 seconds pass, `s` and `c`
  /// let the followers fall behind and catch up.
  ///
  /// Meanwhile a client listens to everything and another to a query; what they put together from their
  /// pushes must be what the database holds.
  static let firebase = FuzzTarget("firebase") { bytes in
    let stage = try FirebaseStage()
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).prefix(400) {
      try stage.perform(line)
    }
    try stage.finish()
  }
}

private final class FirebaseStage {
  private let room: FuzzDatabase
  private let services: FirebaseServices
  private var players: [UInt8: Player] = [:]
  private var watchers: [Player] = []

  final class Player {
    let link: FuzzLink
    let connection: FirebaseConnection
    var follower = Follower()

    init(_ services: FirebaseServices, on loop: ManualLoop, query: String) {
      link = FuzzLink(eventLoop: loop)
      let head = RequestHead(method: "GET", target: "/.ws?" + query, headers: [("Host", "x")])
      connection = FirebaseConnection(services: services, head: head)
      connection.opened(link: link)
    }

    func send(_ frame: some Sequence<UInt8>, isText: Bool = true) {
      guard link.closes.isEmpty else { return }
      connection.received(ByteBuffer(bytes: frame), isText: isText)
      connection.receivedAll()
    }
  }

  init() throws {
    room = try FuzzDatabase()
    var limits = FirebaseLimits.standard
    limits.messageBytes = 1 << 16
    limits.waitingRequests = 100
    let sessions = Mutex(0)
    services = FirebaseServices(
      databases: room.directory, authenticator: FuzzAuthenticator(), clock: room.clock, limits: limits,
      explainsDenials: true,
      newSession: {
        // The first two, of the watchers, are not to be guessed.
        sessions.withLock { count in
          count += 1
          return count < 3 ? "b7c1f0e6-watcher-\(count)-5d9a42" : "s\(count)"
        }
      })
    for query in [nil, Follower.query] {
      let watcher = player("v=5")
      watcher.follower.query = query
      watcher.send(Array(watcher.follower.request.utf8))
      watchers.append(watcher)
    }
    room.loop.run()
  }

  private func player(_ query: String) -> Player {
    Player(services, on: room.loop, query: query)
  }

  func perform(_ line: ArraySlice<UInt8>) throws {
    guard let first = line.first else { return }
    let rest = line.dropFirst()
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      open(first).send(rest)
    case UInt8(ascii: "b"):
      guard let digit = rest.first else { return }
      open(digit & 3 | 0x30).send(rest.dropFirst(), isText: false)
    case UInt8(ascii: "!"):
      guard let digit = rest.first else { return }
      try close(digit & 3 | 0x30)
    case UInt8(ascii: "+"):
      guard let digit = rest.first else { return }
      try close(digit & 3 | 0x30)
      players[digit & 3 | 0x30] = player(String(decoding: rest.dropFirst(), as: UTF8.self))
    case UInt8(ascii: "h"): room.log.next(.hang)
    case UInt8(ascii: "f"): room.log.next(.failure(.io("as told")))
    case UInt8(ascii: "r"): room.log.release()
    case UInt8(ascii: "s"): for watcher in watchers { watcher.connection.fellBehind() }
    case UInt8(ascii: "c"): for watcher in watchers { watcher.connection.caughtUp() }
    case UInt8(ascii: "t"):
      room.clock.advance(milliseconds: 20_000)
      room.loop.advance(seconds: 20)
    default: return
    }
    room.loop.run()
    try room.checkInvariants()
    for player in Array(players.values) + watchers { try player.follower.take(player.link.take()) }
  }

  private func open(_ digit: UInt8) -> Player {
    if let player = players[digit] { return player }
    let player = player("v=5&ns=default")
    players[digit] = player
    return player
  }

  private func close(_ digit: UInt8) throws {
    guard let player = players.removeValue(forKey: digit) else { return }
    try player.follower.take(player.link.take())
    player.connection.closed()
  }

  /// Everything comes to its end; then what was followed must be what there is.
  func finish() throws {
    for _ in 0..<20 {
      room.log.release()
      room.loop.run()
      room.loop.advance(seconds: 2)
    }
    for digit in Array(players.keys) { try close(digit) }
    for _ in 0..<20 {
      room.log.release()
      room.loop.run()
      room.loop.advance(seconds: 2)
    }
    for watcher in watchers { watcher.connection.caughtUp() }
    room.loop.run()
    try room.checkInvariants()
    let data = room.data
    for watcher in watchers {
      try watcher.follower.take(watcher.link.take())
      try Finding.check(watcher.link.closes.isEmpty, "somebody who did nothing was closed")
      try watcher.follower.check(against: data)
      watcher.connection.closed()
    }
    room.loop.run()
    let left = room.database.assumeIsolated { $0.counters.listens }
    try Finding.check(left == 0, "\(left) listens of nobody")
  }
}

/// A link that keeps what is sent.
final class FuzzLink: MessageLink {
  let eventLoop: any EventLoop
  let carrier: UInt8 = 0
  let remoteAddress: String? = "127.0.0.1"
  private var sent = ByteBuffer()
  private(set) var closes: [UInt16] = []

  init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func append(frames: ByteBuffer) {
    if closes.isEmpty { sent.writeImmutableBuffer(frames) }
  }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    WebSocketFraming.append(text: text, to: &frames)
    append(frames: frames)
  }

  func flush() {}

  func send(frames: ByteBuffer) { append(frames: frames) }

  func close(code: UInt16, reason: String) { closes.append(code) }

  func take() -> ByteBuffer {
    defer { sent = ByteBuffer() }
    return sent
  }
}

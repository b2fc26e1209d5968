import CLinux
import Glibc

/// Drives all connections from one thread and counts what comes back.
final class Load {
  let options: Options
  let speaker: Speaker
  var connections: [Connection] = []
  /// The one that writes in `fanout` and `listen`.
  var writer: Connection?
  var latencies = Latencies()

  private let poller = make_poller()
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
  private var readable = [UInt32](repeating: 0, count: 512)
  /// Messages written so far, and deliveries or answers seen.
  var published = 0
  var delivered = 0
  private var acknowledged = 0
  private var isDraining = false
  /// When each message under way left, by number.
  private var sentAt = [UInt64](repeating: 0, count: 4096)

  init(_ options: Options) {
    self.options = options
    speaker = Speaker(options)
  }

  // MARK: Setting up

  func open() {
    let listens = [.fanout, .listen, .idle, .echo].contains(options.mode)
    let role = options.mode == .echo ? "echo" : "sub"
    for index in 0..<options.connections {
      connections.append(makeConnection(index, role: role, listens: listens))
    }
    if options.mode == .fanout || options.mode == .listen {
      writer = makeConnection(options.connections, role: "pub", listens: false)
    }
    for connection in connections + [writer].compactMap(\.self) {
      add_reader(poller, connection.descriptor, UInt32(connection.index))
      connection.isReady = true
    }
  }

  private func makeConnection(_ index: Int, role: String, listens: Bool) -> Connection {
    let connection = Connection(port: options.port, index: index)
    guard speaker.isWebSocket else { return connection }
    connection.send(Array(speaker.upgrade(role: role).utf8))
    waitFor(connection) { Framing.find("101 Switching", in: $0) != nil }
    connection.isUpgraded = true
    guard options.dialect == .firebase else { return connection }
    if !heardHello { waitFor(connection) { Framing.find("\"t\":\"h\"", in: $0) != nil } }
    heardHello = false
    if listens {
      connection.send(speaker.listen(index))
      waitFor(connection) { Framing.find("\"s\":\"ok\"", in: $0) != nil }
    }
    return connection
  }
  private var heardHello = false

  /// Reads until `isIt` says so of a message.
  private func waitFor(_ connection: Connection, _ isIt: (UnsafeRawBufferPointer) -> Bool) {
    var isThere = false
    let deadline = nanoseconds() + 10_000_000_000
    while !isThere {
      var wait = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&wait, 1, 1000)
      connection.read(
        into: scratch,
        split: { bytes in
          // The hello may come in one segment with the upgrade's answer.
          speaker.cut(bytes, isUpgraded: connection.isUpgraded || isThere)
        },
        message: { payload in
          if isThere { heardHello = true } else { isThere = isIt(payload) }
        })
      if nanoseconds() > deadline { quit("connection \(connection.index): no answer within 10 s") }
    }
  }

  // MARK: Running

  /// Runs for some seconds and tells how long it really took, in seconds.
  func run(seconds: Double) -> Double {
    let start = nanoseconds()
    let end = start + UInt64(seconds * 1e9)
    var now = start
    var lastProgress = start, lastDelivered = delivered
    while now < end {
      keepGoing()
      turn(milliseconds: 100)
      now = nanoseconds()
      if delivered != lastDelivered {
        lastDelivered = delivered
        lastProgress = now
      } else if now - lastProgress > 5_000_000_000 {
        quit("nothing arrived for 5 s: published \(published), delivered \(delivered)")
      }
    }
    return Double(now - start) / 1e9
  }

  /// Waits for what is still under way, so that a lost delivery shows.
  func drain() {
    isDraining = true
    let deadline = nanoseconds() + 5_000_000_000
    while delivered < published * fan, nanoseconds() < deadline { turn(milliseconds: 50) }
    guard delivered == published * fan else {
      quit("lost: published \(published) to \(fan) each, delivered \(delivered)")
    }
  }

  private var fan: Int { options.mode == .fanout ? options.connections : 1 }

  private func keepGoing() {
    switch options.mode {
    case .fanout, .listen:
      guard let writer else { return }
      if options.isBurst {
        if published * fan == delivered { publish(writer, options.window) }
      } else {
        let underway = (published * fan - delivered + fan - 1) / fan
        if underway < options.window { publish(writer, options.window - underway) }
      }
    case .echo, .put, .get:
      while published - delivered < min(options.window, connections.count) {
        ask(connections[published % connections.count])
      }
    case .idle: break
    }
  }

  private func publish(_ writer: Connection, _ count: Int) {
    var bytes: [UInt8] = []
    for _ in 0..<count {
      sentAt[published & 4095] = nanoseconds()
      bytes += speaker.write(published, index: published % options.connections)
      published += 1
    }
    writer.send(bytes)
  }

  private func ask(_ connection: Connection) {
    connection.sentAt = nanoseconds()
    connection.send(speaker.write(connection.expected, index: connection.index))
    published += 1
  }

  private func turn(milliseconds: CInt) {
    let count = wait_readable(poller, &readable, 512, milliseconds)
    guard count > 0 else { return }
    for index in readable[..<Int(count)].map(Int.init) {
      let connection = index < connections.count ? connections[index] : writer
      guard let connection else { continue }
      let isWriter = connection === writer
      connection.read(into: scratch, split: { speaker.cut($0, isUpgraded: connection.isUpgraded) }) {
        payload in
        if payload.isEmpty { return }
        if isWriter { acknowledge(payload) } else { hear(connection, payload) }
      }
    }
  }

  private func acknowledge(_ payload: UnsafeRawBufferPointer) {
    guard speaker.accepts(payload) else { refused(payload) }
    acknowledged += 1
  }

  @inline(__always)
  private func hear(_ connection: Connection, _ payload: UnsafeRawBufferPointer) {
    switch options.mode {
    case .fanout, .listen:
      guard let number = Speaker.number(payload) else { return }
      let wanted =
        options.mode == .fanout
        ? connection.expected : connection.expected * options.connections + connection.index
      guard number == wanted else { quit("connection \(connection.index) heard \(number), not \(wanted)") }
      connection.expected += 1
      delivered += 1
      latencies.add(nanoseconds: nanoseconds() - sentAt[number & 4095])
    case .echo:
      guard Speaker.number(payload) == connection.expected else { refused(payload) }
      answered(connection)
    case .put, .get:
      guard speaker.accepts(payload) else { refused(payload) }
      answered(connection)
    case .idle: break
    }
  }

  private func answered(_ connection: Connection) {
    connection.expected += 1
    delivered += 1
    latencies.add(nanoseconds: nanoseconds() - connection.sentAt)
    if !isDraining, published - delivered < options.window { ask(connection) }
  }

  private func refused(_ payload: UnsafeRawBufferPointer) -> Never {
    quit("refused: " + String(decoding: payload.prefix(400), as: UTF8.self))
  }
}

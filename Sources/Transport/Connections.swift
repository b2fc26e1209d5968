import Logging
import NIOCore
import Synchronization

/// How many connections are open, over all loops of a listener.
final class ConnectionGauge: Sendable {
  private let open = Atomic<Int>(0)

  var count: Int { open.load(ordering: .relaxed) }

  func enter() { open.add(1, ordering: .relaxed) }
  func leave() { open.subtract(1, ordering: .relaxed) }
}

/// The connections of one listener on one loop, and what they share. Used on that loop only.
final class Connections {
  let eventLoop: any EventLoop
  let router: any Router
  let limits: TransportLimits
  let logger: Logger
  let isTLS: Bool
  /// The server shuts down: connections end after what they are doing.
  private(set) var isQuiescing = false
  /// Where a message that came whole is unmasked.
  var scratch = ByteBuffer()
  /// The same timeouts in ticks.
  let ticks: Ticks

  private var wheel = DeadlineWheel()
  private let gauge: ConnectionGauge
  private let tick: TimeAmount
  private var timer: Scheduled<Void>?
  private var isAdvancing = false
  private var emptied: EventLoopPromise<Void>?

  struct Ticks {
    var head, bodyWindow, idle, stall, linger, silence, ping, close: Int32
  }

  init(
    eventLoop: any EventLoop, router: any Router, limits: TransportLimits, isTLS: Bool = false,
    logger: Logger = Logger(label: "transport"), gauge: ConnectionGauge = ConnectionGauge()
  ) {
    self.eventLoop = eventLoop
    self.router = router
    self.limits = limits
    self.isTLS = isTLS
    self.logger = logger
    self.gauge = gauge
    let times = [
      limits.headTimeoutSeconds, limits.bodyWindowSeconds, limits.idleTimeoutSeconds, limits.lingerSeconds,
      limits.stallTimeoutSeconds, limits.silenceSeconds / 2, limits.closeTimeoutSeconds,
    ]
    let tickSeconds = min(max((times.min() ?? 1) / 4, 0.01), 1)
    tick = .nanoseconds(Int64(tickSeconds * 1e9))
    // One more, because the current tick has already begun.
    func count(_ seconds: Double) -> Int32 {
      Int32(min(max((seconds / tickSeconds).rounded(.up), 0), 1e9)) + 1
    }
    ticks = Ticks(
      head: count(limits.headTimeoutSeconds), bodyWindow: count(limits.bodyWindowSeconds),
      idle: count(limits.idleTimeoutSeconds), stall: count(limits.stallTimeoutSeconds),
      linger: count(limits.lingerSeconds), silence: count(limits.silenceSeconds),
      ping: count(limits.silenceSeconds / 2), close: count(limits.closeTimeoutSeconds))
  }

  /// The ticks that have passed: the time as coarse as deadlines need it.
  var now: Int32 { wheel.now }
  var count: Int { wheel.count }

  /// Whether one more may be served. Several loops may ask at once, so the bound is exact to their number.
  var hasRoom: Bool { gauge.count < limits.connections }

  func add(_ connection: any Connection, deadline: Int32) {
    gauge.enter()
    wheel.add(connection, deadline: deadline)
    if timer == nil { startTimer() }
  }

  private func startTimer() {
    timer = eventLoop.assumeIsolated().scheduleTask(in: tick) {
      self.startTimer()
      self.advance()
    }
  }

  /// Forgets a connection that was added and has ended.
  func remove(_ connection: any Connection) {
    gauge.leave()
    wheel.remove(connection)
    rest()
  }

  /// Asks a connection about its deadline earlier than planned.
  func move(_ connection: any Connection, deadline: Int32) {
    wheel.remove(connection)
    wheel.add(connection, deadline: deadline)
  }

  /// Starts to end all connections; the result is there when none is left.
  func quiesce() -> EventLoopFuture<Void> {
    isQuiescing = true
    let promise = emptied ?? eventLoop.makePromise(of: Void.self)
    emptied = promise
    each { $0.quiesce() }
    rest()
    return promise.futureResult
  }

  /// Ends what is left.
  func cut() { each { $0.cut() } }

  private func each(_ body: (any Connection) -> Void) {
    for connection in wheel.members { body(connection) }
  }

  private func advance() {
    isAdvancing = true
    for connection in wheel.advance() {
      let next = connection.check(at: wheel.now)
      // One that was checked earlier may have moved or closed this one.
      if let next, connection.place == .none { wheel.add(connection, deadline: next) }
    }
    isAdvancing = false
    rest()
  }

  /// Nobody left: stops the clock.
  private func rest() {
    guard wheel.count == 0, !isAdvancing else { return }
    timer?.cancel()
    timer = nil
    emptied?.succeed()
    emptied = nil
  }
}

import NIOCore

/// The figures of one load.
struct BenchResult: Sendable {
  let name: String
  let unit: String
  let count: Int
  let seconds: Double
  /// What each operation took, in microseconds, in order of size.
  let microseconds: [Int64]

  var perSecond: Double { Double(count) / max(seconds, 1e-9) }

  func percentile(_ share: Double) -> Double {
    guard !microseconds.isEmpty else { return 0 }
    let place = Int((Double(microseconds.count) * share).rounded(.up)) - 1
    return Double(microseconds[min(max(place, 0), microseconds.count - 1)]) / 1000
  }

  init(name: String, unit: String, count: Int, seconds: Double, microseconds: [Int64]) {
    self.name = name
    self.unit = unit
    self.count = count
    self.seconds = seconds
    self.microseconds = microseconds.sorted()
  }
}

/// Writers that put one value after the other, each waiting for its acknowledgement.
final class PutLoad: BenchBehaviour {
  private let path: String
  private let value: String
  private let seconds: Int64
  private let promise: EventLoopPromise<BenchResult>
  private var waiting: Int
  private var connections: [BenchConnection] = []
  private var sentAt: [ObjectIdentifier: NIODeadline] = [:]
  private var startedAt = NIODeadline.now()
  private var isOver = false
  private var microseconds: [Int64] = []

  init(path: String, value: String, writers: Int, seconds: Int64, promise: EventLoopPromise<BenchResult>) {
    self.path = path
    self.value = value
    self.seconds = seconds
    self.promise = promise
    waiting = writers
  }

  func ready(_ connection: BenchConnection) {
    connections.append(connection)
    waiting -= 1
    guard waiting == 0 else { return }
    startedAt = .now()
    for (place, connection) in connections.enumerated() { put(on: connection, place) }
  }

  private func put(on connection: BenchConnection, _ number: Int) {
    sentAt[ObjectIdentifier(connection)] = .now()
    connection.request("p", #"{"p":"/\#(path)/k\#(number % 1000)","d":"\#(value)\#(number)"}"#)
  }

  func answered(_ number: Int64, isOK: Bool, on connection: BenchConnection) {
    guard !isOver else { return }
    guard isOK else { return failed("the server refused a write") }
    let now = NIODeadline.now()
    if let sent = sentAt[ObjectIdentifier(connection)] {
      microseconds.append((now - sent).nanoseconds / 1000)
    }
    if now - startedAt >= .seconds(seconds) { return finish(at: now) }
    put(on: connection, microseconds.count)
  }

  func pushed(_ connection: BenchConnection) {}

  func failed(_ reason: String) {
    guard !isOver else { return }
    isOver = true
    promise.fail(Failure(.serverFailed, "the load ended early: \(reason)"))
  }

  private func finish(at now: NIODeadline) {
    isOver = true
    connections.forEach { $0.close() }
    let took = Double((now - startedAt).nanoseconds) / 1e9
    promise.succeed(
      BenchResult(
        name: "put", unit: "puts/s", count: microseconds.count, seconds: took, microseconds: microseconds))
  }
}

/// One writer and many listeners of one path: the next value is put when the last listener has the one
/// before.
final class FanOutLoad: BenchBehaviour {
  private let path: String
  private let value: String
  private let seconds: Int64
  private let listeners: Int
  private let promise: EventLoopPromise<BenchResult>
  /// The last to be ready writes; the others listen.
  private var connections: [BenchConnection] = []
  private var listening = 0
  private var missing = 0
  private var hasAcknowledgement = true
  private var rounds = 0
  private var sentAt = NIODeadline.now()
  private var startedAt: NIODeadline?
  private var isOver = false
  private var microseconds: [Int64] = []

  init(path: String, value: String, listeners: Int, seconds: Int64, promise: EventLoopPromise<BenchResult>) {
    self.path = path
    self.value = value
    self.listeners = listeners
    self.seconds = seconds
    self.promise = promise
  }

  func ready(_ connection: BenchConnection) {
    connections.append(connection)
    guard connections.count == listeners + 1 else { return }
    for listener in connections.dropLast() { listener.request("q", #"{"p":"/\#(path)","h":""}"#) }
  }

  func answered(_ number: Int64, isOK: Bool, on connection: BenchConnection) {
    guard !isOver else { return }
    guard isOK else { return failed("the server refused a request") }
    if listening < listeners {
      listening += 1
      guard listening == listeners else { return }
      startedAt = .now()
      return put()
    }
    hasAcknowledgement = true
    goOn()
  }

  func pushed(_ connection: BenchConnection) {
    guard startedAt != nil, !isOver, missing > 0 else { return }
    missing -= 1
    if missing == 0 { microseconds.append((NIODeadline.now() - sentAt).nanoseconds / 1000) }
    goOn()
  }

  private func goOn() {
    guard missing == 0, hasAcknowledgement, let startedAt else { return }
    let now = NIODeadline.now()
    guard now - startedAt >= .seconds(seconds) else { return put() }
    isOver = true
    connections.forEach { $0.close() }
    let took = Double((now - startedAt).nanoseconds) / 1e9
    promise.succeed(
      BenchResult(
        name: "fan-out", unit: "deliveries/s", count: rounds * listeners, seconds: took,
        microseconds: microseconds))
  }

  private func put() {
    rounds += 1
    missing = listeners
    hasAcknowledgement = false
    sentAt = .now()
    connections.last?.request("p", #"{"p":"/\#(path)","d":"\#(value)\#(rounds)"}"#)
  }

  func failed(_ reason: String) {
    guard !isOver else { return }
    isOver = true
    promise.fail(Failure(.serverFailed, "the load ended early: \(reason)"))
  }
}

import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Transport

/// What handlers and routers saw, in order.
final class EventLog: Sendable {
  private let events = Mutex<[String]>([])

  func add(_ event: String) { events.withLock { $0.append(event) } }

  var all: [String] { events.withLock { $0 } }

  /// Waits until an event is there; false if it does not come.
  func waits(for event: String, seconds: Double = 5) async -> Bool {
    for _ in 0..<Int(seconds * 200) {
      if all.contains(event) { return true }
      try? await Task.sleep(nanoseconds: 5_000_000)
    }
    return false
  }
}

/// Sends back what it gets, and does what some texts say.
final class EchoHandler: MessageHandler {
  private var link: (any MessageLink)?
  private let log: EventLog

  init(log: EventLog) { self.log = log }

  func opened(link: any MessageLink) {
    self.link = link
    log.add("opened")
  }

  func received(_ message: ByteBuffer, isText: Bool) {
    guard let link else { return }
    var text = message
    switch isText && message.readableBytes < 100 ? text.readString(length: message.readableBytes) : nil {
    case "close": link.close(code: 4001, reason: "as you wish")
    case "flood":
      // More than any budget of the tests, in pieces.
      let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 60_000)
      for _ in 0..<200 { link.append(text: piece) }
    default:
      if isText {
        link.append(text: message)
      } else {
        var frames = ByteBuffer()
        WebSocketFraming.append(.binary, payload: message, to: &frames)
        link.append(frames: frames)
      }
    }
  }

  func receivedAll() {
    log.add("all")
    link?.flush()
  }

  func closed() {
    link = nil
    log.add("closed")
  }
}

struct TestRouter: Router {
  var log = EventLog()
  var bodyLimitBytes = 1 << 20
  var answer: @Sendable (Exchange) -> Void = TestRouter.describe
  var handler: @Sendable (EventLog) -> any MessageHandler = { EchoHandler(log: $0) }

  func respond(to exchange: Exchange) { answer(exchange) }

  func acceptWebSocket(_ head: RequestHead, on eventLoop: any EventLoop) -> WebSocketDecision {
    head.path == "/forbidden" ? .refuse(status: 403, text: "not here") : .accept(handler(log))
  }

  func bodyLimitBytes(for head: RequestHead) -> Int { bodyLimitBytes }

  /// Answers with what was asked.
  static let describe: @Sendable (Exchange) -> Void = { exchange in
    var body = ByteBuffer(string: "\(exchange.head.method) \(exchange.head.path) \(exchange.head.query) ")
    body.writeImmutableBuffer(exchange.body)
    exchange.respond(status: 200, headers: [("Content-Type", "text/plain")], body: body)
  }
}

/// Runs a test against a listener on loopback, and ends it afterwards.
func withServer(
  _ router: TestRouter = TestRouter(), limits: TransportLimits = TransportLimits(), threads: Int = 1,
  _ body: (Int, Listener) async throws -> Void
) async throws {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
  let listener = try await Listener.start(
    on: .tcp(host: "127.0.0.1", port: 0), group: group, router: router, limits: limits)
  do {
    try await body(try #require(listener.boundPort), listener)
  } catch {
    await listener.shutdown(graceSeconds: 0)
    try await group.shutdownGracefully()
    throw error
  }
  await listener.shutdown(graceSeconds: 0)
  try await group.shutdownGracefully()
  #expect(listener.connectionCount == 0)
}

/// A value in a place of its own, so that an expectation may change it.
final class Box<Value> {
  private var value: Value

  init(_ value: Value) { self.value = value }

  func callAsFunction<Result>(_ body: (inout Value) -> Result) -> Result { body(&value) }
}

import FirebaseWire
import Synchronization
import Testing

/// A client that begins with polls and moves to a WebSocket as the official one does.
struct MovedClient: ScriptedClient {
  let greeting: Greeting
  let socket: TestConnection
  let polled: PolledClient

  /// What came by polls.
  final class Greeting: Sendable {
    private let texts: Mutex<[String]>
    init(_ texts: [String]) { self.texts = Mutex(texts) }
    func take() -> [String] {
      texts.withLock { texts in
        defer { texts = [] }
        return texts
      }
    }
  }

  static let ready = #"{"t":"c","d":{"t":"a","d":{}}}"#
  static let end = #"{"t":"c","d":{"t":"n","d":{}}}"#
  static let ping = #"{"t":"c","d":{"t":"p","d":{}}}"#
  static let pong = #"{"t":"c","d":{"t":"o","d":null}}"#

  static func start(in room: FirebaseRoom, _ query: String) async throws -> MovedClient {
    let polled = try await PolledClient.start(in: room, query)
    let greeting = polled.received()
    let name = try #require(greeting.first?.firstMatch(of: /"s":"(\w+)"/)).1
    let socket = try await room.connect("v=5&ns=default&s=\(name)", onOtherLoop: true)
    #expect(socket.received() == [ready])
    try await socket.send(ping)
    try await socket.send(ping)
    #expect(socket.received() == [pong, pong])
    try await socket.send(ready)
    try await polled.send(burst: [end])
    #expect(polled.received() == [end])
    #expect(polled.isClosed)
    return MovedClient(greeting: Greeting(greeting), socket: socket, polled: polled)
  }

  func send(burst messages: [String]) async throws { try await socket.send(burst: messages) }
  func received() -> [String] { greeting.take() + socket.received() }
  func drop() async throws { try await socket.drop() }
}

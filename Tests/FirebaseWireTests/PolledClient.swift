import FirebaseWire
import Foundation
import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import Transport

/// A request that a test makes of the long-polling carrier, and what it is answered.
final class TestPoll: ExchangeSink, Sendable {
  struct Answer: Sendable {
    var status = 0
    var headers: [(String, String)] = []
    var body = ""

    /// The value of a header.
    subscript(name: String) -> String? { headers.first { $0.0 == name }?.1 }
  }

  private let state = Mutex<Answer?>(nil)
  private let exchange = Mutex<NIOLoopBound<Exchange>?>(nil)

  /// Makes a request on a connection of a loop; what follows from it happens when the room settles.
  static func send(
    _ query: String, to services: FirebaseServices, on loop: NIOAsyncTestingEventLoop, method: String = "GET"
  ) async throws -> TestPoll {
    let poll = TestPoll()
    try await loop.executeInContext {
      let head = RequestHead(
        method: method, target: "/.lp?" + query, headers: [("Host", "db.example.com:9000")])
      let exchange = Exchange(head: head, body: ByteBuffer(), eventLoop: loop, sink: poll)
      poll.exchange.withLock { $0 = NIOLoopBound(exchange, eventLoop: loop) }
      services.respondToPoll(exchange)
    }
    return poll
  }

  /// The answer, if it has come.
  var answer: Answer? { state.withLock { $0 } }
  /// What the answer's script hands to the page.
  var script: PollAnswer? { answer.map { PollAnswer($0.body) } }

  /// The peer closes the connection.
  func leave() async throws {
    guard let exchange = exchange.withLock({ $0 }) else { return }
    try await (exchange.eventLoop as? NIOAsyncTestingEventLoop)?.executeInContext {
      exchange.value.peerLeft()
    }
  }

  func send(status: Int, headers: [(String, String)], body: ByteBuffer) {
    state.withLock { $0 = Answer(status: status, headers: headers, body: String(buffer: body)) }
  }

  func startBody(status: Int, headers: [(String, String)]) {}
  func writeBody(_ piece: ByteBuffer) {}
  func endBody() {}
  var isWritable: Bool { true }
  func startEventStream(headers: [(String, String)]) -> EventStream { preconditionFailure("no stream") }
  func abort() {}
}

/// What a script tells a page, read as the official client's functions would be called.
struct PollAnswer: Equatable {
  var key: PollKey?
  /// The answers by their numbers, each with its messages.
  var messages: [(number: Int, texts: [String])] = []
  /// Told to close: after an answer, or at once.
  var close: Int??
  /// What is not one of the three calls.
  var noise: [Substring] = []

  static func == (a: PollAnswer, b: PollAnswer) -> Bool {
    a.key == b.key && a.close == b.close && a.noise == b.noise
      && a.messages.map(\.number) == b.messages.map(\.number)
      && a.messages.map(\.texts) == b.messages.map(\.texts)
  }

  init(_ script: String) {
    for call in script.components(separatedBy: ";\n") where !call.isEmpty {
      if let match = call.firstMatch(of: /pLPCommand\("start","(\w+)","(\w+)"\)$/) {
        key = PollKey(id: String(match.1), password: String(match.2))
      } else if let match = call.wholeMatch(of: /(?s)pRTLPCB\((\d+),\[(.*)\]\)/) {
        let texts = match.2.isEmpty ? [] : String(match.2).components(separatedBy: ",\n")
        messages.append((Int(match.1) ?? -1, texts))
      } else if let match = call.wholeMatch(of: /pLPCommand\("close"(?:,(\d+))?\)/) {
        close = .some(match.1.flatMap { Int($0) })
      } else if call == "if(typeof pLPCommand==\"function\")pLPCommand(\"close\")" {
        close = .some(nil)
      } else if !call.hasPrefix("(function(frame){") || !call.hasSuffix("(window)") {
        noise.append(call[...])
      }
    }
  }
}

/// A client that polls as the official one does: one idle poll, and a second to send.
final class PolledClient: ScriptedClient {
  struct State {
    var serial: Int64 = 1000
    var segment = 0
    var open: [TestPoll] = []
    var answers: [Int: [String]] = [:]
    var next = 0
    var isClosed = false
    var noise: [Substring] = []
  }

  let room: FirebaseRoom
  let loop: NIOAsyncTestingEventLoop
  let key: PollKey
  private let state: Mutex<State>

  init(room: FirebaseRoom, loop: NIOAsyncTestingEventLoop, key: PollKey, state: State) {
    self.room = room
    self.loop = loop
    self.key = key
    self.state = Mutex(state)
  }

  /// Starts a session and opens the first poll.
  static func start(
    in room: FirebaseRoom, _ query: String = "v=5&ns=default", on loop: NIOAsyncTestingEventLoop? = nil
  ) async throws -> PolledClient {
    let loop = loop ?? room.loop
    let start = try await TestPoll.send("start=t&ser=1&cb=3&" + query, to: room.services, on: loop)
    await room.settle()
    let script = try #require(start.script)
    let key = try #require(script.key)
    let client = PolledClient(room: room, loop: loop, key: key, state: State(open: [start]))
    client.collect()
    try await client.poll()
    return client
  }

  /// The address of a poll, with messages or without.
  func query(serial: Int64, _ segments: String = "") -> String {
    "id=\(key.id)&pw=\(key.password)&ser=\(serial)&ns=default\(segments)"
  }

  /// The pieces of messages, as they stand in an address.
  func segments(_ messages: [String], of length: Int = 1840) -> String {
    var text = ""
    var index = 0
    for message in messages {
      let letters = Array(Self.encode(message))
      let pieces = stride(from: 0, to: letters.count, by: length).map {
        String(letters[$0..<min($0 + length, letters.count)])
      }
      for piece in pieces {
        let place = state.withLock { state in
          defer { state.segment += 1 }
          return state.segment
        }
        text += "&seg\(index)=\(place)&ts\(index)=\(pieces.count)&d\(index)=\(piece)"
        index += 1
      }
    }
    return text
  }

  static func encode(_ message: String) -> String {
    Data(message.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: ".")
  }

  /// Opens a poll with these pieces, and lets all that follows from it happen.
  @discardableResult
  func poll(_ segments: String = "", on loop: NIOAsyncTestingEventLoop? = nil) async throws -> TestPoll {
    let serial = state.withLock { state in
      state.serial += 1
      return state.serial
    }
    let poll = try await TestPoll.send(
      query(serial: serial, segments), to: room.services, on: loop ?? self.loop)
    state.withLock { $0.open.append(poll) }
    await room.settle()
    return poll
  }

  func send(burst messages: [String]) async throws {
    try await poll(segments(messages))
    // As the client does, as long as something comes.
    while !isClosed, hasAnswer { try await again() }
  }

  private func again() async throws {
    collect()
    if state.withLock({ $0.open.isEmpty }) { try await poll() }
  }

  private var hasAnswer: Bool { state.withLock { $0.open.contains { $0.answer != nil } } }
  var isClosed: Bool { state.withLock(\.isClosed) }
  /// The polls that are open.
  var openPolls: [TestPoll] { state.withLock(\.open) }
  /// What was in the scripts but calls.
  var noise: [Substring] { state.withLock(\.noise) }
  /// The number that the next answer must have.
  var nextNumber: Int { state.withLock(\.next) }

  /// Takes in what polls have been answered.
  func collect() {
    state.withLock { state in
      for poll in state.open {
        guard let script = poll.script else { continue }
        for (number, texts) in script.messages {
          #expect(state.answers[number] == nil && number >= state.next, "number \(number) came twice")
          state.answers[number] = texts
        }
        if script.close != nil { state.isClosed = true }
        state.noise += script.noise
      }
      state.open.removeAll { $0.answer != nil }
    }
  }

  /// The messages in the order of their answers' numbers; those behind a gap have not come.
  func received() -> [String] {
    collect()
    return state.withLock { state in
      var texts: [String] = []
      while let next = state.answers.removeValue(forKey: state.next) {
        texts += next
        state.next += 1
      }
      return texts
    }
  }

  /// Polls again if nothing waits, so that what has come meanwhile is sent.
  func refresh() async throws {
    collect()
    if !isClosed, openPolls.isEmpty { try await poll() }
    while !isClosed, hasAnswer { try await again() }
  }

  func drop() async throws {
    _ = try await TestPoll.send(
      "disconn=t&id=\(key.id)&pw=\(key.password)&ns=default", to: room.services, on: loop)
    await room.settle()
  }
}

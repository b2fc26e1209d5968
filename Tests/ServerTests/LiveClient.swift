import Foundation
import Server
import TestSupport

/// One client of a database on a real WebSocket, in either dialect.
final class LiveClient {
  enum Dialect: CaseIterable {
    case firebase, wilddog
  }

  /// What the server says unasked, in order: `ac`, `c`, `d`, with its body.
  struct Push {
    let name: String
    let body: [String: Any]
  }

  private let socket: WireClient
  private let dialect: Dialect
  private var number = 0
  private var pushes: [Push] = []

  init(_ server: TestServer, _ dialect: Dialect = .firebase, database: String = "default") async throws {
    self.dialect = dialect
    let query =
      switch dialect {
      case .firebase: "/.ws?v=5&ns=\(database)"
      case .wilddog: "/.ws/?v=1.0&cv=2.5.17&ns=\(database)&EIO=3&transport=websocket"
      }
    socket = try await WireClient.webSocket(port: server.server.port, path: query)
    // The greeting is the first message.
    _ = try await message()
  }

  /// Asks for something, and waits for how it went.
  @discardableResult
  func ask(_ action: String, _ body: [String: Any]) async throws -> String {
    number += 1
    let asked = number
    let request: [String: Any] = ["t": "d", "d": ["r": asked, "a": action, "b": body]]
    let text = String(decoding: try JSONSerialization.data(withJSONObject: request), as: UTF8.self)
    try await socket.send(WireFrame.text(dialect == .firebase ? text : #"42["wd",\#(text)]"#))
    while true {
      let message = try await message()
      guard let data = message["d"] as? [String: Any] else { continue }
      if data["r"] as? Int == asked { return (data["b"] as? [String: Any])?.text("s") ?? "" }
      note(data)
    }
  }

  /// The next thing that the server says unasked.
  func push() async throws -> Push {
    while pushes.isEmpty {
      if let data = try await message()["d"] as? [String: Any] { note(data) }
    }
    return pushes.removeFirst()
  }

  /// Forgets what it has said unasked so far.
  func forget() { pushes = [] }

  /// What it has said so far besides answers.
  var heard: [String] { pushes.map(\.name) }

  func close() { socket.close() }

  private func note(_ data: [String: Any]) {
    guard let body = data["b"] as? [String: Any] else { return }
    pushes.append(Push(name: data.text("a"), body: body))
  }

  private func message() async throws -> [String: Any] {
    let start = ContinuousClock.now
    while true {
      // What keeps the connection alive comes all the time.
      guard ContinuousClock.now - start < .seconds(60) else {
        throw WireClient.Failure(text: "nothing was said for a minute")
      }
      let frame = try await socket.readFrame()
      guard frame.opcode == 1 else {
        if frame.opcode == 8 { throw WireClient.Failure(text: "closed with \(frame.closeCode ?? 0)") }
        continue
      }
      var text = String(decoding: frame.payload, as: UTF8.self)
      if dialect == .wilddog {
        guard text.hasPrefix(#"42["wd","#), text.hasSuffix("]") else { continue }
        text = String(text.dropFirst(#"42["wd","#.count).dropLast())
      }
      return AuthClient.object(text)
    }
  }
}

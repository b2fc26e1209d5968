import Engine
import Foundation
import TestSupport
import Testing

/// A recorded session of any number of clients, as the corpus holds it: one step a line.
///
///     # a remark
///     @rules {…}               the rules of the database, before the first connection
///     @connect A ns=x&ls=$1    client A opens a connection; $1 is the first session's name
///     @drop A                  client A's connection is lost
///     @install {…}             the operator installs rules
///     @now 1700000009000       the clock is set
///     A> text                  client A sends a frame, and everything that follows from it happens
///     A+ text                  the same, but more comes with the same read
///     A< text                  client A has been sent exactly this message, after those before; where
///                              it first holds $M is a mark of the log, which $M is from then on
///
/// All that a client is sent must be in the script, before the next step.
struct SessionScript {
  let name: String
  let lines: [String]

  static func all() throws -> [SessionScript] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpora/firebase")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try names.filter { $0.hasSuffix(".session") }.map { name in
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      return SessionScript(name: name, lines: text.components(separatedBy: "\n"))
    }
  }

  /// How the clients of a session are carried.
  enum Carrier: CaseIterable {
    case webSocket, longPolling
    /// Long polling at first, and a WebSocket before the first request.
    case moved
  }

  private static func around(_ name: String, in text: String) -> (before: String, after: String)? {
    let parts = text.components(separatedBy: name)
    return parts.count == 2 ? (parts[0], parts[1]) : nil
  }

  func run(by carrier: Carrier = .webSocket) async throws {
    let rules = lines.first { $0.hasPrefix("@rules ") }?.dropFirst("@rules ".count)
    var player = Player(
      name: name, room: try await FirebaseRoom(rules: rules.map(String.init)), carrier: carrier)
    for (index, line) in lines.enumerated() { try await player.play(line, number: index + 1) }
    player.expectNothing(before: lines.count)
  }

  private struct Player {
    let name: String
    let room: FirebaseRoom
    let carrier: Carrier
    var clients: [Character: any ScriptedClient] = [:]
    /// What came and was not asked for yet.
    var inboxes: [Character: [String]] = [:]
    var burst: [String] = []
    /// The mark of the log that the session is about.
    var mark: String?
    var now: Int64 = 1_700_000_000_123

    mutating func play(_ line: String, number: Int) async throws {
      guard let first = line.first, first != "#" else { return }
      if first == "@" { return try await direct(line, number: number) }
      let text = line.dropFirst(3)
      switch line.dropFirst().prefix(2) {
      case "+ ": burst.append(expanded(text))
      case "> ":
        expectNothing(before: number)
        let frames = burst + [expanded(text)]
        burst = []
        try await client(first, number).send(burst: frames)
        try await collect()
      case "< ":
        let expected = expanded(text)
        guard let said = inboxes[first]?.first else {
          Issue.record("\(name):\(number): nothing came, expected \(expected)")
          return
        }
        inboxes[first]?.removeFirst()
        if mark == nil, let parts = SessionScript.around("$M", in: expected), said.hasPrefix(parts.before),
          said.hasSuffix(parts.after)
        {
          mark = String(said.dropFirst(parts.before.count).dropLast(parts.after.count))
          return
        }
        if said != expected { Issue.record("\(name):\(number): expected \(expected)\ncame     \(said)") }
      default: Issue.record("\(name):\(number): not a step: \(line)")
      }
    }

    private mutating func direct(_ line: String, number: Int) async throws {
      expectNothing(before: number)
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      let rest = words.count > 1 ? words[1] : ""
      switch words[0] {
      case "@rules": break
      case "@connect":
        let query = rest.split(separator: " ", maxSplits: 1).dropFirst().first ?? "v=5&ns=default"
        clients[rest.first ?? "A"] = try await connect(expanded(query))
      case "@drop":
        let name = rest.first ?? "A"
        try await client(name, number).drop()
        clients[name] = nil
      case "@install":
        try await room.enter { $0.installRules(rest, tag: 1, client: $1) }
      case "@now":
        let next = Int64(rest) ?? 0
        room.clock.advance(milliseconds: next - now)
        now = next
      default: Issue.record("\(name):\(number): not a step: \(line)")
      }
      try await collect()
    }

    private func connect(_ query: String) async throws -> any ScriptedClient {
      switch carrier {
      case .webSocket: try await room.connect(query)
      case .longPolling: try await PolledClient.start(in: room, query)
      case .moved: try await MovedClient.start(in: room, query)
      }
    }

    private func client(_ name: Character, _ number: Int) throws -> any ScriptedClient {
      try #require(clients[name], "\(self.name):\(number): no client \(name)")
    }

    private mutating func collect() async throws {
      for (name, client) in clients {
        try await client.refresh()
        inboxes[name, default: []] += client.received()
      }
    }

    mutating func expectNothing(before number: Int) {
      for (client, texts) in inboxes.sorted(by: { $0.key < $1.key }) {
        for text in texts { Issue.record("\(name):\(number): unasked for, \(client) was sent \(text)") }
      }
      inboxes = [:]
    }

    private func expanded(_ text: some StringProtocol) -> String {
      var text = String(text)
      if let mark { text = text.replacingOccurrences(of: "$M", with: mark) }
      for number in 1...9 {
        text = text.replacingOccurrences(
          of: "$\(number)", with: "session" + String(repeating: "0", count: 24) + "\(number)")
      }
      return text
    }
  }
}

extension SessionScript: CustomTestStringConvertible {
  var testDescription: String { name }
}

@Suite struct SessionCorpusTests {
  @Test(arguments: try SessionScript.all(), SessionScript.Carrier.allCases)
  func `a recorded session goes as it should`(script: SessionScript, by carrier: SessionScript.Carrier)
    async throws
  {
    try await script.run(by: carrier)
  }
}

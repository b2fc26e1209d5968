import Foundation
import TestSupport
import Testing

/// A recorded session of Wilddog clients, as the corpus holds it: one step a line.
///
///     # a remark
///     @rules {…}               the rules of the database, before the first connection
///     @connect A ns=x          client A opens a session
///     @drop A                  client A leaves, without a word where there is a socket to close
///     @install {…}             the operator installs rules
///     @now 1700000009000       the clock is set
///     A> text                  client A sends a message, and everything that follows from it happens
///     A+ text                  the same, but more comes with the same read
///     A< text                  client A has been sent exactly this message, after those before
///
/// All that a client is sent must be in the script, before the next step. Here messages stand without the
/// `42["wd",…]` around them.
struct WilddogScript: CustomTestStringConvertible {
  let name: String
  let lines: [String]

  /// A revision of Engine.IO and what carries it.
  struct Carriage: CustomTestStringConvertible {
    let revision: Int
    let carrier: EngineClient.Carrier

    static let all =
      EngineClient.Carrier.allCases.map { Carriage(revision: 3, carrier: $0) }
      + EngineClient.Carrier.allCases.filter { $0 != .binaryPolling }.map {
        Carriage(revision: 4, carrier: $0)
      }

    var testDescription: String { "\(carrier) of revision \(revision)" }
  }

  static func all() throws -> [WilddogScript] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpora/engineio")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try names.filter { $0.hasSuffix(".session") }.map { name in
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      return WilddogScript(name: name, lines: text.components(separatedBy: "\n"))
    }
  }

  var testDescription: String { name }

  func run(by carriage: Carriage) async throws {
    let rules = lines.first { $0.hasPrefix("@rules ") }?.dropFirst("@rules ".count)
    try await EngineRoom.run(rules: rules.map(String.init)) { room in
      var player = Player(name: name, room: room, carriage: carriage)
      for (index, line) in lines.enumerated() { try await player.play(line, number: index + 1) }
      player.expectNothing(before: lines.count)
      for client in player.clients.values { client.engine.drop() }
    }
  }

  private struct Player {
    let name: String
    let room: EngineRoom
    let carriage: Carriage
    var clients: [Character: WilddogClient] = [:]
    /// What came and was not asked for yet.
    var inboxes: [Character: [String]] = [:]
    var burst: [String] = []
    var now: Int64 = 1_700_000_000_123

    mutating func play(_ line: String, number: Int) async throws {
      guard let first = line.first, first != "#" else { return }
      if first == "@" { return try await direct(line, number: number) }
      let text = expanded(line.dropFirst(3))
      switch line.dropFirst().prefix(2) {
      case "+ ": burst.append(text)
      case "> ":
        expectNothing(before: number)
        let messages = burst + [text]
        burst = []
        let client = try client(first, number)
        try await client.send(messages)
        try await client.settle()
        try await collect()
      case "< ":
        guard let said = try await said(to: first, number) else {
          Issue.record("\(name):\(number): nothing came, expected \(text)")
          return
        }
        if said != text { Issue.record("\(name):\(number): expected \(text)\ncame     \(said)") }
      default: Issue.record("\(name):\(number): not a step: \(line)")
      }
    }

    /// The next message for a client; what time brings may have to be waited for.
    private mutating func said(to name: Character, _ number: Int) async throws -> String? {
      if inboxes[name]?.isEmpty == false { return inboxes[name]?.removeFirst() }
      return try await client(name, number).next()
    }

    private mutating func direct(_ line: String, number: Int) async throws {
      expectNothing(before: number)
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      let rest = words.count > 1 ? words[1] : ""
      switch words[0] {
      case "@rules": break
      case "@connect":
        let query = rest.split(separator: " ", maxSplits: 1).dropFirst().first ?? "v=1.0&cv=2.5.17&ns=default"
        clients[rest.first ?? "A"] = try await WilddogClient(
          port: room.port, revision: carriage.revision, carrier: carriage.carrier, query: expanded(query))
      case "@drop":
        let name = rest.first ?? "A"
        try await client(name, number).engine.leave()
        clients[name] = nil
      case "@install":
        try await room.install(rest)
        try await collect()
      case "@now":
        let next = Int64(rest) ?? 0
        room.clock.advance(milliseconds: next - now)
        now = next
      default: Issue.record("\(name):\(number): not a step: \(line)")
      }
    }

    private func client(_ name: Character, _ number: Int) throws -> WilddogClient {
      try #require(clients[name], "\(self.name):\(number): no client \(name)")
    }

    private mutating func collect() async throws {
      for (name, client) in clients {
        try await client.settle()
        inboxes[name, default: []] += client.takeAll()
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
      for number in 1...9 {
        text = text.replacingOccurrences(
          of: "$\(number)", with: "session" + String(repeating: "0", count: 24) + "\(number)")
      }
      return text
    }
  }
}

@Suite struct WilddogCorpusTests {
  @Test(arguments: try WilddogScript.all(), WilddogScript.Carriage.all)
  func `a recorded session goes as it should`(
    script: WilddogScript, by carriage: WilddogScript.Carriage
  ) async throws {
    try await script.run(by: carriage)
  }
}

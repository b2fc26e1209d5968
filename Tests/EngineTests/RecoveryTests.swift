import Engine
import JSONTree
import Rules
import Synchronization
import TestSupport
import Testing

struct RecoveryTests {
  @Test func `a database starts from its checkpoint and the log behind it, which is trimmed`() async throws {
    let rig = try await Rig.open { $0.checkpointEntries = 5 }
    for i in 0..<13 { try await rig.given("k\(i)", "\(i)") }
    try await rig.settle { rig.checkpoints.saved(rig.database.id)?.position.index == 10 }
    try await rig.settle { rig.log.log.count(of: rig.database.id) == 4 }
    // The entry at the checkpoint stays, so that the chain can be followed.
    #expect(rig.log.log.count(of: rig.database.id) == 4)
    let tree = try await rig.tree()
    #expect(try await rig.crashed().tree() == tree)
    #expect(tree.contains(#""k12":12"#))
  }

  @Test func `a checkpoint is also made when enough time has passed, and a failed one again`() async throws {
    let rig = try await Rig.open { $0.checkpointSeconds = 30 }
    rig.checkpoints.failSaves(times: 1)
    try await rig.given("a", "1")
    await rig.pass(milliseconds: 31000)
    try await rig.settle { rig.checkpoints.saves == 1 }
    for _ in 0..<100 where rig.checkpoints.saved(rig.database.id) == nil {
      await rig.pass(milliseconds: 31000)
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(rig.checkpoints.saved(rig.database.id)?.position.index == 1)
    #expect(try await rig.crashed().tree() == #"{"a":1}"#)
  }

  @Test func `closing ends sessions, commits what waits and leaves a checkpoint`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client(session: "s1")
    let request = try put("a", "1")
    let later = DisconnectOperation.put(at("b"), try value("2"))
    let done = Flag()
    await rig.enter { database in
      database.onDisconnect(later, tag: 1, client: client.client)
      database.write(request, tag: 2, client: client.client)
      database.close { done.raise() }
    }
    try await rig.settle { done.isRaised }
    let saved = rig.checkpoints.saved(rig.database.id)
    #expect(saved?.root.text() == #"{"data":{"a":1,"b":2}}"#)
    let late = try await rig.client()
    await rig.enter { $0.write(request, tag: 3, client: late.client) }
    #expect(late.received.take() == ["answer 3 closed"])
    #expect(try await rig.crashed().tree() == #"{"a":1,"b":2}"#)
  }

  @Test func `a log that ends before its checkpoint, or can't be read, is refused by name`() async throws {
    let rig = try await Rig.open { $0.checkpointEntries = 3 }
    for i in 0..<3 { try await rig.given("k\(i)", "1") }
    try await rig.settle { rig.checkpoints.saved(rig.database.id) != nil }
    try await rig.given("a", "1")
    rig.log.log.damage(rig.database.id, index: 4, to: #"[["d","a",]]"#)
    await #expect(throws: CommitLogError.self) { _ = try await rig.crashed() }
    rig.log.log.lose(rig.database.id, after: 2)
    let error = await #expect(throws: CommitLogError.self) { _ = try await rig.crashed() }
    guard case .corrupt(let text)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(text.hasPrefix("test: "))
  }

  @Test func `rules from the log are in force after a start`() async throws {
    let rig = try await Rig.open()
    let admin = try await rig.client(.admin)
    let rules = #"{"rules":{".read":true,".write":false}}"#
    await rig.enter { $0.installRules(rules, tag: 1, client: admin.client) }
    let next = try await rig.crashed()
    let client = try await next.client()
    let request = try put("a", "1")
    await next.enter { $0.write(request, tag: 1, client: client.client) }
    #expect(client.received.take() == ["answer 1 denied"])
    #expect(try await next.read { $0.rules.text } == rules)
    // Without a text the default rules come back.
    let other = try await next.client(.admin)
    await next.enter { $0.installRules(nil, tag: 2, client: other.client) }
    await next.enter { $0.write(request, tag: 3, client: client.client) }
    #expect(client.received.take() == ["answer 3 written"])
  }
}

/// Something that happened on another thread.
final class Flag: Sendable {
  private let state = Mutex(false)

  var isRaised: Bool { state.withLock { $0 } }
  func raise() { state.withLock { $0 = true } }
}

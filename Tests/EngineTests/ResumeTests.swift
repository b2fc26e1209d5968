import JSONTree
import NIOCore
import Rules
import TestSupport
import Testing

@testable import Engine

struct ResumeTests {
  private func listen(_ rig: Rig, _ client: TestClient, _ id: ListenID, _ path: String, since: LogMark?) async
  {
    let request = ListenRequest(path: at(path), form: PushForm(dialect: 1), listen: id, since: since)
    await rig.enter { $0.listen(request, tag: id, client: client.client) }
  }

  private func mark(_ rig: Rig) async throws -> LogMark {
    let client = try await rig.client(.admin)
    await rig.enter { $0.mark(tag: 7, client: client.client) }
    let text = try #require(client.received.take().first)
    let words = text.split(separator: " ").map { $0.trimmingPrefix { $0 == "\"" } }
    return try #require(LogMark(String(words.last?.dropLast() ?? "")))
  }

  @Test func `a mark is read as it was written, and nothing else is`() {
    let mark = LogMark(index: 12, check: 0xab)
    #expect(mark.text == "12.ab")
    #expect(LogMark("12.ab") == mark)
    for text in ["", ".", "1", "1.", ".1", "-1.1", "1.g", "1.1.1", String(repeating: "9", count: 40) + ".1"] {
      #expect(LogMark(text) == nil, "\(text)")
    }
    let last = LogMark(index: .max, check: .max)
    #expect(LogMark(last.text) == last)
  }

  @Test func `who comes back with a mark hears only of what was written since`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", #"{"b":1,"c":{"d":2,"e":3}}"#)
    let seen = try await mark(rig)
    try await rig.given("a/c/d", "5")
    try await rig.given("x", "1")
    try await rig.given("a/b", "null")
    try await rig.given("a/c/d", "6")
    let client = try await rig.client()
    await listen(rig, client, 1, "a", since: seen)
    #expect(client.received.take() == [#"change 1 merge a {"b":null,"c/d":6}"#, "answer 1 listening"])
    try await rig.given("a/c/e", "4")
    #expect(client.received.take() == ["push set a/c/e 4"])
    // Nothing since, and something above.
    let present = try await mark(rig)
    let other = try await rig.client()
    await listen(rig, other, 1, "a", since: present)
    #expect(other.received.take() == ["answer 1 listening"])
    try await rig.given("", #"{"a":{"z":1}}"#)
    let third = try await rig.client()
    await listen(rig, third, 1, "a", since: present)
    #expect(third.received.take() == [#"initial 1 {"z":1}"#, "answer 1 listening"])
  }

  @Test func `a mark of another log, of the future or from before the memory gets everything`() async throws {
    let rig = try await Rig.open { $0.historyPaths = 10 }
    try await rig.given("a", "1")
    let early = try await mark(rig)
    for number in 2..<9 { try await rig.given("a", "\(number)") }
    let present = try await mark(rig)
    let marks = [
      early, LogMark(index: present.index, check: present.check &+ 1),
      LogMark(index: present.index + 1, check: 0), LogMark(index: .max, check: .max), nil,
    ]
    for (id, mark) in marks.enumerated() {
      let client = try await rig.client()
      await listen(rig, client, ListenID(id), "a", since: mark)
      #expect(
        client.received.take() == ["initial \(id) 8", "answer \(id) listening"], "\(String(describing: mark))"
      )
    }
  }

  @Test func `after a restart the mark of the last entry still holds`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", "1")
    let seen = try await mark(rig)
    let again = try await rig.crashed()
    let client = try await again.client()
    await listen(again, client, 1, "a", since: seen)
    #expect(client.received.take() == ["answer 1 listening"])
    try await again.given("a", "2")
    let late = try await again.client()
    await listen(again, late, 1, "a", since: seen)
    #expect(late.received.take() == ["initial 1 2", "answer 1 listening"])
  }

  @Test func `what is remembered is bounded by count and by time`() async throws {
    let rig = try await Rig.open {
      $0.historyPaths = 50
      $0.historySeconds = 100
    }
    for number in 0..<200 { try await rig.given("k\(number)", "1") }
    let count = try await rig.read { $0.history.count }
    #expect(count <= 50)
    #expect(count > 40)
    rig.clock.advance(milliseconds: 101_000)
    try await rig.given("late", "1")
    let late = try await rig.read { $0.history.count }
    #expect(late == 2)
    // An update of very many places is one place.
    let update = (0..<100).map { "\"p\($0)\":1" }.joined(separator: ",")
    let writer = try await rig.client(.admin)
    let request = try merge("wide", "{\(update)}")
    await rig.enter { $0.write(request, tag: 1, client: writer.client) }
    let wide = try await rig.read { $0.history.count }
    #expect(wide == 4)
  }

  /// Against a model that holds every past tree: whoever applies what it is told has the present one.
  @Test func `whatever the past and the listen, who applies what it hears has the present`() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededNumbers(seed: seed)
    let rig = try await Rig.open { $0.historyPaths = 60 }
    let keys = ["a", "b", "c"]
    var past: [(mark: LogMark, tree: Node)] = []
    for _ in 0..<120 {
      let path = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        keys.randomElement(using: &random) ?? "a"
      }
      let text = ["1", "2", "null", #"{"a":1,"b":{"c":2}}"#, #"{".value":3,".priority":4}"#]
      try await rig.given(path.joined(separator: "/"), text.randomElement(using: &random) ?? "1")
      past.append((try await mark(rig), try await rig.read { $0.committed.data }))
      guard Int.random(in: 0..<3, using: &random) == 0, let before = past.randomElement(using: &random) else {
        continue
      }
      let place = Path(
        (0..<Int.random(in: 0...2, using: &random)).map { _ in
          ChildKey(unchecked: keys.randomElement(using: &random) ?? "a")
        })
      let now = try await rig.read { database in (database.committed.data, database.history) }
      guard let paths = now.1.changes(since: before.mark, at: place) else { continue }
      var mine = before.tree[place]
      for path in paths { mine.set(now.0[place.appending(path)], at: path) }
      #expect(mine == now.0[place], "seed \(seed)")
    }
  }
}

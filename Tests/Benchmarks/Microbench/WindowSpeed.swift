import Engine
import JSONTree
import Rules

/// A listen with `orderByChild("score").limitToLast(50)` on 1,000,000 children.
enum WindowSpeed {
  private static let children = 1_000_000
  private static let path = Path([ChildKey(unchecked: "board")])

  private static func loaded() async throws -> Driver {
    let driver = try await Driver(
      rules: try RuleSet(text: #"{"rules":{".read":true,".write":true,"board":{".indexOn":"score"}}}"#))
    let score = ChildKey(unchecked: "score")
    let tree = Node(
      children: (0..<children).map { index in
        (ChildKey(unchecked: "player\(index)"), Node(children: [(score, Node(Int64(index)))]))
      })
    try await driver.ask { $0.write(.put(path, tree), tag: 1, client: $1) }
    return driver
  }

  private static func listen(_ driver: Driver, _ listen: UInt64) async throws {
    let query = try Query(index: .child(Path([ChildKey(unchecked: "score")])), limit: 50, fromEnd: true)
    let request = ListenRequest(
      path: path, query: query, form: PushForm(dialect: 1, variant: 1), listen: listen)
    try await driver.ask { $0.listen(request, tag: 1, client: $1) }
  }

  /// CPU of a write that changes the window, all of the put included.
  static func change() async throws {
    let driver = try await loaded()
    try await listen(driver, 1)
    let score = ChildKey(unchecked: "score")
    let cost = try await driver.cost(20_000) { database, client, index in
      // Another player takes the lead every time: one enters, one leaves.
      let place = path.appending(ChildKey(unchecked: "player\(index)")).appending(score)
      database.write(.put(place, Node(Int64(2_000_000 + index))), tag: 1, client: client)
    }
    try await driver.stop()
    report(ratio: cost * 1e6, note: "\(children) children, one enters and one leaves")
  }

  /// CPU of the first answer to a second such query; the first one pays for building the index, and is told
  /// beside it.
  static func first() async throws {
    let driver = try await loaded()
    let start = Stopwatch.processorSeconds()
    try await listen(driver, 1)
    let building = Stopwatch.processorSeconds() - start
    let from = Stopwatch.processorSeconds()
    let query = try Query(index: .child(Path([ChildKey(unchecked: "score")])), limit: 49, fromEnd: true)
    let request = ListenRequest(path: path, query: query, form: PushForm(dialect: 1, variant: 2), listen: 2)
    try await driver.ask { $0.listen(request, tag: 1, client: $1) }
    let answer = Stopwatch.processorSeconds() - from
    try await driver.stop()
    report(ratio: answer * 1e3, note: "building the index, once: \(Int(building * 1e3)) ms")
  }
}

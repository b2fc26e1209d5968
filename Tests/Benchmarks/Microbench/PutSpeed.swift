import Engine
import JSONTree
import Rules

/// Does a put cost more when there is more of everything else?
enum PutSpeed {
  private static let puts = 20_000

  /// 1,000,000 nodes beside 1,000.
  static func nodes() async throws {
    let few = try await cost(users: 250), many = try await cost(users: 250_000)
    report(ratio: many / few, note: "\(short(many * 1e6)) to \(short(few * 1e6)) us")
  }

  /// 100,000 listens on other paths beside none.
  static func listens() async throws {
    let none = try await cost(users: 250), many = try await cost(users: 250, listens: 100_000)
    report(ratio: many / none, note: "\(short(many * 1e6)) to \(short(none * 1e6)) us")
  }

  private static func cost(users: Int, listens: Int = 0) async throws -> Double {
    let driver = try await Driver()
    let tree = Node(children: try (0..<users).map { (try ChildKey("user\($0)"), user($0)) })
    let root = try Path("users")
    try await driver.ask { $0.write(.put(root, tree), tag: 1, client: $1) }
    if listens > 0 {
      _ = try await driver.cost(listens) { database, client, index in
        let path = Path([ChildKey(unchecked: "elsewhere"), ChildKey(unchecked: "place\(index)")])
        let request = ListenRequest(path: path, form: PushForm(dialect: 1), listen: UInt64(index))
        database.listen(request, tag: 1, client: client)
      }
    }
    let paths = (0..<1000).map { index in
      Path([
        ChildKey(unchecked: "users"), ChildKey(unchecked: "user\(index * (users / 250) % users)"),
        ChildKey(unchecked: "age"),
      ])
    }
    var best = Double.infinity
    for round in 0..<3 {
      let cost = try await driver.cost(puts) { database, client, index in
        database.write(.put(paths[index % 1000], Node(Int64(index + round))), tag: 1, client: client)
      }
      best = min(best, cost)
    }
    try await driver.stop()
    return best
  }

  private static func user(_ index: Int) -> Node {
    Node(children: [
      (ChildKey(unchecked: "age"), Node(Int64(index % 90))),
      (ChildKey(unchecked: "name"), Node("Person \(index)")),
      (ChildKey(unchecked: "online"), Node(index % 3 == 0)),
      (ChildKey(unchecked: "score"), Node(Int64(index * 37 % 10_007))),
    ])
  }
}

import JSONTree
import Rules
import TestSupport
import Testing

@testable import Engine

/// Listens that were allowed because of what is in the tree, when that changes.
@Suite struct WatchedListenTests {
  private static let rules = """
    {"rules": {
      "rooms": {"$room": {".read":
        "auth != null && root.child('members').child($room).child(auth.uid).exists()"}},
      "notes": {"$note": {".read": "data.child('public').val() === true"}},
      "far": {".read": "root.child(root.child('switch').val()).child('on').val() === true"},
      "there": {".read": "data.exists()"},
      "two": {".read": "data.hasChildren(['a', 'b/c'])"},
      "rank": {".read": "data.getPriority() == 1"},
      "up": {"$a": {"deep": {".read": "data.parent().parent().child('open').hasChildren(['x'])"}}},
      "free": {".read": true}
    }}
    """

  private func caller(_ uid: String) throws -> Caller {
    Caller(auth: try Node.parse(#"{"uid":"\#(uid)"}"#))
  }

  private func listening(_ rig: Rig, _ uid: String, _ places: String...) async throws -> TestClient {
    let client = try await rig.client(try caller(uid))
    for (number, place) in places.enumerated() {
      let id = UInt64(number + 1)
      let request = ListenRequest(path: at(place), query: .all, form: plain, listen: ListenID(id))
      await rig.enter { $0.listen(request, tag: id, client: client.client) }
    }
    _ = client.received.take()
    return client
  }

  @Test func `a member who is removed hears no more, and the others do`() async throws {
    let rig = try await Rig.open(rules: Self.rules)
    try await rig.given("members/a", #"{"ann":true,"bob":true}"#)
    let (ann, bob) = (
      try await listening(rig, "ann", "rooms/a", "free"), try await listening(rig, "bob", "rooms/a")
    )
    try await rig.given("rooms/a/x", "1")
    #expect(ann.received.take() == ["push set rooms/a/x 1"])
    try await rig.given("members/a/ann", "null")
    #expect(ann.received.take() == ["revoked 1"])
    try await rig.given("rooms/a/x", "2")
    try await rig.given("free", "3")
    #expect(ann.received.take() == ["push set free 3"])
    #expect(bob.received.take() == ["push set rooms/a/x 1", "push set rooms/a/x 2"])
    // Permission that comes back brings no listen back.
    try await rig.given("members/a/ann", "true")
    try await rig.given("rooms/a/x", "4")
    #expect(ann.received.take() == [])
    // What is above counts as well.
    try await rig.given("members", "null")
    #expect(bob.received.take() == ["push set rooms/a/x 4", "revoked 1"])
  }

  @Test func `who loses a listen is not told what the same write did`() async throws {
    let rig = try await Rig.open(rules: Self.rules)
    try await rig.given("members/a/ann", "true")
    let ann = try await listening(rig, "ann", "rooms/a")
    let admin = try await rig.client(.admin)
    let update = try merge("", #"{"members/a/ann":null,"rooms/a/secret":"not for ann"}"#)
    await rig.enter { $0.write(update, tag: 1, client: admin.client) }
    #expect(ann.received.take() == ["revoked 1"])
  }

  @Test(arguments: [
    ("notes/n", "notes/n/public", "true", "false"), ("far", "there/on", "true", "1"),
    ("far", "switch", #""there""#, #""elsewhere""#), ("up/a/deep", "up/open/x", "1", "null"),
    ("up/a/deep", "up", #"{"open":{"x":1}}"#, #"{"open":{"y":1}}"#),
    ("notes/n", "notes", #"{"n":{"public":true}}"#, "null"), ("there", "there", #"{"on":true}"#, "null"),
    ("two", "two/b/c", "1", "null"), ("two", "two/a/x", "1", "null"),
    ("rank", "rank/.priority", "1", "2"),
  ]) func `whatever way the rules look at the tree, it is watched`(
    place: String, path: String, good: String, bad: String
  ) async throws {
    let rig = try await Rig.open(rules: Self.rules)
    try await rig.given("switch", #""there""#)
    try await rig.given("there/on", "true")
    try await rig.given("up/open/x", "1")
    try await rig.given("two", #"{"a":{"x":1},"b":{"c":1}}"#)
    try await rig.given("rank/x", "1")
    try await rig.given(path, good)
    let ann = try await listening(rig, "ann", place)
    try await rig.given("elsewhere/x", "1")
    #expect(ann.received.take() == [])
    try await rig.given(path, bad)
    #expect(ann.received.take().last == "revoked 1")
    let isEmpty = try await rig.read { $0.watches.isEmpty }
    #expect(isEmpty)
  }

  @Test func `what comes and goes below a place says nothing about whether it is there`() async throws {
    let rig = try await Rig.open(rules: Self.rules)
    try await rig.given("there/x", "1")
    let ann = try await listening(rig, "ann", "there")
    let found = { (path: String, value: String) async throws -> Int in
      let before = try await rig.read { $0.committed.data }
      let after = before.setting(try Node.parse(value), at: at(path))
      return try await rig.read { database in
        var found: [ObjectIdentifier: Listen] = [:]
        database.watches.collect(at(path), before, after, into: &found)
        return found.count
      }
    }
    for (path, value) in [("there/y", "1"), ("there/x", "2"), ("there/x/deeper", "1")] {
      #expect(try await found(path, value) == 0, "\(path) \(value)")
    }
    for (path, value) in [("there", "1"), ("there/x", "null"), ("", "null")] {
      #expect(try await found(path, value) == 1, "\(path) \(value)")
    }
    try await rig.given("there/y", "1")
    #expect(ann.received.take() == ["push set there/y 1"])
  }

  @Test func `what is watched follows the listen, the caller and the rules`() async throws {
    let rig = try await Rig.open(rules: Self.rules)
    try await rig.given("members/a", #"{"ann":true,"bob":true}"#)
    let client = try await listening(rig, "ann", "rooms/a")
    let bob = try caller("bob")
    await rig.enter { $0.setCaller(bob, for: client.client) }
    try await rig.given("members/a/ann", "null")
    #expect(client.received.take() == [])
    await rig.enter { $0.setCaller(.admin, for: client.client) }
    #expect(try await rig.read { $0.watches.isEmpty })
    await rig.enter { $0.setCaller(bob, for: client.client) }
    #expect(try await !rig.read { $0.watches.isEmpty })
    await rig.enter { $0.unlisten(1, tag: nil, client: client.client) }
    #expect(try await rig.read { $0.watches.isEmpty })

    let admin = try await rig.client(.admin)
    let other = try await listening(rig, "bob", "rooms/a")
    let open = #"{"rules":{".read":true}}"#
    await rig.enter { $0.installRules(open, tag: 2, client: admin.client) }
    #expect(try await rig.read { $0.watches.isEmpty })
    await rig.enter { $0.installRules(Self.rules, tag: 3, client: admin.client) }
    #expect(try await !rig.read { $0.watches.isEmpty })
    await rig.enter { $0.detach(other.client) }
    #expect(try await rig.read { $0.watches.isEmpty })
  }

  /// A naive model: after every write, whoever may no longer read has lost the listen.
  @Test(arguments: 0..<8) func `random writes take listens from exactly those who may no longer read`(
    seed: UInt64
  ) async throws {
    var random = SeededNumbers(seed: seed)
    let rig = try await Rig.open(rules: Self.rules)
    let (users, rooms) = (["u0", "u1", "u2"], ["r0", "r1"])
    for room in rooms { try await rig.given("members/\(room)", #"{"u0":1,"u1":1,"u2":1}"#) }
    var clients: [(uid: String, client: TestClient)] = []
    for user in users { clients.append((user, try await listening(rig, user, "rooms/r0", "rooms/r1"))) }
    var standing = Set(users.flatMap { user in rooms.map { "\(user)/\($0)" } })
    for _ in 0..<40 {
      let room = rooms.randomElement(using: &random) ?? ""
      let user = users.randomElement(using: &random) ?? ""
      switch Int.random(in: 0..<8, using: &random) {
      case 0: try await rig.given("members/\(room)", #"{"\#(user)":1}"#)
      case 1: try await rig.given("members/\(room)/\(user)", "null")
      case 2: try await rig.given("members/\(room)/\(user)/since", "5")
      case 3: try await rig.given("members/other/\(user)", "null")
      default: try await rig.given("rooms/\(room)/x", "\(Int.random(in: 0..<9, using: &random))")
      }
      for (user, client) in clients {
        let told = client.received.take()
        for (number, room) in rooms.enumerated() {
          let mayRead = try await rig.read { database in
            !database.committed.data[at("members/\(room)/\(user)")].isNull
          }
          let isRevoked = told.contains("revoked \(number + 1)")
          #expect(!isRevoked || !mayRead, "\(seed): \(user) lost \(room) for nothing")
          if isRevoked { #expect(standing.remove("\(user)/\(room)") != nil) }
          #expect(mayRead || !standing.contains("\(user)/\(room)"), "\(seed): \(user) still hears \(room)")
        }
      }
    }
  }
}

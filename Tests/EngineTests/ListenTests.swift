import Engine
import JSONTree
import Rules
import TestSupport
import Testing

struct ListenTests {
  private func listen(
    _ rig: Rig, _ client: TestClient, _ id: ListenID, _ path: String, _ query: Query = .all,
    variant: UInt32 = 0
  ) async {
    let form = PushForm(dialect: 1, variant: variant)
    let request = ListenRequest(path: at(path), query: query, form: form, listen: id)
    await rig.enter { $0.listen(request, tag: id, client: client.client) }
  }

  private func write(_ rig: Rig, _ client: TestClient, _ request: WriteRequest) async {
    await rig.enter { $0.write(request, tag: 99, client: client.client) }
  }

  private func isSound(_ rig: Rig) async throws {
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }

  @Test func `a listen gets the value, then its answer, then every change as it was written`() async throws {
    let rig = try await Rig.open()
    try await rig.given("harbor", #"{"berths":3}"#)
    let client = try await rig.client()
    await listen(rig, client, 1, "harbor")
    #expect(client.received.take() == [#"initial 1 {"berths":3}"#, "answer 1 listening"])
    await write(rig, client, try put("harbor/berths", "4"))
    #expect(client.received.take() == ["push set harbor/berths 4", "answer 99 written"])
    await write(rig, client, try merge("harbor", #"{"berths":5,"open":true}"#))
    #expect(
      client.received.take() == [#"push merge harbor {"berths":5,"open":true}"#, "answer 99 written"])
    await write(rig, client, try put("harbor/berths/.priority", "1"))
    #expect(client.received.take() == ["push set harbor/berths/.priority 1", "answer 99 written"])
    try await isSound(rig)
  }

  @Test func `a write above tells each listen only its own part`() async throws {
    let rig = try await Rig.open()
    try await rig.given("a", #"{"b":{"c":1},"secret":2}"#)
    let (inner, gone, untouched) = (try await rig.client(), try await rig.client(), try await rig.client())
    await listen(rig, inner, 1, "a/b/c")
    await listen(rig, gone, 1, "a/secret")
    await listen(rig, untouched, 1, "a/none")
    for client in [inner, gone, untouched] { _ = client.received.take() }
    await write(rig, try await rig.client(), try put("a", #"{"b":{"c":9,"d":8}}"#))
    #expect(inner.received.take() == ["push set a/b/c 9"])
    #expect(gone.received.take() == ["push set a/secret null"])
    #expect(untouched.received.take() == [])
    try await isSound(rig)
  }

  @Test func `an update is cut down to what lies below each listen, in one push`() async throws {
    let rig = try await Rig.open()
    let (root, a, ab, ax, z) = (
      try await rig.client(), try await rig.client(), try await rig.client(), try await rig.client(),
      try await rig.client()
    )
    await listen(rig, root, 1, "")
    await listen(rig, a, 1, "a")
    await listen(rig, ab, 1, "a/b")
    await listen(rig, ax, 1, "a/x/y")
    await listen(rig, z, 1, "z")
    for client in [root, a, ab, ax, z] { _ = client.received.take() }
    await write(rig, try await rig.client(), try merge("", #"{"a/b/c":1,"a/b/d":2,"a/x":{"y":3},"q":4}"#))
    #expect(root.received.take() == [#"push merge  {"a/b/c":1,"a/b/d":2,"a/x":{"y":3},"q":4}"#])
    #expect(a.received.take() == [#"push merge a {"b/c":1,"b/d":2,"x":{"y":3}}"#])
    #expect(ab.received.take() == [#"push merge a/b {"c":1,"d":2}"#])
    #expect(ax.received.take() == ["push set a/x/y 3"])
    #expect(z.received.take() == [])
  }

  @Test func `overlapping listens of one client are told each change once`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    await listen(rig, client, 1, "a/b")
    await listen(rig, client, 2, "a")
    await listen(rig, client, 3, "a/b/c")
    await listen(rig, client, 4, "a", variant: 5)
    _ = client.received.take()
    await write(rig, client, try put("a/b/c", "1"))
    #expect(
      client.received.take().sorted() == ["answer 99 written", "push set a/b/c 1", "push set a/b/c 1 #5"])
    try await isSound(rig)
    // The outer one goes: the next outermost takes over.
    await rig.enter { $0.unlisten(2, tag: 8, client: client.client) }
    try await isSound(rig)
    await write(rig, client, try put("a/b/c", "2"))
    await rig.enter { $0.unlisten(1, tag: 8, client: client.client) }
    await write(rig, client, try put("a/b/c", "3"))
    let pushes = client.received.take().filter { $0.hasPrefix("push") && !$0.hasSuffix("#5") }
    #expect(pushes == ["push set a/b/c 2", "push set a/b/c 3"])
    await rig.enter { database in
      for id in 3...4 { database.unlisten(ListenID(id), client: client.client) }
    }
    try await isSound(rig)
    let listens = try await rig.read { $0.counters.listens }
    #expect(listens == 0)
  }

  @Test func `after unlisten there are no more pushes, and unknown listens are no fault`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    await listen(rig, client, 1, "a")
    await rig.enter { database in
      database.unlisten(1, tag: 2, client: client.client)
      database.unlisten(77, tag: 3, client: client.client)
    }
    await write(rig, try await rig.client(), try put("a", "1"))
    #expect(
      client.received.take() == ["initial 1 null", "answer 1 listening", "answer 2 done", "answer 3 done"])
  }

  @Test func `a query shows its window and keeps it full`() async throws {
    let rig = try await Rig.open(rules: #"{"rules":{".read":true,".write":true,"s":{".indexOn":"p"}}}"#)
    try await rig.given("s", #"{"a":{"p":1},"b":{"p":2},"c":{"p":3}}"#)
    let client = try await rig.client()
    let query = try Query(index: .child(at("p")), limit: 2, fromEnd: true)
    await listen(rig, client, 1, "s", query, variant: 3)
    #expect(
      client.received.take() == [#"initial 1 {"b":{"p":2},"c":{"p":3}}"#, "answer 1 listening"])
    let other = try await rig.client()
    await write(rig, other, try put("s/d", #"{"p":4}"#))
    #expect(client.received.take() == [#"push merge s {"b":null,"d":{"p":4}} #3"#])
    await write(rig, other, try put("s/c", "null"))
    #expect(client.received.take() == [#"push merge s {"c":null,"b":{"p":2}} #3"#])
    await write(rig, other, try put("s/a/p", "0"))
    #expect(client.received.take() == [])
    await listen(rig, other, 9, "s", query, variant: 4)
    #expect(other.received.take().last(2) == [#"initial 9 {"b":{"p":2},"d":{"p":4}}"#, "answer 9 listening"])
    try await isSound(rig)
  }

  @Test func `a query without its index shows everything and says so, and a get fails`() async throws {
    let rig = try await Rig.open()
    try await rig.given("s", #"{"a":{"p":1},"b":{"p":2}}"#)
    let client = try await rig.client()
    let query = try Query(index: .child(at("p")), limit: 1, fromEnd: true)
    await listen(rig, client, 1, "s", query, variant: 3)
    #expect(
      client.received.take() == [#"initial 1 {"a":{"p":1},"b":{"p":2}}"#, "answer 1 listening no_index"])
    await rig.enter { $0.get(at("s"), query: query, tag: 2, client: client.client) }
    #expect(client.received.take() == ["answer 2 noIndex p at /s"])
  }

  @Test func `a listen that is encoded by its client gets changes as such`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client(onOtherLoop: true)
    let request = ListenRequest(path: at("a"), form: plain, listen: 4, sendsLocally: true)
    await rig.enter { $0.listen(request, tag: 1, client: client.client) }
    await write(rig, try await rig.client(), try put("a/b", "1"))
    #expect(
      client.received.take() == ["initial 4 null", "answer 1 listening", "change 4 set a/b 1"])
  }

  @Test func `reads are refused by the rules, as a whole`() async throws {
    let rig = try await Rig.open(rules: #"{"rules":{"open":{".read":true}}}"#)
    let client = try await rig.client()
    await listen(rig, client, 1, "")
    await listen(rig, client, 2, "open/x")
    await rig.enter { $0.get(at("closed"), tag: 3, client: client.client) }
    #expect(
      client.received.take() == [
        "answer 1 denied", "initial 2 null", "answer 2 listening", "answer 3 denied",
      ])
  }

  @Test func `a change of identity revokes what is no longer allowed, before its answer`() async throws {
    let rig = try await Rig.open(
      rules: #"{"rules":{"all":{".read":true},"own":{".read":"auth != null"}}}"#)
    let ann = Caller(auth: try Node.parse(#"{"uid":"ann"}"#))
    let client = try await rig.client(ann)
    await listen(rig, client, 1, "own")
    await listen(rig, client, 2, "all")
    _ = client.received.take()
    await rig.enter { $0.setCaller(.anonymous, for: client.client, tag: 5) }
    #expect(client.received.take() == ["revoked 1", "answer 5 done"])
    try await isSound(rig)
    try await rig.given("own/x", "1")
    try await rig.given("all/x", "1")
    #expect(client.received.take() == ["push set all/x 1"])
  }

  @Test func `new rules are in force when they are answered, and every listen is checked again`() async throws
  {
    let rig = try await Rig.open()
    let (client, admin) = (try await rig.client(), try await rig.client(.admin))
    await listen(rig, client, 1, "a")
    _ = client.received.take()
    await rig.enter { database in
      database.installRules(#"{"rules":{".read":false,".write":true}}"#, tag: 1, client: client.client)
      database.installRules(#"{"rules":"#, tag: 2, client: admin.client)
      database.installRules(#"{"rules":{".read":false,".write":true}}"#, tag: 3, client: admin.client)
    }
    #expect(client.received.take() == ["answer 1 denied", "revoked 1"])
    #expect(admin.received.take() == ["answer 2 invalid", "answer 3 done"])
    let again = try await rig.crashed()
    let text = try await again.read { $0.rules.text }
    #expect(text.contains(#"".read":false"#))
  }

  @Test func `rules that declare an index narrow a view that showed everything`() async throws {
    let rig = try await Rig.open()
    try await rig.given("s", #"{"a":{"p":1},"b":{"p":2}}"#)
    let (client, admin) = (try await rig.client(), try await rig.client(.admin))
    await listen(rig, client, 1, "s", try Query(index: .child(at("p")), limit: 1, fromEnd: true), variant: 3)
    _ = client.received.take()
    let rules = #"{"rules":{".read":true,".write":true,"s":{".indexOn":["p"]}}}"#
    await rig.enter { $0.installRules(rules, tag: 3, client: admin.client) }
    #expect(client.received.take() == [#"push set s {"b":{"p":2}} #3"#])
    await write(rig, admin, try put("s/b", "null"))
    #expect(client.received.take() == [#"push merge s {"b":null,"a":{"p":1}} #3"#])
    try await isSound(rig)
  }
}

extension Array {
  fileprivate func last(_ count: Int) -> [Element] { Array(suffix(count)) }
}

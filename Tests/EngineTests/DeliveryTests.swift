import Engine
import JSONTree
import TestSupport
import Testing

struct DeliveryTests {
  /// Attaches a client and lets it listen at a path.
  private func listener(
    _ rig: Rig, _ path: String, variant: UInt32 = 0, onOtherLoop: Bool = false
  ) async throws -> TestClient {
    let client = try await rig.client(onOtherLoop: onOtherLoop)
    let form = PushForm(dialect: 1, variant: variant)
    await rig.enter { database in
      database.listen(ListenRequest(path: at(path), form: form, listen: 1), tag: 0, client: client.client)
    }
    _ = client.received.takeAll()
    return client
  }

  @Test func `a change is encoded once for all listeners of a form, on whatever loops`() async throws {
    let rig = try await Rig.open()
    var listeners: [TestClient] = []
    for i in 0..<20 { listeners.append(try await listener(rig, "a", onOtherLoop: i % 2 == 1)) }
    let tagged = try await listener(rig, "a", variant: 7)
    try await rig.given("a/b", "1")
    let counters = try await rig.read { $0.counters }
    #expect(counters.pushes == 2)
    #expect(counters.deliveries == 21)
    for client in listeners { #expect(client.received.takeAll() == ["push set a/b 1", "flush"]) }
    #expect(tagged.received.takeAll() == ["push set a/b 1 #7", "flush"])
  }

  @Test func `all of one turn leaves with one flush for each client, pushes before answers`() async throws {
    let rig = try await Rig.open()
    let many = try await listener(rig, "a")
    let writer = try await listener(rig, "a")
    let requests = try (0..<16).map { try put("a/\($0)", "1") }
    await rig.enter { database in
      for (tag, request) in requests.enumerated() {
        database.write(request, tag: UInt64(tag), client: writer.client)
      }
    }
    let pushes = (0..<16).map { "push set a/\($0) 1" }
    #expect(many.received.takeAll() == pushes + ["flush"])
    #expect(writer.received.takeAll() == pushes + (0..<16).map { "answer \($0) written" } + ["flush"])
  }

  @Test func `pushes of different listens reach a client in the order of the writes`() async throws {
    let rig = try await Rig.open()
    let client = try await listener(rig, "a")
    await rig.enter { database in
      database.listen(
        ListenRequest(path: at("b"), form: plain, listen: 2), tag: 0, client: client.client)
    }
    _ = client.received.take()
    let requests = try ["a", "b", "a", "b"].enumerated().map { try put("\($1)/x", "\($0)") }
    let writer = try await rig.client()
    await rig.enter { database in
      for request in requests { database.write(request, tag: 0, client: writer.client) }
    }
    #expect(
      client.received.take() == ["push set a/x 0", "push set b/x 1", "push set a/x 2", "push set b/x 3"])
  }

  @Test func `a client may enter the database from within a delivery`() async throws {
    let rig = try await Rig.open()
    let client = try await listener(rig, "a")
    let database = rig.database
    let second = try put("a/second", "2")
    client.received.react { line in
      guard line == "push set a/first 1" else { return }
      database.enter { $0.write(second, tag: 5, client: client.client) }
      database.enter { $0.get(at("a/first"), tag: 6, client: client.client) }
    }
    try await rig.given("a/first", "1")
    // The get waits for the client's own write.
    #expect(
      client.received.take() == [
        "push set a/first 1", "push set a/second 2", "answer 5 written", "answer 6 value 1",
      ])
  }

  @Test func `a client that leaves in the middle of a turn hears nothing more`() async throws {
    let rig = try await Rig.open()
    let leaving = try await listener(rig, "a")
    let staying = try await listener(rig, "a")
    let writer = try await rig.client()
    let (first, second) = (try put("a/1", "1"), try put("a/2", "1"))
    await rig.enter { $0.write(first, tag: 1, client: writer.client) }
    await rig.enter { database in
      database.write(second, tag: 2, client: writer.client)
      database.detach(leaving.client)
      leaving.client.disconnect()
    }
    #expect(leaving.received.take() == ["push set a/1 1"])
    #expect(staying.received.take() == ["push set a/1 1", "push set a/2 1"])
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }

  @Test func `many overlapping listens of one client still hear each change once`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    await rig.enter { database in
      for id in 1...40 {
        let path = at("k\(id % 10)" + String(repeating: "/x", count: id / 10))
        database.listen(
          ListenRequest(path: path, form: plain, listen: ListenID(id)), tag: 0, client: client.client)
      }
    }
    _ = client.received.take()
    func pushes() async throws -> [String] {
      try await rig.given("k3/x/x/x", "1")
      try await rig.given("k3/x/x/x", "null")
      let fault = try await rig.read { $0.listenerFault }
      #expect(fault == nil)
      return client.received.take().filter { $0.hasPrefix("push") }
    }
    #expect(try await pushes().count == 2)
    // The outermost at k3 goes, then the next.
    await rig.enter { $0.unlisten(3, client: client.client) }
    #expect(try await pushes().count == 2)
    await rig.enter { $0.unlisten(13, client: client.client) }
    #expect(try await pushes().count == 2)
    await rig.enter { database in
      database.unlisten(23, client: client.client)
      database.unlisten(33, client: client.client)
    }
    #expect(try await pushes() == [])
    await rig.enter {
      $0.listen(ListenRequest(path: .root, form: plain, listen: 99), tag: 0, client: client.client)
    }
    _ = client.received.take()
    #expect(try await pushes().count == 2)
    await rig.enter { $0.detach(client.client) }
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }

  @Test func `a client may hold so many listens and no more`() async throws {
    let rig = try await Rig.open { $0.listensPerClient = 3 }
    let client = try await rig.client()
    await rig.enter { database in
      for id in 1...4 {
        let request = ListenRequest(path: at("k\(id)"), form: plain, listen: ListenID(id))
        database.listen(request, tag: UInt64(id), client: client.client)
      }
      database.unlisten(1, client: client.client)
      let again = ListenRequest(path: at("k"), form: plain, listen: 2)
      database.listen(again, tag: 5, client: client.client)
      let other = ListenRequest(path: at("k"), form: plain, listen: 9)
      database.listen(other, tag: 6, client: client.client)
    }
    let answers = client.received.take().filter { $0.hasPrefix("answer") }
    #expect(answers.suffix(3) == ["answer 4 overloaded", "answer 5 invalid", "answer 6 listening"])
  }

  @Test func `a value past the limit of a read is refused, and no listen is left`() async throws {
    let rig = try await Rig.open { $0.readBytes = 50 }
    try await rig.given("a", #"{"b":"\#(String(repeating: "x", count: 100))"}"#)
    let client = try await rig.client()
    await rig.enter { database in
      database.get(at("a"), tag: 1, client: client.client)
      database.listen(ListenRequest(path: at("a"), form: plain, listen: 1), tag: 2, client: client.client)
    }
    #expect(client.received.take() == ["answer 1 tooBig", "answer 2 tooBig"])
    let fault = try await rig.read { $0.listenerFault }
    #expect(fault == nil)
  }
}

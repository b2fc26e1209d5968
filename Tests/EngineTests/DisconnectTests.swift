import Engine
import JSONTree
import Rules
import TestSupport
import Testing

struct DisconnectTests {
  private func register(_ rig: Rig, _ client: TestClient, _ operations: DisconnectOperation...) async {
    await rig.enter { database in
      for operation in operations { database.onDisconnect(operation, tag: 1, client: client.client) }
    }
  }

  private func leave(_ rig: Rig, _ client: TestClient) async {
    await rig.enter { $0.detach(client.client) }
  }

  @Test func `what a client left is written when it is gone, and others hear of it`() async throws {
    let rig = try await Rig.open(clock: ManualClock(9000))
    let (client, other) = (try await rig.client(session: "s1"), try await rig.client())
    await rig.enter { database in
      database.listen(ListenRequest(path: at("p"), form: plain, listen: 1), tag: 0, client: other.client)
    }
    await register(
      rig, client, .put(at("p/ann"), try value("false")),
      .merge(
        at("p"),
        [(at("at"), try value(#"{".sv":"timestamp"}"#)), (at("n"), try value(#"{".sv":{"increment":2}}"#))]))
    #expect(client.received.take() == ["answer 1 done", "answer 1 done"])
    #expect(try await rig.tree() == "null")
    rig.clock.advance(milliseconds: 5)
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"p":{"ann":false,"at":9005,"n":2}}"#)
    #expect(
      other.received.take().dropFirst(2) == ["push set p/ann false", "push set p/at 9005", "push set p/n 2"])
    #expect(client.received.take() == [])
    let meta = try await rig.read { $0.engineRecords }
    #expect(meta.isNull)
  }

  @Test func `cancelling below a remembered object leaves its other children, one write each`() async throws {
    let rig = try await Rig.open()
    try await rig.given("x", #"{"z":7}"#)
    let client = try await rig.client(session: "s1")
    await register(
      rig, client, .put(at("x"), try value(#"{"a":1,"b":2}"#)), .put(at("x/b"), try value("9")),
      .cancel(at("x/b")))
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"x":{"a":1,"z":7}}"#)
  }

  @Test func `a put inside a remembered value changes that value`() async throws {
    let rig = try await Rig.open()
    try await rig.given("x", #"{"z":7}"#)
    let client = try await rig.client(session: "s1")
    await register(
      rig, client, .put(at("x"), try value(#"{"a":{".sv":"timestamp"},"b":2}"#)),
      .put(at("x/a"), try value("5")),
      .put(at("x/c/d"), try value(#"{".sv":{"increment":3}}"#)), .put(at("x/.priority"), try value("1")))
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"x":{"a":5,"b":2,"c":{"d":3},".priority":1}}"#)
  }

  @Test func `cancelling at a place forgets everything below it`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client(session: "s1")
    await register(
      rig, client, .put(at("x/a"), try value("1")), .put(at("x/b/c"), try value("2")),
      .put(at("y"), try value("3")),
      .cancel(at("x")), .cancel(at("nothing/here")))
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"y":3}"#)
  }

  @Test func `rules are asked at registration and again at the end, as who the client then is`() async throws
  {
    let rig = try await Rig.open(
      rules: #"{"rules":{".read":true,"own":{".write":"auth != null"},"once":{".write":"!data.exists()"}}}"#)
    let ann = Caller(auth: try Node.parse(#"{"uid":"ann"}"#))
    let client = try await rig.client(ann, session: "s1")
    await register(
      rig, client, .put(at("own/a"), try value("1")), .put(at("once"), try value("mine".quoted)),
      .put(at("closed"), try value("1")))
    #expect(client.received.take() == ["answer 1 done", "answer 1 done", "answer 1 denied"])
    try await rig.given("once", "\"taken\"")
    await rig.enter { $0.setCaller(.anonymous, for: client.client) }
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"once":"taken"}"#)
  }

  @Test func `operations of a process that died are carried out at the next start, once`() async throws {
    let rig = try await Rig.open(
      rules: #"{"rules":{"p":{"$u":{".write":"auth.uid == $u"}},"n":{".write":true}}}"#)
    let ann = Caller(auth: try Node.parse(#"{"uid":"ann"}"#))
    let bob = Caller(auth: try Node.parse(#"{"uid":"bob"}"#))
    let client = try await rig.client(ann, session: "s1")
    await register(
      rig, client, .put(at("p/ann"), try value(#"{"seen":{".sv":"timestamp"}}"#)),
      .put(at("n"), try value(#"{".sv":{"increment":1}}"#)))
    // Registered as ann, but it is bob when the process dies: what only ann may write is dropped.
    let second = try await rig.client(ann, session: "s2")
    await register(rig, second, .put(at("p/ann/x"), try value("1")))
    await rig.enter { $0.setCaller(bob, for: second.client) }

    rig.clock.advance(milliseconds: 1000)
    let next = try await rig.crashed()
    let seen = rig.clock.nowMilliseconds()
    #expect(try await next.tree() == #"{"n":1,"p":{"ann":{"seen":\#(seen)}}}"#)
    #expect(try await next.crashed().tree() == #"{"n":1,"p":{"ann":{"seen":\#(seen)}}}"#)
  }

  @Test func `a client that comes back ends its old session at once`() async throws {
    let rig = try await Rig.open()
    let old = try await rig.client(session: "s1")
    await register(rig, old, .put(at("online"), try value("false")))
    await rig.enter { database in
      database.listen(ListenRequest(path: .root, form: plain, listen: 1), tag: 2, client: old.client)
    }
    _ = old.received.take()
    await rig.enter { $0.endSession("s1") }
    #expect(try await rig.tree() == #"{"online":false}"#)
    #expect(old.received.take() == [])
    try await rig.given("online", "true")
    await leave(rig, old)
    #expect(try await rig.tree() == #"{"online":true}"#)
    let request = try put("a", "1")
    await rig.enter { database in
      database.endSession("s1")
      database.write(request, tag: 3, client: old.client)
    }
    #expect(old.received.take() == ["answer 3 closed"])
  }

  @Test func `an operation that the log did not take is not remembered`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client(session: "s1")
    await register(rig, client, .put(at("a"), try value("1")))
    rig.log.next(.failure(.diskFull("no room")))
    await register(rig, client, .put(at("a"), try value("2")), .put(at("b"), try value("2")))
    #expect(client.received.take() == ["answer 1 done", "answer 1 unavailable", "answer 1 unavailable"])
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"a":1}"#)
  }

  @Test func `what a session left is tried again until the log takes it`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client(session: "s1")
    await register(rig, client, .put(at("a"), try value("1")))
    rig.log.always(.failure(.diskFull("no room")))
    await leave(rig, client)
    #expect(try await rig.tree() == "null")
    await rig.pass(milliseconds: 3000)
    #expect(try await rig.tree() == "null")
    rig.log.always(.success)
    await rig.pass(milliseconds: 3000)
    #expect(try await rig.tree() == #"{"a":1}"#)
  }

  @Test func `a session can remember so much and no more`() async throws {
    let rig = try await Rig.open {
      $0.disconnectRecordsPerSession = 2
      $0.disconnectBytesPerSession = 60
    }
    let client = try await rig.client(session: "s1")
    await register(
      rig, client, .put(at("a"), try value("1")), .put(at("b"), try value("1")),
      .put(at("c"), try value("1")),
      .put(at("b"), try value(String(repeating: "x", count: 48).quoted)),
      .put(at("b"), try value(String(repeating: "x", count: 80).quoted)), .cancel(at("a")),
      .put(at("c"), try value("1")))
    #expect(
      client.received.take() == [
        "answer 1 done", "answer 1 done", "answer 1 overloaded", "answer 1 done", "answer 1 tooBig",
        "answer 1 done", "answer 1 done",
      ])
  }

  @Test func `a value is not broken up into more records than there may be`() async throws {
    let rig = try await Rig.open { $0.disconnectRecordsPerSession = 3 }
    let client = try await rig.client(session: "s1")
    await register(
      rig, client, .put(at("a"), try value(#"{"k1":1,"k2":2,"k3":3,"k4":4}"#)), .cancel(at("a/k1")),
      .put(at("a"), try value(#"{"k1":1,"k2":2,"k3":3}"#)), .cancel(at("a/k1")))
    #expect(
      client.received.take() == [
        "answer 1 done", "answer 1 overloaded", "answer 1 done", "answer 1 done",
      ])
    await leave(rig, client)
    #expect(try await rig.tree() == #"{"a":{"k2":2,"k3":3}}"#)
  }

  @Test func `a client without a session can't leave anything`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    await register(rig, client, .put(at("a"), try value("1")))
    #expect(client.received.take() == ["answer 1 invalid"])
  }
}

extension String {
  fileprivate var quoted: String { "\"\(self)\"" }
}

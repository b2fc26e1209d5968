import Engine
import JSONTree
import Rules
import Synchronization
import TestSupport
import Testing

struct CommitTests {
  @Test func `what arrives together is made durable together, and what arrives meanwhile goes next`()
    async throws
  {
    let rig = try await Rig.open()
    let client = try await rig.client()
    rig.log.next(.hang)
    let requests = try (0..<6).map { try put("k\($0)", "1") }
    await rig.enter { database in
      for tag in 0..<3 { database.write(requests[tag], tag: UInt64(tag), client: client.client) }
    }
    for tag in 3..<6 {
      await rig.enter { $0.write(requests[tag], tag: UInt64(tag), client: client.client) }
    }
    #expect(client.received.take() == [])
    #expect(rig.log.appends == 1)
    rig.log.release()
    await rig.settle()
    #expect(client.received.take() == (0..<6).map { "answer \($0) written" })
    #expect(rig.log.appends == 2)
    #expect(rig.log.log.count(of: rig.database.id) == 2)
  }

  @Test func `reads and listens see only what is durable, and their own client's writes`() async throws {
    let rig = try await Rig.open()
    let (writer, reader) = (try await rig.client(), try await rig.client())
    rig.log.next(.hang)
    let request = try put("a", "1")
    await rig.enter { database in
      database.write(request, tag: 1, client: writer.client)
      database.get(at("a"), tag: 2, client: writer.client)
      database.listen(ListenRequest(path: at("a"), form: plain, listen: 1), tag: 3, client: writer.client)
      database.get(at("a"), tag: 4, client: writer.client)
      database.get(at("a"), tag: 5, client: reader.client)
      database.listen(ListenRequest(path: at("a"), form: plain, listen: 1), tag: 6, client: reader.client)
    }
    #expect(writer.received.take() == [])
    #expect(reader.received.take() == ["answer 5 value null", "initial 1 null", "answer 6 listening"])
    rig.log.release()
    await rig.settle()
    #expect(
      writer.received.take() == [
        "answer 1 written", "answer 2 value 1", "initial 1 1", "answer 3 listening", "answer 4 value 1",
      ])
    #expect(reader.received.take() == ["push set a 1"])
  }

  @Test func `a listen that its client gives up before it began never begins`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let request = try put("a", "1")
    await rig.enter { database in
      database.write(request, tag: 1, client: client.client)
      database.listen(ListenRequest(path: at("a"), form: plain, listen: 1), tag: 2, client: client.client)
      database.unlisten(1, tag: 3, client: client.client)
    }
    try await rig.given("a", "2")
    #expect(
      client.received.take() == ["answer 1 written", "initial 1 1", "answer 2 listening", "answer 3 done"])
  }

  @Test func `a refusal that stands on undecided writes waits for them`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let first = try put("n", "1")
    let second = try put("n", "2", if: .absent)
    rig.log.next(.hang)
    await rig.enter { database in
      database.listen(ListenRequest(path: at("n"), form: plain, listen: 1), tag: 0, client: client.client)
      database.write(first, tag: 1, client: client.client)
    }
    await rig.enter { $0.write(second, tag: 2, client: client.client) }
    #expect(client.received.take() == ["initial 1 null", "answer 0 listening"])
    rig.log.release()
    await rig.settle()
    #expect(client.received.take() == ["push set n 1", "answer 1 written", "answer 2 stale 1"])
  }

  @Test func `when the log fails its writes fail, and what stood on them is decided anew`() async throws {
    let rig = try await Rig.open(
      rules: #"{"rules":{".read":true,"$k":{".write":"!data.exists()"}}}"#
    )
    let client = try await rig.client()
    rig.log.next(.failure(.diskFull("no room")))
    let (a, again, c) = (try put("a", "1"), try put("a", "2"), try put("c", "3"))
    await rig.enter { database in
      database.listen(ListenRequest(path: .root, form: plain, listen: 1), tag: 0, client: client.client)
      database.write(a, tag: 1, client: client.client)
      database.write(again, tag: 2, client: client.client)
      database.get(at("a"), tag: 4, client: client.client)
      database.write(c, tag: 3, client: client.client)
    }
    // The refused second one is judged again and stands; the third was in the lost batch.
    #expect(
      client.received.take() == [
        "initial 1 null", "answer 0 listening", "answer 1 unavailable", "answer 3 unavailable",
        "push set a 2", "answer 2 written", "answer 4 value 2",
      ])
    #expect(try await rig.tree() == #"{"a":2}"#)
    #expect(try await rig.crashed().tree() == #"{"a":2}"#)
  }

  @Test func `writes that wait behind a failing batch are sequenced again, rules included`() async throws {
    let rig = try await Rig.open(
      rules: #"{"rules":{".read":true,"a":{".write":true},"c":{".write":"root.child('a').exists()"}}}"#)
    let client = try await rig.client()
    rig.log.next(.hang)
    let (a, c, sum) = (try put("a", "1"), try put("c", "3"), try put("a", #"{".sv":{"increment":5}}"#))
    await rig.enter { $0.write(a, tag: 1, client: client.client) }
    await rig.enter { database in
      database.write(c, tag: 2, client: client.client)
      database.write(sum, tag: 3, client: client.client)
      database.write(c, tag: 4, client: client.client)
    }
    rig.log.always(.success)
    rig.log.failHeld(.io("the disk gave up"))
    await rig.settle()
    #expect(
      client.received.take() == [
        "answer 1 unavailable", "answer 2 denied", "answer 3 written", "answer 4 written",
      ])
    #expect(try await rig.tree() == #"{"a":5,"c":3}"#)
  }

  @Test func `while the disk is full reads and listens go on, and writes work again once there is room`()
    async throws
  {
    let rig = try await Rig.open()
    try await rig.given("a", "1")
    let client = try await rig.client()
    rig.log.always(.failure(.diskFull("no room")))
    let request = try put("a", "2")
    await rig.enter { $0.write(request, tag: 1, client: client.client) }
    await rig.enter { $0.write(request, tag: 2, client: client.client) }
    await rig.enter { database in
      database.get(at("a"), tag: 3, client: client.client)
      database.listen(ListenRequest(path: at("a"), form: plain, listen: 1), tag: 4, client: client.client)
    }
    rig.log.always(.success)
    await rig.enter { $0.write(request, tag: 5, client: client.client) }
    #expect(
      client.received.take() == [
        "answer 1 unavailable", "answer 2 unavailable", "answer 3 value 1", "initial 1 1",
        "answer 4 listening", "push set a 2", "answer 5 written",
      ])
  }

  @Test func `an operator hears of what goes wrong`() async throws {
    let troubles = Troubles()
    let rig = try await Rig.open { $0.report = { troubles.add($0) } }
    let id = rig.database.id
    let client = try await rig.client()
    let request = try put("a", "1")
    rig.log.next(.failure(.diskFull("no room")), .unknownAndAbsent)
    await rig.enter { $0.write(request, tag: 1, client: client.client) }
    #expect(troubles.all == [.writesFailed(id, #"diskFull("no room")"#)])
    await rig.enter { $0.write(request, tag: 2, client: client.client) }
    try await rig.settle { troubles.all.count == 3 }
    #expect(
      troubles.all.dropFirst() == [
        .outcomeUnknown(id, "the question was lost"), .writesFailed(id, "The log did not take the write."),
      ])
    let other = try await rig.crashed()
    try await other.given("b", "1")
    await rig.enter { $0.write(request, tag: 3, client: client.client) }
    #expect(troubles.all.last == .superseded(id))
  }

  @Test(arguments: [true, false])
  func `an unknown outcome is found out before anything else goes on`(isThere: Bool) async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    rig.log.next(isThere ? .unknownThoughAppended : .unknownAndAbsent)
    rig.log.failTail(times: 2)
    let sum = try put("n", #"{".sv":{"increment":1}}"#)
    await rig.enter { $0.write(sum, tag: 1, client: client.client) }
    await rig.enter { $0.write(sum, tag: 2, client: client.client) }
    #expect(client.received.take() == [])
    let isAnswered = { @Sendable in client.received.peek().count == 2 }
    for _ in 0..<200 where !isAnswered() {
      await rig.pass(milliseconds: 10)
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(
      client.received.take()
        == (isThere
          ? ["answer 1 written", "answer 2 written"] : ["answer 1 unavailable", "answer 2 written"]))
    #expect(try await rig.tree() == (isThere ? #"{"n":2}"# : #"{"n":1}"#))
  }

  @Test func `a database that another writer took over writes no more`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    let other = try await rig.crashed()
    try await other.given("a", "1")
    let request = try put("b", "2")
    await rig.enter { $0.write(request, tag: 1, client: client.client) }
    await rig.enter { $0.write(request, tag: 2, client: client.client) }
    await rig.enter { $0.get(.root, tag: 3, client: client.client) }
    #expect(
      client.received.take() == ["answer 1 unavailable", "answer 2 unavailable", "answer 3 value null"])
    #expect(try await other.crashed().tree() == #"{"a":1}"#)
  }

  @Test func `a log that hangs lets the queue fill up to its bound, and no further`() async throws {
    let rig = try await Rig.open { $0.pendingRequests = 3 }
    let (client, other) = (try await rig.client(), try await rig.client())
    rig.log.next(.hang)
    let request = try put("a", #"{".sv":{"increment":1}}"#)
    await rig.enter { $0.write(request, tag: 1, client: client.client) }
    await rig.enter { database in
      database.write(request, tag: 2, client: client.client)
      database.get(at("a"), tag: 3, client: client.client)
      database.write(request, tag: 4, client: client.client)
      database.get(at("a"), tag: 5, client: client.client)
      database.get(at("a"), tag: 6, client: other.client)
    }
    #expect(client.received.take() == ["answer 4 overloaded", "answer 5 overloaded"])
    #expect(other.received.take() == ["answer 6 value null"])
    rig.log.release()
    await rig.settle()
    #expect(client.received.take() == ["answer 1 written", "answer 2 written", "answer 3 value 2"])
    await rig.enter { $0.write(request, tag: 7, client: client.client) }
    #expect(client.received.take() == ["answer 7 written"])
  }

  @Test func `bytes that wait are bounded too, and one client can't take all places`() async throws {
    let rig = try await Rig.open {
      $0.pendingBytes = 200
      $0.pendingRequestsPerClient = 2
    }
    let (client, other) = (try await rig.client(), try await rig.client())
    rig.log.next(.hang)
    let small = try put("a", "1")
    let large = try put("b", "\"" + String(repeating: "x", count: 300) + "\"")
    await rig.enter { $0.write(small, tag: 1, client: client.client) }
    await rig.enter { database in
      database.write(large, tag: 2, client: client.client)
      database.write(small, tag: 3, client: client.client)
      database.write(small, tag: 4, client: other.client)
    }
    #expect(client.received.take() == ["answer 3 overloaded"])
    #expect(other.received.take() == ["answer 4 overloaded"])
    rig.log.release()
    await rig.settle()
    await rig.enter { $0.write(small, tag: 5, client: other.client) }
    #expect(client.received.take() == ["answer 1 written", "answer 2 written"])
    #expect(other.received.take() == ["answer 5 written"])
  }

  @Test func `a batch is cut when it has grown large, and a write may be too large`() async throws {
    let rig = try await Rig.open {
      $0.batchBytes = 100
      $0.writeBytes = 150
    }
    let client = try await rig.client()
    let requests = try (0..<4).map { try put("k\($0)", "\"" + String(repeating: "x", count: 90) + "\"") }
    let large = try put("l", "\"" + String(repeating: "x", count: 200) + "\"")
    await rig.enter { database in
      for (tag, request) in requests.enumerated() {
        database.write(request, tag: UInt64(tag), client: client.client)
      }
      database.write(large, tag: 9, client: client.client)
    }
    #expect(client.received.take() == (0..<4).map { "answer \($0) written" } + ["answer 9 tooBig"])
    #expect(rig.log.appends == 4)
  }
}

/// What an operator heard.
final class Troubles: Sendable {
  private let heard = Mutex<[DatabaseTrouble]>([])

  var all: [DatabaseTrouble] { heard.withLock { $0 } }
  func add(_ trouble: DatabaseTrouble) { heard.withLock { $0.append(trouble) } }
}

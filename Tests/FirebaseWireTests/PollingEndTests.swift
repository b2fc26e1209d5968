import Engine
import FirebaseWire
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import Transport

/// How polled sessions end, whoever ends them, and what hostile pages get.
@Suite struct PollingEndTests {
  private static let atTheEnd = #"{"t":"d","d":{"r":1,"a":"o","b":{"p":"/gone","d":true}}}"#

  /// True once the session's operation for its end has run.
  private func hasEnded(_ room: FirebaseRoom) async throws -> Bool {
    let reader = try await room.connect()
    try await reader.send(#"{"t":"d","d":{"r":9,"a":"g","b":{"p":"/gone"}}}"#)
    let ended = reader.received().contains(ok(9, "true"))
    try await reader.drop()
    return ended
  }

  // MARK: Ends

  @Test func `a page that leaves ends its session at once`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room, on: room.otherLoop)
    try await client.send(burst: [PollingEndTests.atTheEnd])
    #expect(try await !hasEnded(room))
    try await client.refresh()
    try await client.drop()
    #expect(try await hasEnded(room))
    client.collect()
    #expect(client.isClosed, "a held poll is told")
    #expect(room.services.polling.count == 0)
  }

  @Test func `the page that tells of leaving is always the same`() async throws {
    let room = try await FirebaseRoom()
    let frame = try await TestPoll.send(
      "dframe=t&id=\"><script>alert(1)</script>&pw=x&ns=default", to: room.services, on: room.loop)
    let answer = try #require(frame.answer)
    #expect(answer.status == 200)
    #expect(answer["content-type"] == "text/html; charset=utf-8")
    #expect(answer["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
    #expect(answer["referrer-policy"] == "no-referrer")
    #expect(answer.body.contains("disconn=t") && answer.body.contains("pagehide"))
    #expect(!answer.body.contains("alert"))
  }

  @Test func `a session without its first poll is over after 30 seconds`() async throws {
    let room = try await FirebaseRoom()
    _ = try await TestPoll.send("start=t&ser=1&cb=3&v=5&ns=default", to: room.services, on: room.loop)
    await room.settle()
    await room.loop.advanceTime(by: .seconds(29))
    #expect(room.services.polling.count == 1)
    await room.loop.advanceTime(by: .seconds(1))
    #expect(room.services.polling.count == 0)
  }

  @Test func `a client that falls silent is gone after 90 seconds`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    try await client.send(burst: [PollingEndTests.atTheEnd])
    await room.loop.advanceTime(by: .seconds(60))
    try await client.refresh()
    await room.loop.advanceTime(by: .seconds(89))
    await room.settle()
    #expect(try await !hasEnded(room))
    await room.loop.advanceTime(by: .seconds(1))
    await room.settle()
    #expect(try await hasEnded(room))
    #expect(room.services.polling.count == 0)
  }

  @Test func `a client that has come back by another carrier ends its session`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    try await client.send(burst: [PollingEndTests.atTheEnd])
    _ = try await PolledClient.start(in: room, "v=5&ns=default&ls=session0000000000000000000000001")
    #expect(try await hasEnded(room))
  }

  @Test func `a session that is ended tells its client after its last words`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    try await client.send(burst: [PollingEndTests.atTheEnd])
    try await client.refresh()
    let poll = try #require(client.openPolls.first)
    async let stopped: Void = room.services.polling.stop()
    for _ in 0..<50 where poll.answer == nil {
      await room.settle()
      await Task.yield()
    }
    await stopped
    await room.settle()
    #expect(poll.script?.close != nil)
    #expect(try await hasEnded(room))
    let late = try await TestPoll.send("start=t&ser=1&cb=3&ns=default", to: room.services, on: room.loop)
    #expect(late.answer?.status == 503)
  }

  @Test func `a request that the client made before it left is still carried out`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    _ = try await TestPoll.send(
      client.query(serial: 5000, client.segments([PollingTests.put])), to: room.services, on: room.loop)
    try await client.drop()
    let reader = try await room.connect()
    try await reader.send(#"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/a"}}}"#)
    #expect(reader.received().last == ok(1, "1"))
  }

  // MARK: Strangers

  @Test func `a stranger learns nothing and changes nothing`() async throws {
    let room = try await FirebaseRoom()
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    let id = client.key.id
    let password = client.key.password
    let stolen = client.segments([PollingTests.put])
    var answers: Set<String> = []
    for (name, word) in [
      (id, "x"), (id, ""), (id, String(password.dropLast())), (id, password + "0"), (id, id),
      ("nobody", password), ("", ""), (String(id.reversed()), password),
    ] {
      for query in ["id=\(name)&pw=\(word)&ser=1\(stolen)", "disconn=t&id=\(name)&pw=\(word)"] {
        let poll = try await TestPoll.send(query, to: room.services, on: room.otherLoop)
        await room.settle()
        #expect(poll.answer?.status == 200)
        if !query.hasPrefix("disconn") { answers.insert(poll.answer?.body ?? "") }
      }
    }
    #expect(answers == ["if(typeof pLPCommand==\"function\")pLPCommand(\"close\");\n"])
    #expect(room.services.polling.count == 1)
    let next = try await client.poll(stolen)
    #expect(next.script?.messages.map(\.texts) == [[ok(1)]], "none of it has been taken before")
  }

  @Test func `pieces that no honest client sends end the session`() async throws {
    let room = try await FirebaseRoom()
    for pieces in [
      "&seg0=0&ts0=2&d0=YWFh&seg1=1&ts1=3&d1=YWFh", "&seg0=0&ts0=1&d0=*", "&seg0=99999999&ts0=1&d0=YQ..",
      "&seg0=9223372036854775807&ts0=1&d0=YQ..", "&seg0=0&ts0=1&d0=gICA",
    ] {
      let client = try await PolledClient.start(in: room)
      try await client.poll(pieces)
      client.collect()
      #expect(client.isClosed, "after \(pieces)")
    }
    #expect(room.services.polling.count == 0)
    let client = try await PolledClient.start(in: room)
    for pieces in ["&seg0=-1&ts0=1&d0=YQ..", "&seg0=0&ts0=0&d0=YQ..", "&seg0=0&ts0=1"] {
      #expect(try await client.poll(pieces).answer?.status == 400)
      client.collect()
    }
    #expect(room.services.polling.count == 1, "an address that can't be read is nobody's")
  }

  // MARK: Bounds

  @Test func `a client that stops polling costs its budget and then its session`() async throws {
    var limits = PollLimits()
    limits.budgetBytes = 10_000
    let room = try await FirebaseRoom(pollLimits: limits)
    let client = try await PolledClient.start(in: room)
    try await client.send(burst: [
      PollingTests.listen, #"{"t":"d","d":{"r":2,"a":"o","b":{"p":"/gone","d":true}}}"#,
    ])
    client.collect()
    if let idle = client.openPolls.first { try await idle.leave() }
    await room.settle()
    let writer = try await room.connect()
    let value = String(repeating: "x", count: 900)
    for number in 1...10 {
      try await writer.send(
        #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/a","d":"\#(number)\#(value)"}}}"#)
      #expect(room.services.polling.bytesWaiting <= 10_000)
    }
    #expect(room.services.polling.bytesWaiting > 9000)
    #expect(room.services.polling.count == 1)
    try await writer.send(#"{"t":"d","d":{"r":11,"a":"p","b":{"p":"/a","d":"\#(value)\#(value)"}}}"#)
    #expect(room.services.polling.bytesWaiting == 0)
    #expect(room.services.polling.count == 0)
    #expect(try await hasEnded(room))
  }

  @Test func `one message may be longer than the budget`() async throws {
    var limits = PollLimits()
    limits.budgetBytes = 1000
    let room = try await FirebaseRoom(pollLimits: limits)
    let value = String(repeating: "x", count: 5000)
    let writer = try await room.connect()
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#)
    let client = try await PolledClient.start(in: room)
    _ = client.received()
    try await client.send(burst: [#"{"t":"d","d":{"r":1,"a":"g","b":{"p":"/a"}}}"#])
    #expect(client.received() == [ok(1, "\"\(value)\"")])
  }

  @Test func `what waits for all sessions together is bounded`() async throws {
    var limits = PollLimits()
    limits.totalBudgetBytes = 20_000
    let room = try await FirebaseRoom(pollLimits: limits)
    for _ in 0..<10 {
      let client = try await PolledClient.start(in: room)
      try await client.send(burst: [PollingTests.listen])
      client.collect()
      if let idle = client.openPolls.first { try await idle.leave() }
    }
    let writer = try await room.connect()
    let value = String(repeating: "x", count: 4000)
    try await writer.send(#"{"t":"d","d":{"r":1,"a":"p","b":{"p":"/a","d":"\#(value)"}}}"#)
    #expect((12_000...20_000).contains(room.services.polling.bytesWaiting))
    #expect((3...4).contains(room.services.polling.count))
  }

  @Test func `thousands of sessions that are begun and left cost their bound and are soon gone`() async throws
  {
    var limits = PollLimits()
    limits.sessions = 2000
    let room = try await FirebaseRoom(pollLimits: limits)
    var refused = 0
    for number in 0..<2500 {
      let loop = number % 2 == 0 ? room.loop : room.otherLoop
      let poll = try await TestPoll.send("start=t&ser=1&cb=3&ns=default", to: room.services, on: loop)
      if poll.answer?.status == 503 { refused += 1 }
    }
    await room.settle()
    #expect(refused == 500)
    #expect(room.services.polling.count == 2000)
    await room.loop.advanceTime(by: .seconds(30))
    await room.otherLoop.advanceTime(by: .seconds(30))
    await room.settle()
    #expect(room.services.polling.count == 0)
    #expect(room.services.polling.bytesWaiting == 0)
    guard case .success(let database) = room.directory.get("default") else { return }
    let clients = try await room.loop.executeInContext { database.assumeIsolated { $0.counters.clients } }
    #expect(clients == 0)
    _ = try await PolledClient.start(in: room)
  }
}

import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import Transport

@testable import RESTWire

struct RESTHandlerTests {
  @Test func `a push makes a key that sorts after those before it`() async throws {
    let site = try await Site()
    var names: [String] = []
    for n in 0..<50 {
      let answer = await site.send("POST", "/log.json", body: "\(n)")
      let reply = try Node.parse(answer.body)
      names.append(try #require(reply[try ChildKey("name")].string))
      if n % 10 == 0 { site.clock.advance(milliseconds: 1) }
    }
    #expect(names == names.sorted())
    #expect(Set(names).count == 50)
    #expect(names.allSatisfy { $0.utf8.count == 20 })
    let values = await site.send("GET", "/log/\(names[7]).json").body
    #expect(values == "7")
    await site.close()
  }

  @Test func `a log that takes nothing fails the write and not the read`() async throws {
    let site = try await Site(data: "{\"a\":1}")
    site.log.always(.failure(.diskFull("no room")))
    let failed = await site.send("PUT", "/a.json", body: "2")
    #expect(failed.status == 503)
    #expect(failed.body.hasPrefix("{\"error\":"))
    #expect(!failed.body.contains("no room"))
    #expect(await site.send("GET", "/a.json").body == "1")
    site.log.always(.success)
    #expect(await site.send("PUT", "/a.json", body: "3").body == "3")
    await site.close()
  }

  @Test func `a write is answered when it is durable and not before`() async throws {
    let site = try await Site()
    site.log.next(.hang)
    let write = await site.open("PUT", "/a.json", body: "1")
    #expect(await write.recorded().status == 0)
    #expect(await site.send("GET", "/a.json").body == "null")
    site.log.release()
    await site.loop.run()
    #expect(await write.recorded().body == "1")
    #expect(await site.send("GET", "/a.json").body == "1")
    let database = site.database
    let clients = await site.run { database.assumeIsolated { $0.counters.clients } }
    #expect(clients == 0)
    await site.close()
  }

  @Test func `of two conditional writes on one value the first is done`() async throws {
    let site = try await Site(data: "{\"n\":1}")
    let tag = try #require(await site.send("GET", "/n.json", [("X-Firebase-ETag", "true")])["ETag"].first)
    site.log.next(.hang)
    let first = await site.open("PUT", "/n.json", [("if-match", tag)], body: "2")
    let second = await site.open("PUT", "/n.json", [("if-match", tag)], body: "3")
    site.log.release()
    await site.loop.run()
    #expect(await first.recorded().status == 200)
    #expect(await second.recorded().status == 412)
    #expect(await second.recorded().body == "2")
    await site.close()
  }

  @Test func `a condition does not show what may not be read`() async throws {
    let rules = "{\"rules\":{\"w\":{\".write\":true},\"r\":{\".read\":true}}}"
    let site = try await Site(rules: rules, data: "{\"w\":1,\"r\":2,\"x\":3}")
    for path in ["w", "x"] {
      for method in ["PUT", "DELETE"] {
        let answer = await site.send(method, "/\(path).json", [("if-match", "x")], body: "9")
        #expect(answer.status == 401)
        #expect(answer.body == "{\"error\":\"Permission denied\"}")
        #expect(answer["ETag"].isEmpty)
      }
    }
    #expect(await site.send("PUT", "/r.json", [("if-match", "x")], body: "9").status == 412)
    let create = ("if-match", "null_etag")
    #expect(await site.send("PUT", "/w/new.json", [create], body: "1").status == 200)
    #expect(await site.send("PUT", "/w/new.json", [create], body: "2").status == 401)
    await site.close()
  }

  @Test func `a request that takes longer than it may is told so`() async throws {
    let site = try await Site(data: "1")
    let directory = site.directory
    let read = await site.open("GET", "/.json?timeout=2s&ns=slow")
    await site.pass(seconds: 1)
    #expect(await read.recorded().status == 0)
    await site.pass(seconds: 1)
    #expect(await read.recorded().status == 503)
    await site.run { directory.answer() }
    #expect(await read.recorded().status == 503)
    let quick = await site.open("GET", "/.json?timeout=2s&ns=slow")
    await site.run { directory.answer() }
    await site.pass(seconds: 10)
    #expect(await quick.recorded().body == "1")
    await site.close()
  }

  @Test func `a database on another loop answers the same`() async throws {
    let other = NIOAsyncTestingEventLoop()
    let site = try await Site(on: other)
    let write = await site.open("PUT", "/a.json", body: "{\"b\":1}")
    while await !write.recorded().isComplete { await Task.yield() }
    #expect(await write.recorded().body == "{\"b\":1}")
    let read = await site.open("GET", "/a/b.json")
    while await !read.recorded().isComplete { await Task.yield() }
    #expect(await read.recorded().body == "1")
    await site.close()
    await other.shutdownGracefully()
  }

  @Test func `a long answer is written as fast as the peer takes it`() async throws {
    let items = (0..<4000).map { "\"k\($0)\":\"\(String(repeating: "v", count: 100))\"" }
    let site = try await Site(data: "{\"big\":{\(items.joined(separator: ","))},\"b\":1}")
    let whole = await site.send("GET", "/big.json")
    #expect(whole.isComplete)
    #expect(whole.pieces > 3)
    let expected = try Node.parse(whole.body)
    #expect(expected.childCount == 4000)
    let slow = await site.open("GET", "/big.json?callback=f", room: 2)
    #expect(await slow.recorded().pieces == 2)
    #expect(await !slow.recorded().isComplete)
    while await !slow.recorded().isComplete {
      await slow.look { exchange, sink in
        sink.room = 1
        exchange.becameWritable()
      }
      await slow.loop.advanceTime(by: .milliseconds(1))
    }
    #expect(await slow.recorded().body == "f(" + whole.body + ");")
    let pretty = await site.send("GET", "/big.json?print=pretty")
    #expect(pretty.body == expected.text(.value, pretty: true))
    let head = await site.send("HEAD", "/big.json")
    #expect(head.isComplete)
    #expect(head.status == 200)
    await site.close()
  }

  @Test func `a value past the limit is shown to operators only`() async throws {
    let items = (0..<4000).map { "\"k\($0)\":\"\(String(repeating: "v", count: 100))\"" }
    let data = "{\(items.joined(separator: ","))}"
    let bytes = try Node.parse(data).estimatedBytes
    let fits = try await Site(data: data, readLimitBytes: bytes)
    #expect(await fits.send("GET", "/.json").status == 200)
    await fits.close()
    let site = try await Site(data: data, readLimitBytes: bytes - 1)
    let refused = await site.send("GET", "/.json")
    #expect(refused.status == 400)
    let text = "The specified payload is too large, please request a location with less data."
    #expect(refused.body == "{\"error\":\"\(text)\"}")
    #expect(await site.send("GET", "/.json?auth=owner").status == 200)
    #expect(await site.send("GET", "/.json?shallow=true").status == 200)
    #expect(await site.send("GET", "/.json?orderBy=%22$key%22&limitToFirst=10").status == 200)
    await site.close()
  }

  @Test func `a peer that leaves in the middle of a long answer is let go`() async throws {
    let items = (0..<4000).map { "\"k\($0)\":\"\(String(repeating: "v", count: 100))\"" }
    let site = try await Site(data: "{\(items.joined(separator: ","))}")
    let slow = await site.open("GET", "/.json", room: 2)
    await slow.look { exchange, sink in
      exchange.peerLeft()
      sink.room = 100
      exchange.becameWritable()
    }
    await site.loop.run()
    #expect(await slow.recorded().pieces == 2)
    await site.close()
  }

  @Test func `a write is as large as its limit and no larger`() async throws {
    let site = try await Site()
    let bytes = try #require(WriteSizeLimit.tiny.bytes)
    let fits = String(repeating: "x", count: bytes - 2)
    let written = await site.send("PUT", "/a.json?writeSizeLimit=tiny&print=silent", body: "\"\(fits)\"")
    #expect(written.status == 204)
    let refused = await site.send("PUT", "/a.json?writeSizeLimit=tiny", body: "\"\(fits)x\"")
    #expect(refused.status == 400)
    let text =
      "WRITE_TOO_BIG: Data to write exceeds the maximum size that can be modified with a single request."
    #expect(refused.body == "{\"error\":\"\(text)\"}")
    #expect(
      await site.send("PUT", "/a.json?writeSizeLimit=small&print=silent", body: "\"\(fits)x\"").status == 204)
    await site.close()
  }

  @Test func `a database's own size limit holds where a write names none`() async throws {
    let site = try await Site()
    let bytes = try #require(WriteSizeLimit.tiny.bytes)
    let large = "\"" + String(repeating: "x", count: bytes) + "\""
    _ = await site.send("PUT", "/.settings/defaultWriteSizeLimit.json?auth=owner", body: "\"tiny\"")
    #expect(await site.send("PUT", "/a.json", body: large).status == 400)
    #expect(await site.send("PUT", "/a.json?writeSizeLimit=small&print=silent", body: large).status == 204)
    await site.close()
  }

  @Test func `settings and rules are there after a restart`() async throws {
    let site = try await Site(data: "1")
    _ = await site.send("PUT", "/.settings/defaultWriteSizeLimit.json?auth=owner", body: "\"tiny\"")
    _ = await site.send("PUT", "/.settings/rules.json?auth=owner", body: "{\"rules\":{\".read\":true}}")
    let again = try await Site(log: site.log)
    #expect(await again.send("GET", "/.settings/defaultWriteSizeLimit.json?auth=owner").body == "\"tiny\"")
    #expect(
      await again.send("GET", "/.settings/rules.json?auth=owner").body == "{\"rules\":{\".read\":true}}")
    #expect(await again.send("GET", "/.json").body == "1")
    #expect(await again.send("PUT", "/.json", body: "2").status == 401)
    await again.close()
    await site.close()
  }

  @Test func `deep text, long keys and long strings are refused at their bounds`() async throws {
    let site = try await Site()
    func nested(_ depth: Int) -> String {
      String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
    }
    #expect(await site.send("PUT", "/.json", body: nested(32)).status == 200)
    #expect(await site.send("PUT", "/.json", body: nested(33)).status == 400)
    #expect(await site.send("PUT", "/x.json", body: nested(31)).status == 200)
    #expect(await site.send("PUT", "/x.json", body: nested(32)).status == 400)
    for bracket in ["[", "{\"a\":"] {
      let open = String(repeating: bracket, count: 100_000)
      #expect(await site.send("PUT", "/.json", body: open).status == 400)
      #expect(await site.send("PATCH", "/.json", body: "{\"a\":" + open).status == 400)
    }
    let key = String(repeating: "k", count: 768)
    #expect(await site.send("PUT", "/.json", body: "{\"\(key)\":1}").status == 200)
    #expect(await site.send("PUT", "/.json", body: "{\"\(key)k\":1}").status == 400)
    let long = String(repeating: "s", count: Limits.standard.stringBytes)
    #expect(await site.send("PUT", "/s.json?print=silent", body: "\"\(long)\"").status == 204)
    #expect(await site.send("PUT", "/s.json", body: "\"\(long)s\"").status == 400)
    await site.close()
  }

  @Test func `whatever comes is answered`() async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    let site = try await Site(data: "{\"a\":{\"b\":1}}")
    let methods = ["GET", "PUT", "PATCH", "POST", "DELETE", "HEAD", "OPTIONS", "X"]
    let pieces = [
      "/", "a", ".json", ".", "%", "%2F", "%00", "%ff", "?", "&", "=", "orderBy", "\"$key\"", "%22$key%22",
      "limitToFirst",
      "1", "-9223372036854775808", "1e400", "startAt", "shallow", "true", "print", "pretty", "silent",
      "callback", "f",
      "auth", "owner", ".settings", "rules", "/.priority", "ns", "default", "timeout", "3s", "+", "#", "é",
      "equalTo",
      "null", "format", "export", "endBefore", ",", "{", "[", "writeSizeLimit", "tiny", "download", "x\r\ny",
      "auth_variable_override", "{}", "%7B%7D",
    ]
    let bodies = [
      "", "1", "{", "{\"a\":1}", "[1,2]", "1e400", "\u{0}", "{\".sv\":1}", "{\"a/b\":null}", "{\"rules\":{}}",
    ]
    for round in 0..<3000 {
      var target = "/"
      for _ in 0..<Int.random(in: 0...9, using: &random) {
        target += pieces[Int.random(in: 0..<pieces.count, using: &random)]
      }
      if Bool.random(using: &random) { target = target.replacing("?", with: ".json?", maxReplacements: 1) }
      let method = methods[Int.random(in: 0..<methods.count, using: &random)]
      let body = bodies[Int.random(in: 0..<bodies.count, using: &random)]
      let answer = await site.send(method, target, body: body)
      let isFine = answer.isComplete && (200..<600).contains(answer.status) && answer.status != 500
      #expect(isFine, "seed \(seed), round \(round): \(method) \(target) with \(body) gave \(answer.status)")
    }
    await site.close()
  }

  @Test func `an operator's export goes on where it broke off, as long as its snapshot is kept`() async throws
  {
    let site = try await Site(data: #"{"a":{"x":"1234567890"}}"#)
    let (owner, keep) = (("Authorization", "Bearer owner"), ("X-Dhole-Snapshot", "keep"))
    let target = "/a.json?format=export"
    let first = await site.send("GET", target, [owner, keep])
    #expect(first.body == #"{"x":"1234567890"}"#)
    let name = try #require(first["x-dhole-snapshot"].first)
    _ = await site.send("PUT", "/a/x.json", body: "2")

    func rest(
      _ byte: String, _ target: String = target, as caller: (String, String)? = owner
    ) async -> RecordingSink.Recorded {
      let headers = [("x-dhole-snapshot", name), ("x-dhole-from", byte)] + (caller.map { [$0] } ?? [])
      return await site.send("GET", target, headers)
    }
    let second = await rest("6")
    #expect(second.status == 200 && second.body == #"1234567890"}"#)
    #expect(second["x-dhole-snapshot"] == [name])
    #expect(await rest("0").body == first.body)
    #expect(await rest("18").body == "")
    #expect(await rest("900").body == "")
    #expect(await rest("-1").status == 400)
    #expect(await rest("x").status == 400)
    #expect(await rest("6", as: nil).status == 401)
    #expect(await rest("6", as: ("Authorization", "Bearer user:mia")).status == 401)
    #expect(await rest("6", "/a/x.json?format=export").status == 410)
    #expect(await rest("6", "/a.json").status == 410)
    // Nobody else's value is kept.
    #expect(await site.send("GET", target, [keep])["x-dhole-snapshot"] == [])
    #expect(await site.send("GET", target, [owner, ("X-Dhole-Snapshot", "\(name)")]).status == 400)
    await site.pass(seconds: 601)
    #expect(await rest("6").status == 410)
    for _ in 0..<9 { _ = await site.send("GET", target, [owner, keep]) }
    let newest = await site.send("GET", target, [owner, keep])
    for _ in 0..<7 { _ = await site.send("GET", target, [owner, keep]) }
    let headers = [owner, ("x-dhole-snapshot", newest["x-dhole-snapshot"][0]), ("x-dhole-from", "0")]
    #expect(await site.send("GET", target, headers).status == 200)
    await site.close()
  }

  @Test func `a query that needs a large index waits while it is built beside the loop`() async throws {
    let work = HeldWork()
    let rules = #"{"rules":{".read":true,".write":true,"s":{".indexOn":"n"}}}"#
    let children = (0..<200).map { #""k\#($0)":{"n":\#($0)}"# }.joined(separator: ",")
    let site = try await Site(rules: rules, data: #"{"s":{\#(children)}}"#, indexing: work.longWork)
    let target = "/s.json?orderBy=%22n%22&limitToLast=1"
    let asked = await site.open("GET", target)
    #expect(work.count == 1)
    #expect(await !asked.recorded().isComplete)
    #expect(await site.send("GET", "/s/k7/n.json").body == "7")
    work.run()
    #expect(await asked.take() == #"{"k199":{"n":199}}"#)
    // The index is there now.
    #expect(await site.send("GET", target).body == #"{"k199":{"n":199}}"#)
    #expect(work.count == 0)
    let refused = await site.send("GET", "/s.json?orderBy=%22m%22&limitToLast=1")
    #expect(refused.status == 400)
    await site.close()
  }
}

import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import Transport

@testable import RESTWire

struct RESTStreamTests {
  private let accept = ("Accept", "text/event-stream")

  private func put(_ path: String, _ data: String) -> String {
    "event: put\ndata: {\"path\":\"\(path)\",\"data\":\(data)}\n\n"
  }

  private func patch(_ path: String, _ data: String) -> String {
    "event: patch\ndata: {\"path\":\"\(path)\",\"data\":\(data)}\n\n"
  }

  private func counters(_ site: Site) async -> Counters {
    let database = site.database
    return await site.run { database.assumeIsolated { $0.counters } }
  }

  @Test func `the first event is the value, also when there is none`() async throws {
    let site = try await Site(data: "{\"a\":{\"b\":[1,2]}}")
    let stream = await site.open("GET", "/a.json", [accept])
    let answer = await stream.recorded()
    #expect(answer.status == 200)
    #expect(answer.isStream)
    #expect(answer["Content-Type"] == ["text/event-stream; charset=utf-8"])
    #expect(answer["Cache-Control"] == ["no-cache"])
    #expect(answer["Access-Control-Allow-Origin"] == ["*"])
    #expect(answer.body == put("/", "{\"b\":[1,2]}"))
    let nothing = await site.open("GET", "/none.json", [accept])
    #expect(await nothing.take() == put("/", "null"))
    await site.close()
  }

  @Test func `a large value is told before everything that came later`() async throws {
    let work = HeldWork()
    let text = String(repeating: "x", count: LongWork.shortBytes / 2)
    let site = try await Site(longWork: work.longWork)
    for key in ["a", "b"] { _ = await site.send("PUT", "/\(key).json", body: "\"\(text)\"") }
    let stream = await site.open("GET", "/.json", [accept])
    _ = await site.send("PUT", "/n.json", body: "2")
    #expect(await stream.take() == "")
    #expect(work.count == 1)
    work.run()
    #expect(await stream.take() == put("/", #"{"a":"\#(text)","b":"\#(text)"}"#) + put("/n", "2"))
    _ = await site.send("PUT", "/n.json", body: "3")
    #expect(await stream.take() == put("/n", "3"))
    await site.close()
  }

  @Test func `a large body is read, and a large value measured and hashed, beside the loop`() async throws {
    let work = HeldWork()
    let text = "\"" + String(repeating: "x", count: LongWork.shortBytes) + "\""
    let site = try await Site(readLimitBytes: LongWork.shortBytes * 2, longWork: work.longWork)
    let put = await site.open("PUT", "/a.json?print=silent", body: text)
    #expect(await !put.recorded().isComplete)
    work.run()
    _ = await put.take()
    #expect(await put.recorded().status == 204)
    let broken = await site.open("PUT", "/a.json", body: text + "x")
    work.run()
    _ = await broken.take()
    #expect(await broken.recorded().status == 400)
    let get = await site.open("GET", "/a.json", [("X-Firebase-ETag", "true")])
    #expect(work.count == 1)
    work.run()
    #expect(await get.take() == text)
    #expect(await get.recorded()["ETag"] == [ETag.of(Node(String(text.dropFirst().dropLast())))])
    let second = await site.open("PUT", "/b.json?print=silent", body: text)
    work.run()
    _ = await second.take()
    let tooLong = await site.open("GET", "/.json")
    work.run()
    _ = await tooLong.take()
    #expect(await tooLong.recorded().status == 400)
    await site.close()
  }

  @Test func `each change is told once, at its place below the stream`() async throws {
    let site = try await Site(data: "{\"a\":{\"b\":1}}")
    let stream = await site.open("GET", "/a.json", [accept])
    _ = await stream.take()
    _ = await site.send("PUT", "/a/c/d.json", body: "{\"x\":[true]}")
    #expect(await stream.take() == put("/c/d", "{\"x\":[true]}"))
    _ = await site.send("PATCH", "/a.json", body: "{\"b\":null,\"e/f\":2}")
    #expect(await stream.take() == patch("/", "{\"b\":null,\"e/f\":2}"))
    _ = await site.send("DELETE", "/a/c.json")
    #expect(await stream.take() == put("/c", "null"))
    _ = await site.send("PUT", "/a.json", body: "5")
    #expect(await stream.take() == put("/", "5"))
    _ = await site.send("PUT", "/.json", body: "{\"a\":{\"g\":1},\"z\":1}")
    #expect(await stream.take() == put("/", "{\"g\":1}"))
    _ = await site.send("PUT", "/z.json", body: "2")
    _ = await site.send("PUT", "/a/g.json", body: "1")
    #expect(await stream.take() == "")
    await site.close()
  }

  @Test func `a window tells who comes and who goes`() async throws {
    let rules = "{\"rules\":{\".read\":true,\".write\":true,\"s\":{\".indexOn\":\"p\"}}}"
    let site = try await Site(rules: rules, data: "{\"s\":{\"a\":{\"p\":1},\"b\":{\"p\":2},\"c\":{\"p\":3}}}")
    let stream = await site.open("GET", "/s.json?orderBy=%22p%22&limitToLast=2", [accept])
    #expect(await stream.take() == put("/", "{\"b\":{\"p\":2},\"c\":{\"p\":3}}"))
    _ = await site.send("PUT", "/s/d.json", body: "{\"p\":4}")
    let change = await stream.take()
    #expect(
      change == patch("/", "{\"b\":null,\"d\":{\"p\":4}}")
        || change == patch("/", "{\"d\":{\"p\":4},\"b\":null}"))
    _ = await site.send("PUT", "/s/a/q.json", body: "1")
    #expect(await stream.take() == "")
    _ = await site.send("DELETE", "/s.json")
    #expect(await stream.take() == put("/", "null"))
    await site.close()
  }

  @Test func `priorities are told in exports only`() async throws {
    let site = try await Site(data: "{\"a\":{\".value\":1,\".priority\":2}}")
    let plain = await site.open("GET", "/a.json", [accept])
    let export = await site.open("GET", "/a.json?format=export", [accept])
    #expect(await plain.take() == put("/", "1"))
    #expect(await export.take() == put("/", "{\".value\":1,\".priority\":2}"))
    _ = await site.send("PUT", "/a/.priority.json", body: "3")
    #expect(await plain.take() == "")
    #expect(await export.take() == put("/.priority", "3"))
    await site.close()
  }

  @Test func `a stream that may not begin is an ordinary refusal`() async throws {
    let site = try await Site(rules: "{\"rules\":{\"open\":{\".read\":true}}}")
    let denied = await site.send("GET", "/x.json", [accept])
    #expect(denied.status == 401)
    #expect(denied.body == "{\"error\":\"Permission denied\"}")
    #expect(!denied.isStream)
    #expect(await site.send("GET", "/open.json?auth=expired", [accept]).status == 401)
    #expect(await site.send("GET", "/open.json?limitToFirst=1", [accept]).status == 400)
    #expect(await site.send("GET", "/open.json?shallow=true", [accept]).status == 400)
    #expect(await site.send("GET", "/open/.priority.json", [accept]).status == 400)
    #expect(await site.send("GET", "/open.json?ns=nowhere", [accept]).status == 404)
    let index = await site.send("GET", "/open.json?orderBy=%22x%22", [accept])
    #expect(index.status == 400)
    #expect(index.body.contains("Index not defined"))
    #expect(await counters(site).clients == 0)
    #expect(await counters(site).listens == 0)
    await site.close()
  }

  @Test func `new rules that deny end the stream with a cancel`() async throws {
    let site = try await Site(data: "1")
    let stream = await site.open("GET", "/.json", [accept])
    _ = await stream.take()
    _ = await site.send("PUT", "/.settings/rules.json?auth=owner", body: "{\"rules\":{\".read\":false}}")
    #expect(await stream.take() == "event: cancel\ndata: null\n\n")
    #expect(await stream.recorded().isComplete)
    #expect(await counters(site).clients == 0)
    await site.close()
  }

  @Test func `a credential that ends ends the stream`() async throws {
    let site = try await Site()
    let seconds = site.clock.nowMilliseconds() / 1000 + 70
    let stream = await site.open("GET", "/.json?auth=until:\(seconds)", [accept])
    #expect(await stream.take() == put("/", "null"))
    await site.pass(seconds: 30)
    #expect(await stream.take() == "event: keep-alive\ndata: null\n\n")
    await site.pass(seconds: 30)
    #expect(await stream.take() == "event: keep-alive\ndata: null\n\n")
    await site.pass(seconds: 9)
    #expect(await stream.take() == "")
    await site.pass(seconds: 1)
    #expect(await stream.take() == "event: auth_revoked\ndata: credential is no longer valid\n\n")
    #expect(await stream.recorded().isComplete)
    #expect(await counters(site).clients == 0)
    await site.close()
  }

  @Test(arguments: ["until:0", "until:-9223372036854775808", "until:9223372036854775807"])
  func `an odd end of a credential does no harm`(credential: String) async throws {
    let site = try await Site()
    let stream = await site.open("GET", "/.json?auth=\(credential)", [accept])
    await site.pass(seconds: 31)
    let text = await stream.take()
    #expect(text.hasPrefix(put("/", "null")))
    #expect(
      text.hasSuffix(credential.hasSuffix("807") ? "keep-alive\ndata: null\n\n" : "no longer valid\n\n"))
    await site.close()
  }

  @Test func `a quiet stream shows that it is alive`() async throws {
    let site = try await Site()
    let stream = await site.open("GET", "/.json", [accept])
    _ = await stream.take()
    await site.pass(seconds: 29)
    #expect(await stream.take() == "")
    await site.pass(seconds: 1)
    #expect(await stream.take() == "event: keep-alive\ndata: null\n\n")
    await site.pass(seconds: 30)
    #expect(await stream.take() == "event: keep-alive\ndata: null\n\n")
    await site.close()
  }

  @Test func `nothing is left of a stream whose peer has gone`() async throws {
    let site = try await Site()
    let stream = await site.open("GET", "/.json", [accept])
    #expect(await counters(site).listens == 1)
    await stream.look { _, sink in sink.stream?.peerLeft() }
    await site.loop.run()
    #expect(await counters(site).listens == 0)
    #expect(await counters(site).clients == 0)
    _ = await site.send("PUT", "/.json", body: "1")
    await site.pass(seconds: 100)
    #expect(await stream.take() == put("/", "null"))
    await site.close()
  }

  @Test func `streams of one place share one encoding`() async throws {
    let site = try await Site(data: "{\"a\":1}")
    var streams: [OpenExchange] = []
    for _ in 0..<10 { streams.append(await site.open("GET", "/a.json", [accept])) }
    for stream in streams { _ = await stream.take() }
    let before = await counters(site)
    _ = await site.send("PUT", "/a.json", body: "2")
    let after = await counters(site)
    #expect(after.pushes - before.pushes == 1)
    #expect(after.deliveries - before.deliveries == 10)
    for stream in streams { #expect(await stream.take() == put("/", "2")) }
    await site.close()
  }

  @Test func `a stream of a database on another loop sees the same`() async throws {
    let other = NIOAsyncTestingEventLoop()
    let site = try await Site(on: other)
    let stream = await site.open("GET", "/a.json", [accept])
    while await stream.recorded().body.isEmpty { await Task.yield() }
    #expect(await stream.take() == put("/", "null"))
    let write = await site.open("PUT", "/a.json", body: "1")
    while await !write.recorded().isComplete { await Task.yield() }
    #expect(await stream.take() == put("/", "1"))
    await site.close()
    await other.shutdownGracefully()
  }

  @Test func `a peer that leaves before its stream begins leaves nothing`() async throws {
    let site = try await Site()
    let directory = site.directory
    let stream = await site.open("GET", "/a.json?ns=slow", [accept])
    await stream.look { exchange, _ in exchange.peerLeft() }
    await site.run { directory.answer() }
    await site.loop.run()
    #expect(await stream.recorded().status == 0)
    #expect(await counters(site).clients == 0)
    #expect(await counters(site).listens == 0)
    await site.close()
  }
}

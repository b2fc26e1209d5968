import NIOCore
import NIOEmbedded
import NIOPosix
import TestSupport
import Testing
import Transport

@testable import RESTWire

/// A plain GET takes a short way. It must not be told from one that takes the long way.
struct PlainReadTests {
  private static let rules = #"{"rules":{".read":true}}"#
  private static let shut = #"{"rules":{"open":{".read":true}}}"#
  private static let data =
    #"{"a":1,"b":{"x":"\u00e9\"","y":[1,2,null,4]},"long":"\#(String(repeating: "z", count: 100_000))","#
    + #""p":{".priority":3,".value":true},"open":{"n":-0.5}}"#

  private static let targets = [
    "/a.json", "/b.json", "/b/y.json", "/b/y/1.json", "/.json", "/none.json", "/p.json", "/p/.priority.json",
    "/long.json", "//b//x.json", "/open/n.json", "/b.json?", "/%61.json", "/a", "/a$.json", "/.json/a.json",
    "/a.json.json", "/.info/connected.json", "/\(String(repeating: "k/", count: 40))x.json",
    "/.settings/rules.json", "http://other/a.json", "", "/a.json?ns=default", "/b.json?ns=DEFAULT",
    "/a.json?ns=other", "/a.json?ns=", "/a.json?ns=broken", "/a.json?ns=disabled", "/a.json?ns=no_such",
  ]

  private static let callers = [
    [], [("authorization", "Bearer owner")], [("Authorization", "bearer  user:mia")],
    [("Authorization", "Bearer expired")], [("Authorization", "Bearer ")], [("Authorization", "Basic eA==")],
    [("Authorization", "Bearer user:mia"), ("authorization", "Bearer owner")],
  ]

  @Test(arguments: targets, [rules, shut])
  func `it answers as the long way does`(target: String, rules: String) async throws {
    let site = try await Site(rules: rules, data: Self.data, readLimitBytes: 50_000)
    for headers in Self.callers {
      let plain = await site.send("GET", target, [("Host", "h"), ("Accept", "*/*")] + headers)
      // Nobody's, but more than the short way wants to look at.
      let full = await site.send(
        "GET", target, [("Host", "h"), ("Accept", "application/json, */*")] + headers)
      #expect(plain.status == full.status, "\(headers)")
      #expect(plain.headers.map(\.0) == full.headers.map(\.0))
      #expect(plain.headers.map(\.1) == full.headers.map(\.1))
      #expect(plain.body == full.body)
      #expect(plain.isComplete && full.isComplete)
    }
    await site.close()
  }

  @Test(arguments: [
    ("GET", "/a.json", "aCCept", "*/*", true),
    ("GET", "/a.json", "User-Agent", "curl", true),
    ("GET", "/a.json", "Accept-Encoding", "gzip", true),
    ("GET", "/a.json", "accept", "text/event-stream", false),
    ("GET", "/a.json", "Authorization", "Bearer owner", true),
    ("GET", "/a.json", "Authorization", "Basic owner", false),
    ("GET", "/a.json?ns=shop-1", "Host", "h", true),
    ("GET", "/a.json?ns=shop&auth=x", "Host", "h", false),
    ("GET", "/a.json?ns=%61", "Host", "h", false),
    ("GET", "/a.json", "IF-NONE-MATCH", "x", false),
    ("GET", "/a.json", "If-Match", "x", false),
    ("GET", "/a.json", "x-FIREBASE-etag", "true", false),
    ("GET", "/a.json?print=pretty", "Host", "h", false),
    ("GET", "/%61.json", "Host", "h", false),
    ("GET", "/.settings/rules.json", "Host", "h", false),
    ("HEAD", "/a.json", "Host", "h", false),
    ("PUT", "/a.json", "Host", "h", false),
  ])
  func `only what asks for nothing else takes it`(
    method: String, target: String, name: String, value: String, isPlain: Bool
  ) {
    let head = RequestHead(method: method, target: target, headers: [(name, value)])
    #expect((PlainRead(head) != nil) == isPlain)
  }

  @Test func `a database on another loop is asked there`() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let site = try await Site(on: group.next())
    let put = await site.open("PUT", "/.json?auth=owner", body: Self.data)
    try await waited(for: put)
    for (target, body) in [("/b/y.json", "[1,2,null,4]"), ("/none.json", "null")] {
      let exchange = await site.open("GET", target)
      try await waited(for: exchange)
      #expect(await exchange.recorded().body == body)
    }
    let long = await site.open("GET", "/long.json")
    try await waited(for: long)
    #expect(await long.recorded().body.utf8.count == 100_002)
    await site.close()
    try await group.shutdownGracefully()
  }

  private func waited(for exchange: OpenExchange) async throws {
    for _ in 0..<3000 {
      await exchange.loop.advanceTime(by: .milliseconds(1))
      if await exchange.recorded().isComplete { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("no answer came")
  }
}

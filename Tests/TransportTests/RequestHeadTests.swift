import Testing

@testable import Transport

struct RequestHeadTests {
  @Test(arguments: [
    ("/a/b.json?x=1&y=?", "/a/b.json", "x=1&y=?", "h:1"),
    ("/", "/", "", "h:1"),
    ("*", "*", "", "h:1"),
    ("http://other:9/a%20b?q", "/a%20b", "q", "other:9"),
    ("http://other?q", "/", "q", "other"),
    ("HTTPS://other", "/", "", "other"),
    ("strange", "strange", "", "h:1"),
    ("", "", "", "h:1"),
    ("//x/y", "//x/y", "", "h:1"),
  ])
  func `a target has a path, a query and perhaps a host`(
    target: String, path: String, query: String, host: String
  ) {
    let head = RequestHead(method: "GET", target: target, headers: [("hOsT", "h:1")])
    #expect(head.path == path)
    #expect(head.query == query)
    #expect(head.host == host)
  }

  @Test func `headers are found without case and tokens in lists`() {
    let head = RequestHead(
      method: "GET", target: "/", headers: [("Accept", "a, B"), ("ACCEPT", "c"), ("X", "y")])
    #expect(head.header("accept") == "a, B")
    #expect(head.headers("accept") == ["a, B", "c"])
    #expect(head.header("none") == nil)
    #expect(head.hasToken("b", in: "accept"))
    #expect(head.hasToken("c", in: "Accept"))
    #expect(!head.hasToken("d", in: "accept"))
  }
}

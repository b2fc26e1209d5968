import TestSupport
import Testing

@testable import Transport

/// Requests that two servers could cut in different places: each is refused, with everything behind it.
struct SmugglingTests {
  private static let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

  private static func chunked(_ lines: String, encoding: String = "Transfer-Encoding: chunked") -> String {
    "POST / HTTP/1.1\r\nHost: x\r\n\(encoding)\r\n\r\n\(lines)"
  }

  private static func sized(_ field: String) -> String {
    "POST / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n"
  }

  private static let shapes: [(String, String)] = [
    (
      "a length and chunks, the length last",
      chunked("0\r\n\r\n", encoding: "Transfer-Encoding: chunked\r\nContent-Length: 4")
    ),
    ("chunks behind a tab", sized("Transfer-Encoding:\tchunked\r\nContent-Length: 4")),
    ("chunks that are spelt wrongly", sized("Transfer-Encoding: xchunked")),
    ("chunks in quotes", sized("Transfer-Encoding: \"chunked\"")),
    ("chunks and then something else", sized("Transfer-Encoding: chunked, identity")),
    ("an encoding with a space before the colon", sized("Transfer-Encoding : chunked")),
    ("an encoding that is folded", sized("Transfer-Encoding:\r\n chunked")),
    ("a length that is folded", sized("Content-Length:\r\n 5")),
    ("a length in hexadecimal", sized("Content-Length: 0x5")),
    ("a length with a minus", sized("Content-Length: -1")),
    ("a length with an underscore", sized("Content-Length: 1_0")),
    ("a length with a fraction", sized("Content-Length: 1.0")),
    ("an empty length", sized("Content-Length:")),
    ("a length with a tail", sized("Content-Length: 5 5")),
    ("two lengths that differ in zeros", sized("Content-Length: 5\r\nContent-Length: 05")),
    ("a chunk size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a prefix", chunked("0x5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a space before it", chunked(" 5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size past all bounds", chunked("ffffffffffffffff1\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size that ends with a bare line feed", chunked("5\nhello\r\n0\r\n\r\n")),
    ("a chunk without its end", chunked("5\r\nhello0\r\n\r\n")),
    ("a chunk with a bare line feed behind it", chunked("5\r\nhello\n0\r\n\r\n")),
    ("no chunk size", chunked("\r\nhello\r\n0\r\n\r\n")),
    ("a bare line feed after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n"),
    ("a bare line feed at the end of the head", "GET / HTTP/1.1\r\nHost: x\r\n\n"),
    ("a tab in a field's name", "GET / HTTP/1.1\r\nHost: x\r\nA\tB: c\r\n\r\n"),
    ("a line without a colon", "GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"),
    ("a space before the first field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    ("two spaces in the request line", "GET / HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]

  @Test(arguments: shapes)
  func `what follows an ambiguous request is never taken for another`(what: String, text: String) async throws
  {
    var router = TestRouter()
    let log = router.log
    router.answer = {
      log.add(String($0.head.path))
      TestRouter.describe($0)
    }
    try await withServer(router) { port, _ in
      let client = try WireClient(port: port)
      try await client.send(text + Self.hidden)
      let first = try await client.readResponse()
      #expect((400..<506).contains(first.status), "\(what): \(first.status)")
      #expect(await client.isEnded(), "\(what): something comes after the refusal")
      #expect(log.all.isEmpty, "\(what): \(log.all)")
    }
  }

  @Test func `rubbish behind a good request ends the connection after its answer`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      try await client.send("POST /good HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nokrubbish\r\n\r\n")
      #expect(try await client.readResponse().text == "POST /good  ok")
      let status = try await client.readResponse().status
      #expect((400..<506).contains(status))
      #expect(await client.isEnded())
    }
  }

  @Test func `a body that looks like a request stays a body`() async throws {
    try await withServer { port, _ in
      let client = try WireClient(port: port)
      let body = Self.hidden
      try await client.send(
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      #expect(try await client.readResponse().text == "POST /a  \(body)")
      let size = String(body.utf8.count, radix: 16)
      try await client.send(Self.chunked("\(size)\r\n\(body)\r\n0\r\n\r\n") + Self.hidden)
      #expect(try await client.readResponse().text == "POST /  \(body)")
      #expect(try await client.readResponse().text == "GET /hidden  ")
    }
  }
}

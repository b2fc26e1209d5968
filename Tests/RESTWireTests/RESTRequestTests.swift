import JSONTree
import NIOCore
import Testing
import Transport

@testable import RESTWire

struct RESTRequestTests {
  private func request(
    _ method: String, _ target: String, _ headers: [(String, String)] = []
  ) throws -> RESTRequest {
    try RESTRequest(RequestHead(method: method, target: target, headers: headers), baseDomain: "dhole.test")
  }

  private func refusal(_ method: String, _ target: String, _ headers: [(String, String)] = []) -> RESTError? {
    do throws(RESTError) {
      _ = try RESTRequest(RequestHead(method: method, target: target, headers: headers), baseDomain: nil)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    ("/.json", ""), ("/a.json", "a"), ("/a/b.json", "a/b"), ("//a///b/.json", "a/b"), ("/a%20b.json", "a b"),
    ("/%C3%A9.json", "é"), ("/a%2ejson", "a"), ("/a+b.json", "a+b"), ("/a/.priority.json", "a/.priority"),
    ("/.priority.json", ".priority"), ("http://h:9000/a/b.json?x=1", "a/b"), ("/a:b@c,d!.json", "a:b@c,d!"),
  ])
  func `a path is percent-decoded and loses its ending`(target: String, path: String) throws {
    let expected = try Path(path, allowsPriority: true)
    #expect(try request("GET", target).resource == .data(expected))
  }

  @Test(arguments: [
    "/a%2Fb.json", "/a%2fb.json", "/%.json", "/%4.json", "/%zz.json", "/a%.json", "/%FF.json", "/%C3.json",
    "/a.b.json",
    "/$a.json", "/a%23.json", "/a[0].json", "/a%00b.json", "/a%7Fb.json", "/.info/connected.json",
    "/.sv.json",
    "/.unknown.json", "/a/.settings/rules.json", "/a/.priority/b.json", "/.settings/nothing.json",
    "/a%0Ab.json",
  ])
  func `a path that is none is refused`(target: String) {
    #expect(refusal("GET", target) == RESTError(400, "Invalid path: Invalid token in path"))
  }

  @Test func `a key is refused one byte past its bound and a path one level past its own`() {
    let key = String(repeating: "k", count: 768)
    #expect(refusal("GET", "/\(key).json") == nil)
    #expect(refusal("GET", "/\(key)k.json")?.status == 400)
    let path = String(repeating: "/a", count: 32)
    #expect(refusal("GET", "\(path).json") == nil)
    #expect(refusal("GET", "\(path)/a.json")?.status == 400)
  }

  @Test(arguments: ["/", "/a", "/a/b", "/a.jso", "/a.json/", "/.console", "/a.json%20", "*", ""])
  func `an address without its ending gets the hint`(target: String) {
    let hint = RESTError(404, "append .json to your request URI to use the REST API.")
    #expect(refusal("GET", target) == hint)
  }

  @Test func `a priority can be written and read, not updated or pushed to`() {
    for method in ["GET", "PUT", "DELETE"] { #expect(refusal(method, "/a/.priority.json") == nil) }
    for method in ["PATCH", "POST"] { #expect(refusal(method, "/a/.priority.json")?.status == 400) }
  }

  @Test func `a post may name another method`() throws {
    #expect(try request("POST", "/a.json", [("X-HTTP-Method-Override", "patch")]).verb == .patch)
    #expect(try request("POST", "/a.json?x-http-method-override=PUT").verb == .put)
    #expect(try request("POST", "/a.json?x-http-method-override=DELETE").verb == .delete)
    #expect(try request("GET", "/a.json?x-http-method-override=DELETE").verb == .get)
    #expect(try request("PUT", "/a.json", [("X-HTTP-Method-Override", "DELETE")]).verb == .put)
    for method in ["TRACE", "GET", "OPTIONS", ""] {
      #expect(refusal("POST", "/a.json?x-http-method-override=\(method)")?.status == 405)
    }
  }

  @Test(arguments: ["TRACE", "CONNECT", "FOO", "get", "PROPFIND"])
  func `an unknown method is not allowed`(method: String) {
    #expect(refusal(method, "/a.json")?.status == 405)
  }

  @Test func `the parameter names the database, else the host below the base domain, else it is the default`()
    throws
  {
    #expect(try request("GET", "/a.json?ns=Other").database == "other")
    #expect(try request("GET", "/a.json", [("Host", "mine.dhole.test:9000")]).database == "mine")
    #expect(try request("GET", "/a.json?ns=x", [("Host", "mine.dhole.test")]).database == "x")
    #expect(try request("GET", "/a.json", [("Host", "dhole.test")]).database == "default")
    #expect(try request("GET", "/a.json", [("Host", "mine.example.com")]).database == "default")
    #expect(try request("GET", "/a.json?ns=").database == "default")
  }

  @Test func `the query's credential comes before the header's`() throws {
    let bearer = ("Authorization", "Bearer header")
    #expect(try request("GET", "/a.json?auth=query", [bearer]).credential == "query")
    #expect(try request("GET", "/a.json?access_token=token", [bearer]).credential == "token")
    #expect(try request("GET", "/a.json?access_token=token&auth=query").credential == "query")
    #expect(try request("GET", "/a.json", [bearer]).credential == "header")
    #expect(try request("GET", "/a.json", [("authorization", "bearer  spaced")]).credential == "spaced")
    #expect(try request("GET", "/a.json", [("Authorization", "Basic abc")]).credential == nil)
    #expect(try request("GET", "/a.json", [("Authorization", "Bearer")]).credential == nil)
    #expect(try request("GET", "/a.json?auth=").credential == nil)
  }

  @Test(arguments: ["?a=%", "?auth=%G1", "?orderBy=%ff", "?%zz=1", "?auth=%C3", "?a=%1"])
  func `parameters that are not decodable are refused`(query: String) {
    #expect(refusal("GET", "/a.json\(query)")?.status == 400)
  }

  @Test(arguments: ["?", "?&&", "?=", "?a&b&c", "?_=123", "?auth", "?a=b=c"])
  func `odd and unknown parameters are ignored`(query: String) {
    #expect(refusal("GET", "/a.json\(query)") == nil)
  }

  @Test func `conditions are for puts and deletes that are answered`() throws {
    let condition = ("if-match", "\"abc\"")
    #expect(try request("PUT", "/a.json", [condition]).ifMatch == "abc")
    #expect(try request("DELETE", "/a.json", [("If-Match", "abc=")]).ifMatch == "abc=")
    #expect(try request("PUT", "/a.json", [("If-Match", "W/\"x\"")]).ifMatch == "x")
    #expect(try request("PUT", "/a.json", [("If-Match", "\"")]).ifMatch == "\"")
    for method in ["GET", "PATCH", "POST"] {
      let error = refusal(method, "/a.json", [condition])
      #expect(error?.status == 400)
      #expect(error?.text.contains("not supported") == true)
    }
    #expect(refusal("PUT", "/a.json?print=silent", [condition])?.status == 400)
  }

  @Test(arguments: ["fn", "a.b.c", "_$1", "$", "jQuery.cb_1"])
  func `a callback is a JavaScript name`(name: String) throws {
    #expect(try request("GET", "/a.json?callback=\(name)").callback == name)
  }

  @Test(arguments: [
    "", ".", "a.", ".a", "a..b", "1a", "a-b", "a(b", "alert(1)//", "a%0A", "%C3%A9", "a%20b", "a;b",
  ])
  func `a callback that is no JavaScript name is refused`(name: String) {
    #expect(refusal("GET", "/a.json?callback=\(name)")?.status == 400)
  }

  @Test func `a callback has a length`() {
    let name = String(repeating: "x", count: 256)
    #expect(refusal("GET", "/a.json?callback=\(name)") == nil)
    #expect(refusal("GET", "/a.json?callback=\(name)x")?.status == 400)
  }

  @Test(arguments: [
    ("a.json", "a.json"), ("a%20b", "\"a b\""), ("%22;x", "\"_;x\""), ("a%0D%0Ab", "a__b"), ("%C3%A9", "_"),
    ("..%2Fx", ".._x"), ("", "\"\""), ("a%5Cb", "a_b"),
  ])
  func `a download's name is fit for a header`(name: String, expected: String) throws {
    #expect(try request("GET", "/a.json?download=\(name)").download == expected)
  }

  @Test func `a timeout has a unit and a bound`() throws {
    #expect(try request("GET", "/a.json?timeout=3ms").timeout == .milliseconds(3))
    #expect(try request("GET", "/a.json?timeout=3s").timeout == .seconds(3))
    #expect(try request("GET", "/a.json?timeout=15min").timeout == .minutes(15))
    #expect(try request("GET", "/a.json?timeout=900000ms").timeout == .minutes(15))
    for bad in [
      "16min", "901s", "900001ms", "3", "s", "", "-1s", "1.5s", "3h", "0s", "99999999999999999999ms", "3 s",
    ] {
      #expect(refusal("GET", "/a.json?timeout=\(bad)")?.status == 400, "\(bad)")
    }
  }

  @Test func `the endpoints of operators are told from data`() throws {
    #expect(try request("GET", "/.settings/rules.json").resource == .rules)
    let limit = try request("GET", "/.settings/defaultWriteSizeLimit.json").resource
    #expect(limit == .setting(.defaultWriteSizeLimit))
    #expect(try request("GET", "/.inspect/databases.json").resource == .databases)
    guard case .unsupported = try request("GET", "/.settings/profile.json").resource else {
      Issue.record("profiles are not served")
      return
    }
  }

  @Test func `an event stream is asked for by what is accepted`() throws {
    #expect(try request("GET", "/a.json", [("Accept", "text/event-stream")]).wantsStream)
    #expect(try request("GET", "/a.json", [("Accept", "text/html, text/event-stream;q=1")]).wantsStream)
    #expect(try !request("PUT", "/a.json", [("Accept", "text/event-stream")]).wantsStream)
    #expect(try !request("GET", "/a.json", [("Accept", "*/*")]).wantsStream)
    #expect(try !request("HEAD", "/a.json", [("Accept", "text/event-stream")]).wantsStream)
  }
}

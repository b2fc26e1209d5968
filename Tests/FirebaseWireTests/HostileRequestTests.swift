import FirebaseWire
import TestSupport
import JSONTree
import Testing

@Suite struct HostileRequestTests {
  private static let tooDeep = "The path is deeper than 32 levels"
  private static let deepPath = Array(repeating: "a", count: 33).joined(separator: "/")
  private static let deepValue =
    String(repeating: #"{"a":"#, count: 33) + "1" + String(repeating: "}", count: 33)
  private static let longKey = String(repeating: "k", count: 769)

  /// Bodies that make no sense, and what is said of them.
  private static let bodies: [(String, String, String)] = [
    ("p", #"{"p":"/.info/connected","d":1}"#, "Invalid token in path"),
    ("g", #"{"p":"/.info/connected"}"#, "Invalid token in path"),
    ("g", #"{"p":"/.info/connected","q":{}}"#, "Invalid token in path"),
    ("q", #"{"p":"/a.b"}"#, "Invalid token in path"),
    ("q", #"{"p":"/a/.priority"}"#, "Invalid token in path"),
    ("q", #"{"p":"/a$"}"#, "Invalid token in path"),
    ("q", ##"{"p":"/a#"}"##, "Invalid token in path"),
    ("n", #"{"p":"/a[0]"}"#, "Invalid token in path"),
    ("p", #"{"p":"/a\u0007","d":1}"#, "Invalid token in path"),
    ("p", #"{"p":"/a/.priority/b","d":1}"#, "Invalid token in path"),
    ("p", #"{"p":"/\#(longKey)","d":1}"#, "A key is longer than 768 bytes"),
    ("p", #"{"p":"/\#(deepPath)","d":1}"#, tooDeep),
    ("p", #"{"p":"/","d":\#(deepValue)}"#, tooDeep),
    ("p", #"{"d":\#(deepValue),"p":"/"}"#, tooDeep),
    ("p", #"{"p":"/a","d":{"\#(longKey)":1}}"#, "A key is longer than 768 bytes"),
    ("p", #"{"p":"/a","d":{"b.c":1}}"#, "Invalid token in path"),
    ("p", #"{"p":"/a","d":{"":1}}"#, "Invalid token in path"),
    ("p", #"{"p":"/a","d":{".sv":"dream"}}"#, "Unknown server value"),
    ("p", #"{"p":"/a","d":{".priority":true,"b":1}}"#, "A priority must be null, a number or a string"),
    ("p", #"{"p":"/a/.priority","d":true}"#, "A priority must be null, a number or a string"),
    ("p", #"{"p":"/a/.priority","d":{"b":1}}"#, "A priority must be null, a number or a string"),
    (
      "p", #"{"p":"/a","d":{".value":1,"b":2}}"#,
      "A .value must be a boolean, a number or a string, and stand alone"
    ),
    ("p", #"{"p":"/a","d":1e400}"#, "A number is too large"),
    ("p", #"{"p":"/a","d":"\ud800"}"#, "A text is not valid Unicode"),
    ("p", #"{"p":"/a"}"#, "The request has no value"),
    ("m", #"{"p":"/a"}"#, "The request has no value"),
    ("o", #"{"p":"/a"}"#, "The request has no value"),
    ("p", #"{"d":1}"#, "The request names no path"),
    ("m", #"{"d":{}}"#, "The request names no path"),
    ("q", #"{}"#, "The request names no path"),
    ("n", #"{}"#, "The request names no path"),
    ("g", #"{}"#, "The request names no path"),
    ("oc", #"{}"#, "The request names no path"),
    ("p", #"{"p":7,"d":1}"#, "A part of the request is of the wrong type"),
    ("p", #"{"p":null,"d":1}"#, "A part of the request is of the wrong type"),
    ("p", #"[]"#, "A part of the request is of the wrong type"),
    ("p", #""text""#, "A part of the request is of the wrong type"),
    ("p", "null", "A part of the request is of the wrong type"),
    ("p", #"{"p":"/a","d":1,"h":5}"#, "A part of the request is of the wrong type"),
    ("m", #"{"p":"/a","d":5}"#, "A part of the request is of the wrong type"),
    ("m", #"{"p":"/a","d":{"b/../c":5}}"#, "Invalid token in path"),
    ("m", #"{"p":"/a","d":{"/":5}}"#, "Invalid token in path"),
    ("om", #"{"p":"/a","d":{"b":1,"b/c":5}}"#, "Two paths of the update overlap"),
    ("q", #"{"p":"/a","q":[]}"#, "A part of the request is of the wrong type"),
    ("q", #"{"p":"/a","q":{"l":0},"t":1}"#, "A query's limit must be a positive whole number"),
    ("q", #"{"p":"/a","q":{"l":-5},"t":1}"#, "A query's limit must be a positive whole number"),
    ("q", #"{"p":"/a","q":{"l":1.5},"t":1}"#, "A query's limit must be a positive whole number"),
    ("q", #"{"p":"/a","q":{"l":"2"},"t":1}"#, "A query's limit must be a positive whole number"),
    ("q", #"{"p":"/a","q":{"l":1e30},"t":1}"#, "A query's limit must be a positive whole number"),
    ("q", #"{"p":"/a","q":{"l":2,"vf":"x"},"t":1}"#, "A part of the query is not valid"),
    (
      "q", #"{"p":"/a","q":{"i":".nope"},"t":1}"#,
      "A query must be ordered by .key, .value, .priority or a path"
    ),
    ("q", #"{"p":"/a","q":{"i":""},"t":1}"#, "A query must be ordered by .key, .value, .priority or a path"),
    ("q", #"{"p":"/a","q":{"i":5},"t":1}"#, "A part of the request is of the wrong type"),
    ("q", #"{"p":"/a","q":{"sp":{}},"t":1}"#, "A query's bound must be a value that its order can have"),
    ("q", #"{"p":"/a","q":{"sp":true},"t":1}"#, "A query's bound must be a value that its order can have"),
    ("q", #"{"p":"/a","q":{"ep":[1]},"t":1}"#, "A query's bound must be a value that its order can have"),
    ("q", #"{"p":"/a","q":{"i":".key","sp":1},"t":1}"#, "A query by key needs keys as its bounds"),
    ("q", #"{"p":"/a","q":{"sn":"k"},"t":1}"#, "A query's bound has a key but no value"),
    ("q", #"{"p":"/a","q":{"l":1},"t":-1}"#, "A listen's tag must be a whole number from 0 to 2147483647"),
    (
      "q", #"{"p":"/a","q":{"l":1},"t":2147483648}"#,
      "A listen's tag must be a whole number from 0 to 2147483647"
    ),
    ("q", #"{"p":"/a","q":{"l":1},"t":"1"}"#, "A listen's tag must be a whole number from 0 to 2147483647"),
    ("q", #"{"p":"/a","q":{"l":1},"t":0.5}"#, "A listen's tag must be a whole number from 0 to 2147483647"),
  ]

  @Test(arguments: bodies) func `a body that makes no sense is refused`(
    action: String, body: String, text: String
  ) {
    var probe = SessionProbe()
    let expected = [refused(7, "invalid_parameters", text)]
    #expect(probe.request(7, action, body) == expected)
    #expect(probe.send(#"{"d":{"b":\#(body),"a":"\#(action)","r":7},"t":"d"}"#) == expected)
    #expect(probe.request(8, "s", "{}") == [ok(8)])
  }

  @Test(arguments: ["p", "m", "q", "n", "g", "o", "om", "oc"])
  func `a request without a body is refused`(action: String) {
    var probe = SessionProbe()
    #expect(
      probe.send(#"{"t":"d","d":{"r":7,"a":"\#(action)"}}"#)
        == [refused(7, "invalid_parameters", "The request has no body")])
  }

  @Test(arguments: [
    "", " ", "{", "}", "[]", "null", "7777777", "\"x\"", "{}", #"{"t":"d"}"#, #"{"t":"d","d":5}"#,
    #"{"t":"d","d":{}}"#, #"{"t":"x","d":{"r":1}}"#, #"{"d":{"r":1,"a":"s","b":{}}}"#,
    #"{"t":5,"d":{}}"#,
    #"{"t":"d","d":{"a":"s","b":{}}}"#, #"{"t":"d","d":{"r":"1","a":"s","b":{}}}"#,
    #"{"t":"d","d":{"r":null,"a":"s","b":{}}}"#, #"{"t":"d","d":{"r":1.5,"a":"s","b":{}}}"#,
    #"{"t":"d","d":{"r":-1,"a":"s","b":{}}}"#, #"{"t":"d","d":{"r":9007199254740992,"a":"s","b":{}}}"#,
    #"{"t":"d","d":{"r":1e400,"a":"s","b":{}}}"#, #"{"t":"d","d":{"r":{},"a":"p","b":{"p":"a","d":1}}}"#,
    #"{"t":"c","d":5}"#, #"{"t":"c","d":{"t":"p""#, "\u{0}", "{\"t\":\"d\",\"d\":\u{7}",
    String(repeating: "[", count: 100_000), String(repeating: #"{"d":"#, count: 100_000),
  ]) func `a message that can't be answered does nothing`(message: String) {
    var probe = SessionProbe()
    #expect(probe.send(message) == [])
    #expect(probe.request(8, "s", "{}") == [ok(8)])
    var developer = SessionProbe(explainsDenials: true)
    let said = developer.send(message)
    let hint = #"{"t":"d","d":{"a":"sd","b":{"msg":"A message without a request number was ignored"}}}"#
    #expect(said == [] || said == [hint])
  }

  @Test(arguments: [
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":"#, #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":1}}"#,
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":1}}}}"#,
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":tru}}}"#,
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":01}}}"#,
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":[1,]}}}"#,
    #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":"x}}}"#, #"{"t":"d","d":{"r":7,"#,
  ]) func `a message that is not JSON but has a number is refused`(message: String) {
    var probe = SessionProbe()
    #expect(probe.send(message) == [refused(7, "invalid_parameters", "The request is not valid JSON")])
    #expect(probe.request(8, "s", "{}") == [ok(8)])
  }

  @Test func `whatever a message is cut down to, the session lives on`() {
    let message = Array(
      #"{"t":"d","d":{"r":3,"a":"q","b":{"p":"/scores","q":{"l":2,"vf":"r","i":"pts","sp":"é"},"t":1}}}"#
        .utf8)
    var probe = SessionProbe()
    for count in 0..<message.count {
      let said = probe.send(String(decoding: message[..<count], as: UTF8.self))
      #expect(said.count <= 1 && !said.contains { $0.hasPrefix("listen") })
    }
    #expect(probe.send(String(decoding: message, as: UTF8.self)).count == 1)
  }

  @Test func `changed bytes anywhere in a message never stop the session`() {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let messages = HostileRequestTests.bodies.map { #"{"t":"d","d":{"r":7,"a":"\#($0.0)","b":\#($0.1)}}"# }
    var session = FirebaseSession()
    var actions = SessionActions()
    session.opened(into: &actions)
    for _ in 0..<20_000 {
      var bytes = Array(messages[Int.random(in: 0..<messages.count, using: &random)].utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] = UInt8.random(in: .min ... .max, using: &random)
      }
      session.receive(bytes.withUnsafeBytes(Request.read), bytes: bytes.count, into: &actions)
      actions = SessionActions()
    }
    session.receive(.ping, bytes: 0, into: &actions)
    #expect(actions.messages.count == 1)
  }
}

import JSONTree
import Testing

@Suite struct ServerValueTests {
  private static func parse(_ text: String) throws -> UnresolvedValue {
    try UnresolvedValue.parse(utf8: Array(text.utf8))
  }

  private static func resolved(_ text: String, before: String = "null") throws -> String {
    let before = try Node.parse(before)
    return try parse(text).resolved(nowMilliseconds: 1_700_000_000_000) { before[$0] }.text()
  }

  @Test func `a timestamp is the time of the request`() throws {
    #expect(try Self.resolved(#"{".sv":"timestamp"}"#) == "1700000000000")
    #expect(
      try Self.resolved(#"{"a":{"b":{".sv":"timestamp"}},"c":[{".sv":"timestamp"},2]}"#)
        == #"{"a":{"b":1700000000000},"c":{"0":1700000000000,"1":2}}"#)
  }

  @Test func `an increment adds to what was there before`() throws {
    let increment = #"{"n":{".sv":{"increment":5}}}"#
    #expect(try Self.resolved(increment) == #"{"n":5}"#)
    #expect(try Self.resolved(increment, before: #"{"n":37}"#) == #"{"n":42}"#)
    #expect(try Self.resolved(increment, before: #"{"n":"x"}"#) == #"{"n":5}"#)
    #expect(try Self.resolved(increment, before: #"{"n":{"a":1}}"#) == #"{"n":5}"#)
    #expect(try Self.resolved(increment, before: #"{"n":0.5}"#) == #"{"n":5.5}"#)
    #expect(try Self.resolved(#"{".sv":{"increment":-0.25}}"#, before: "1") == "0.75")
  }

  @Test func `a sum that is too large for an integer is a double`() throws {
    #expect(
      try Self.resolved(#"{".sv":{"increment":1}}"#, before: "9223372036854775806") == "9223372036854775807")
    #expect(
      try Self.resolved(#"{".sv":{"increment":1}}"#, before: "9223372036854775807") == "9.223372036854776e+18"
    )
    #expect(
      try Self.resolved(#"{".sv":{"increment":-1}}"#, before: "-9223372036854775808")
        == "-9223372036854775808")
    #expect(
      try Self.resolved(#"{".sv":{"increment":1e308}}"#, before: "1.7e308") == "1.7976931348623157e+308")
  }

  @Test func `priorities can be server values too`() throws {
    #expect(
      try Self.resolved(#"{"a":1,".priority":{".sv":"timestamp"}}"#) == #"{"a":1,".priority":1700000000000}"#)
    #expect(
      try Self.resolved(#"{"a":{".value":{".sv":"timestamp"},".priority":7}}"#)
        == #"{"a":{".value":1700000000000,".priority":7}}"#)
    #expect(
      try Self.resolved(
        #"{".value":{".sv":"timestamp"},".priority":{".sv":{"increment":2}}}"#,
        before: #"{".value":1,".priority":3}"#) == #"{".value":1700000000000,".priority":5}"#)
    #expect(try Self.resolved(#"{"a":null,".priority":{".sv":"timestamp"}}"#) == "null")
  }

  @Test func `a server value that a later member replaces is forgotten`() throws {
    #expect(try Self.resolved(#"{"a":{".sv":"timestamp"},"a":1}"#) == #"{"a":1}"#)
    #expect(try Self.resolved(#"{"a":{"b":{".sv":"timestamp"}},"a":null,"c":1}"#) == #"{"c":1}"#)
    #expect(try Self.resolved(#"{"a":1,"a":{".sv":"timestamp"}}"#) == #"{"a":1700000000000}"#)
    #expect(
      try Self.resolved(#"{"x":{"a":{"b":{".sv":"timestamp"}},"a":{"c":{".sv":{"increment":1}}}}}"#)
        == #"{"x":{"a":{"c":1}}}"#)
  }

  @Test func `the text says again what was written`() throws {
    for text in [
      #"{".sv":"timestamp"}"#,
      #"{"a":{".sv":{"increment":-2}},"b":{"c":{".sv":"timestamp"},"d":1},"e":[1]}"#,
      #"{".value":{".sv":"timestamp"},".priority":7}"#,
      #"{".value":1,".priority":{".sv":"timestamp"}}"#,
      #"{"a":{"b":true,".priority":{".sv":{"increment":1}}},".priority":"p"}"#,
      #"{"a":1}"#, "null", "\"x\"",
    ] {
      let value = try Self.parse(text)
      let again = try UnresolvedValue.parse(utf8: value.text)
      #expect(again.node == value.node, "\(text)")
      #expect(again.serverValues.map(\.path) == value.serverValues.map(\.path), "\(text)")
      #expect(again.serverValues.map(\.value) == value.serverValues.map(\.value), "\(text)")
    }
    #expect(
      String(decoding: try Self.parse(#"{"b":2,"a":{".sv":"timestamp"}}"#).text, as: UTF8.self)
        == #"{"a":{".sv":"timestamp"},"b":2}"#)
  }

  @Test func `a tree without server values refuses them`() {
    #expect(throws: JSONSyntaxError(.unknownServerValue, offset: 0)) {
      try Node.parse(#"{".sv":"timestamp"}"#)
    }
  }
}

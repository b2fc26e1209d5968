import Engine
import JSONTree
import Testing

@Suite struct RequestTests {
  var probe = SessionProbe()

  @Test mutating func `a put names a path, a value and perhaps a hash`() {
    #expect(probe.request(4, "p", #"{"p":"/a/b","d":{"x":1}}"#) == [#"write put /a/b {"x":1}"#])
    #expect(probe.request(5, "p", #"{"p":"a//b/","d":null}"#) == ["write put /a/b null"])
    #expect(
      probe.request(6, "p", #"{"p":"/","d":6,"h":"abc="}"#)
        == [
          #"write put / 6 if hash("abc=", dialects: [JSONTree.HashDialect.standard, "#
            + "JSONTree.HashDialect.wilddogDouble])"
        ])
    #expect(
      probe.request(7, "p", #"{"p":"/a/.priority","d":"x","h":null}"#) == [#"write put /a/.priority "x""#])
    #expect(
      probe.request(8, "p", #"{"p":"a","d":{"at":{".sv":"timestamp"}}}"#)
        == [#"write put /a {"at":{".sv":"timestamp"}}"#])
  }

  @Test mutating func `members may come in any order`() {
    let expected = [#"write put /a {"x":1}"#]
    for message in [
      #"{"d":{"b":{"d":{"x":1},"p":"/a"},"a":"p","r":1},"t":"d"}"#,
      #"{"d":{"b":{"p":"/a","d":{"x":1}},"r":1,"a":"p"},"t":"d"}"#,
      #"{"t":"d","d":{"a":"p","b":{"d":{"x":1},"p":"/a"},"r":1}}"#,
      #" { "x" : [1,{"t":"c"}] , "t" : "d" , "d" : { "y" : {} , "r":1,"a":"p","b":{"p":"/a","d":{"x":1}}}} "#,
    ] {
      #expect(probe.send(message) == expected)
      #expect(probe.answer(.done) == [ok(1)])
    }
  }

  @Test mutating func `an update has paths as keys`() {
    #expect(
      probe.request(1, "m", #"{"p":"/a","d":{"b/c":1,"d":null,"e/.priority":2}}"#)
        == ["write merge /a b/c: 1, d: null, e/.priority: 2"])
    #expect(
      probe.request(2, "m", #"{"p":"/a","d":{"b/c":1,"b":2}}"#)
        == [refused(2, "invalid_parameters", "Two paths of the update overlap")])
    #expect(
      probe.request(3, "m", #"{"p":"/a/.priority","d":{}}"#)
        == [refused(3, "invalid_parameters", "Invalid token in path")])
  }

  @Test mutating func `what shall happen at the end is a put, an update or nothing`() {
    #expect(probe.request(1, "o", #"{"p":"/a","d":true}"#) == ["at the end put /a true"])
    #expect(probe.request(2, "om", #"{"p":"a","d":{"b":1}}"#) == ["at the end merge /a b: 1"])
    #expect(probe.request(3, "oc", #"{"p":"/a","d":null}"#) == ["at the end nothing at /a"])
    #expect(probe.request(4, "oc", #"{"p":"/"}"#) == ["at the end nothing at /"])
    for number: Int64 in 1...4 { #expect(probe.answer(.done) == [ok(Int(number))]) }
  }

  @Test mutating func `statistics and app checks are accepted, in either spelling`() {
    for action in ["s", "appcheck", "unappcheck", "unappeck"] {
      #expect(probe.request(0, action, #"{"c":{"sdk.js.10-0-0":1},"token":"x"}"#) == [ok(0)])
      #expect(probe.send(#"{"t":"d","d":{"r":1,"a":"\#(action)"}}"#) == [ok(1)])
    }
  }

  @Test mutating func `an action that is not known fails`() {
    #expect(probe.request(1, "zz", "{}") == [refused(1, "failure", "Unknown action")])
    #expect(probe.request(2, "", "{}") == [refused(2, "failure", "Unknown action")])
    #expect(probe.send(#"{"t":"d","d":{"r":3,"b":{}}}"#) == [refused(3, "failure", "Unknown action")])
    #expect(probe.send(#"{"t":"d","d":{"r":4,"a":7,"b":{}}}"#) == [refused(4, "failure", "Unknown action")])
    #expect(probe.send(#"{"t":"d","d":{"r":5}}"#) == [refused(5, "failure", "Unknown action")])
  }

  @Test mutating func `a ping is answered and other control messages are not`() {
    #expect(probe.send(#"{"t":"c","d":{"t":"p","d":{}}}"#) == [#"{"t":"c","d":{"t":"o","d":null}}"#])
    #expect(probe.send(#"{"d":{"d":{},"t":"p"},"t":"c"}"#) == [#"{"t":"c","d":{"t":"o","d":null}}"#])
    #expect(probe.send(#"{"t":"c","d":{"t":"a","d":{}}}"#) == [])
    #expect(probe.send(#"{"t":"c","d":{}}"#) == [])
  }

  @Test(arguments: [
    (#"{}"#, ".priority"),
    (#"{"l":2,"vf":"r","i":"pts"}"#, "pts last 2"),
    (#"{"l":2,"vf":"l"}"#, ".priority first 2"),
    (#"{"l":2}"#, ".priority last 2"),
    (#"{"l":2,"sp":1}"#, ".priority from 1/min first 2"),
    (#"{"i":".key","sp":"b","ep":"c"}"#, #".key from "b"/b to "c"/c"#),
    (#"{"i":".value","sp":null,"ep":null}"#, ".value from null/min to null/max"),
    (#"{"i":"a/b","sp":true,"sn":"k","ep":"z","en":"m"}"#, #"a/b from true/k to "z"/m"#),
    (#"{"i":"a","sp":3,"sn":"[MAX_NAME]","sin":false}"#, "a from 3/max"),
    (#"{"i":"a","sp":3,"sn":"[MAX_KEY]"}"#, "a from 3/max"),
    (#"{"i":"a","ep":3,"en":"[MIN_NAME]","ein":false}"#, "a to 3/min"),
    (
      #"{"i":".key","sp":"b","sin":false,"ep":"d","ein":false}"#,
      #".key from "b"/b exclusive to "d"/d exclusive"#
    ),
    (#"{"sp":1.5,"sn":"k","sin":false,"unknown":[{}]}"#, ".priority from 1.5/k exclusive"),
  ]) func `a query is read`(json: String, expected: String) {
    var probe = probe
    #expect(probe.request(1, "g", #"{"p":"/s","q":\#(json)}"#) == ["get /s \(expected)"])
    #expect(probe.request(2, "g", #"{"q":\#(json),"p":"/s"}"#) == ["get /s \(expected)"])
  }

  @Test mutating func `a get without a query reads everything`() {
    #expect(probe.request(1, "g", #"{"p":"/s"}"#) == ["get /s .priority"])
    #expect(probe.request(2, "g", #"{"p":"/s","q":null}"#) == ["get /s .priority"])
  }
}

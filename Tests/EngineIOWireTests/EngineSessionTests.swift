import NIOCore
import Testing

@testable import EngineIOWire

/// The packets of Engine.IO and Socket.IO, without sockets or time.
@Suite struct EngineSessionTests {
  /// A session that is open, and connected where that is not a matter of course.
  private struct Probe {
    var session: EngineSession
    let first: [EngineSession.Action]

    init(_ revision: Revision, isConnected: Bool = true) {
      session = EngineSession(revision: revision, limits: EngineIOLimits(), socketID: "SOCKET")
      var actions: [EngineSession.Action] = []
      session.open(id: "ID", canUpgrade: true, into: &actions)
      first = actions
      if isConnected, revision == .four { _ = send("40") }
    }

    mutating func send(_ text: String, isText: Bool = true) -> [EngineSession.Action] {
      var actions: [EngineSession.Action] = []
      session.receive(EngineFrame(ByteBuffer(string: text), isText: isText), into: &actions)
      return actions
    }
  }

  private func message(_ text: String) -> EngineSession.Action { .message(ByteBuffer(string: text)) }

  private func closes(_ reason: String, code: UInt16 = 1002) -> [EngineSession.Action] {
    [.close(EngineFault(code: code, reason: reason))]
  }

  @Test func `the open packet comes first, and revision 3 is connected at once`() {
    #expect(
      Probe(.three).first == [
        .send(#"0{"sid":"ID","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":60000}"#),
        .send("40"), .begin,
      ])
    #expect(
      Probe(.four).first == [
        .send(
          #"0{"sid":"ID","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"#
            + #""maxPayload":16908288}"#)
      ])
  }

  @Test func `revision 4 is connected when it asks, once, with whatever it says of itself`() {
    for text in ["40", #"40{"token":"x"}"#, "40/,", "40/?a=b,"] {
      var probe = Probe(.four, isConnected: false)
      #expect(probe.send(text) == [.send(#"40{"sid":"SOCKET"}"#), .begin], "\(text)")
      #expect(probe.send(text).isEmpty)
    }
    var early = Probe(.four, isConnected: false)
    #expect(early.send(#"42["wd",{}]"#) == closes(EngineIOText.earlyEvent))
    var late = Probe(.three)
    #expect(late.send("40").isEmpty)
  }

  @Test func `heartbeats go in the direction of the revision`() {
    var three = Probe(.three)
    #expect(three.send("2") == [.send("3")])
    #expect(three.send("2probe") == [.send("3probe")])
    #expect(three.send("2" + String(repeating: "x", count: 126)) == closes(EngineIOText.longPing))
    var pong = Probe(.three)
    #expect(pong.send("3") == closes(EngineIOText.wrongHeartbeat))
    var four = Probe(.four)
    #expect(four.send("3").isEmpty)
    #expect(four.send("2") == closes(EngineIOText.wrongHeartbeat))
  }

  @Test(arguments: [Revision.three, .four])
  func `events of the name wd bring their object, in whatever way it is written`(revision: Revision) {
    var probe = Probe(revision)
    let object = #"{"t":"d","d":{"r":1}}"#
    for text in [
      #"["wd",\#(object)]"#, #" [ "wd" , \#(object) ] "#, #"["wd",\#(object),1,[2]]"#,
      #"["\u0077d",\#(object)]"#,
    ] {
      #expect(probe.send("42" + text) == [message(object)], "\(text)")
      #expect(probe.send("42/," + text) == [message(object)], "\(text)")
      #expect(probe.send("450-" + text) == [message(object)], "\(text)")
      #expect(probe.send("4217" + text) == [message(object), .send("4317[]")], "\(text)")
      #expect(probe.send("42/,17" + text) == [message(object), .send("4317[]")], "\(text)")
    }
    #expect(probe.send(#"42["chat",{"a":1}]"#).isEmpty)
    #expect(probe.send(#"425["chat"]"#) == [.send("435[]")])
    #expect(probe.send("431[]").isEmpty)
    #expect(probe.send(#"44"no""#).isEmpty)
    #expect(probe.send("6").isEmpty)
    #expect(probe.send("5").isEmpty)
  }

  @Test func `an object that is no good JSON goes on to who can tell which request it is`() {
    var probe = Probe(.three)
    for object in [
      #"{"t":"d","d":{"r":1,"b":1e999}}"#, #"{"t":"d","d":{"r":1,}}"#,
      #"{"t":"d","d":{"r":1,"b":"\#u{1}"}}"#,
      #"{"d":"# + String(repeating: "[", count: 9_000) + String(repeating: "]", count: 9_000) + "}",
    ] {
      #expect(probe.send(#"42["wd",\#(object)]"#) == [message(object)], "\(object.prefix(60))")
    }
  }

  @Test(arguments: [
    ("", EngineIOText.emptyPacket), ("7", EngineIOText.unknownPacket), ("x", EngineIOText.unknownPacket),
    (#"0{"sid":"mine"}"#, EngineIOText.unknownPacket), ("4", EngineIOText.unknownSocketPacket),
    ("47", EngineIOText.unknownSocketPacket), ("4x", EngineIOText.unknownSocketPacket),
    ("42", EngineIOText.invalidEvent), ("42[]", EngineIOText.invalidEvent),
    ("42{}", EngineIOText.invalidEvent),
    (#"42["wd",{"#, EngineIOText.invalidEvent), (#"42["wd""#, EngineIOText.invalidEvent),
    ("42[1,{}]", EngineIOText.invalidEvent), (#"42["x",{]"#, EngineIOText.invalidEvent),
    (#"42["wd"]"#, EngineIOText.invalidMessage), (#"42["wd",5]"#, EngineIOText.invalidMessage),
    (#"42["wd",[{}]]"#, EngineIOText.invalidMessage), (#"42["wd",1,{}]"#, EngineIOText.invalidMessage),
    ("4299999999999999999999[]", EngineIOText.invalidAcknowledgement),
    ("45", EngineIOText.unknownSocketPacket), (#"45["wd",{}]"#, EngineIOText.unknownSocketPacket),
    ("40/a\"b,", EngineIOText.invalidNamespaceName), ("40/ä,", EngineIOText.invalidNamespaceName),
    ("40/" + String(repeating: "a", count: 256), EngineIOText.invalidNamespaceName),
  ])
  func `a packet that makes no sense ends the session, and says why`(text: String, reason: String) {
    for revision in [Revision.three, .four] {
      var probe = Probe(revision)
      #expect(probe.send(text) == closes(reason), "\(revision)")
      #expect(probe.send("42[\"wd\",{}]").isEmpty, "nothing after the end")
    }
  }

  @Test func `binary is refused as such, in all its forms`() {
    for text in [#"451-["wd",{"_placeholder":true,"num":0}]"#, "461-5[]", "b4AAEC", "bAAEC"] {
      var probe = Probe(.three)
      #expect(probe.send(text) == closes(EngineIOText.binary, code: 1003), "\(text)")
    }
    var probe = Probe(.four)
    #expect(probe.send("42[]", isText: false) == closes(EngineIOText.binary, code: 1003))
  }

  @Test func `namespaces by the thousand are each refused, and what is sent to them goes nowhere`() {
    var three = Probe(.three)
    var four = Probe(.four)
    for number in 0..<3000 {
      #expect(three.send("40/n\(number)?token=x,") == [.send(#"44/n\#(number),"Invalid namespace""#)])
      #expect(
        four.send("40/n\(number),{}") == [.send(#"44/n\#(number),{"message":"Invalid namespace"}"#)])
      #expect(four.send(#"42/n\#(number),["wd",{}]"#).isEmpty)
      #expect(four.send("41/n\(number),").isEmpty)
    }
    #expect(three.send("40/" + String(repeating: "a", count: 255)).count == 1)
    #expect(four.send(#"42["wd",{}]"#) == [message("{}")])
  }

  @Test func `a client leaves with either protocol's word for it`() {
    for text in ["1", "41", "41/,"] {
      var probe = Probe(.four)
      #expect(probe.send(text) == [.left], "\(text)")
      #expect(probe.send("3").isEmpty)
    }
  }
}

import FirebaseWire
import NIOCore
import Testing

@Suite struct FrameAssemblerTests {
  var assembler = FrameAssembler()
  let limits = FirebaseLimits(messageBytes: 100)

  private mutating func receive(_ text: String) -> FrameAssembler.Step {
    assembler.receive(ByteBuffer(string: text), limits: limits)
  }

  @Test mutating func `a frame that is no count is a message`() {
    #expect(receive("{}") == .message(ByteBuffer(string: "{}")))
    #expect(receive("1234567") == .message(ByteBuffer(string: "1234567")))
    #expect(receive("-1") == .message(ByteBuffer(string: "-1")))
    #expect(receive("") == .message(ByteBuffer()))
  }

  @Test mutating func `a sign of life is no message`() {
    #expect(receive("0") == .nothing)
    #expect(receive("000000") == .nothing)
    #expect(receive("{}") == .message(ByteBuffer(string: "{}")))
  }

  @Test mutating func `a count gathers that many frames`() {
    #expect(receive("3") == .nothing)
    #expect(receive("{\"a\"") == .nothing)
    #expect(receive(":") == .nothing)
    #expect(receive("0}") == .message(ByteBuffer(string: "{\"a\":0}")))
    #expect(receive("{}") == .message(ByteBuffer(string: "{}")))
  }

  @Test mutating func `a count of one is followed by one frame`() {
    #expect(receive("1") == .nothing)
    #expect(receive("7") == .message(ByteBuffer(string: "7")))
  }

  @Test mutating func `a frame of digits inside a message belongs to it`() {
    #expect(receive("2") == .nothing)
    #expect(receive("0") == .nothing)
    #expect(receive("0") == .message(ByteBuffer(string: "00")))
  }

  @Test mutating func `a message may be as long as the limit and no longer`() {
    let longest = String(repeating: "x", count: 100)
    #expect(receive(longest) == .message(ByteBuffer(string: longest)))
    #expect(receive(longest + "x") == .oversized(number: nil))
    #expect(receive("2") == .nothing)
    #expect(receive(String(repeating: "x", count: 99)) == .nothing)
    #expect(receive("x") == .message(ByteBuffer(string: longest)))
  }

  @Test mutating func `of a message that is too long the number is found wherever it stands`() {
    let filler = String(repeating: "y", count: 98)
    let messages: [([String], Int64?)] = [
      ([#"{"t":"d","d":{"r":12,"a":"p","b":{"p":""# + filler + #""}}}"#], 12),
      ([#"{"t":"d","d":{"#, #""b":{"r":1,"d":""# + filler, #"","x":[{"r":2}]},"#, #""r":1"#, #"3}}"#], 13),
      ([#"{"d":{"b":"\""r\":1"#, filler + #"","rr":1,"r" : "#, " 14 }}"], 14),
      (
        [#"{"r":1,"d":{"b":{"r":2},"r":"3","x":""#, filler, #"","r":-4,"r":5.5,"r":99999999999999999999}}"#],
        nil
      ),
      ([filler, filler], nil),
    ]
    for (parts, number) in messages {
      if parts.count > 1 { #expect(receive("\(parts.count)") == .nothing) }
      for part in parts.dropLast() { #expect(receive(part) == .nothing) }
      #expect(receive(parts.last ?? "") == .oversized(number: number))
      #expect(receive("{}") == .message(ByteBuffer(string: "{}")))
    }
  }
}

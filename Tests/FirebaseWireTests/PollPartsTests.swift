import NIOCore
import Testing
import Transport

@testable import FirebaseWire

@Suite struct PollRequestTests {
  private func request(_ query: String) -> PollRequest {
    PollRequest(RequestHead(method: "GET", target: "/.lp?" + query))
  }

  @Test func `a start names the page's functions by a number`() {
    #expect(request("start=t&ser=77&cb=12&v=5&ns=x") == .start(callback: "12"))
    #expect(request("start=t&ser=77&v=5") == .start(callback: ""))
  }

  @Test(arguments: ["alert(1)", "1;x", "%31", "-1", "1.5", "12345678901234567", "\u{661}", "1\"+x+\""])
  func `a name that is no number never gets into a script`(callback: String) {
    #expect(request("start=t&ser=77&cb=\(callback)") == .invalid)
  }

  @Test func `a poll brings pieces in the order of their numbers`() {
    let key = PollKey(id: "I", password: "P")
    #expect(request("id=I&pw=P&ser=9") == .poll(key, serial: 9, segments: []))
    #expect(
      request("id=I&pw=P&ser=9&ns=x&seg0=3&ts0=2&d0=YQ..&seg1=4&ts1=2&d1=")
        == .poll(
          key, serial: 9,
          segments: [
            PollSegment(place: 3, total: 2, text: "YQ.."), PollSegment(place: 4, total: 2, text: ""),
          ]))
  }

  @Test(arguments: [
    "", "id=I", "pw=P&ser=1", "id=I&pw=P", "id=I&pw=P&ser=-1", "id=I&pw=P&ser=x",
    "id=I&pw=P&ser=99999999999999999999", "id=I&pw=P&ser=1&seg0=-1&ts0=1&d0=a",
    "id=I&pw=P&ser=1&seg0=0&ts0=0&d0=a", "id=I&pw=P&ser=1&seg0=0&ts0=-3&d0=a",
    "id=I&pw=P&ser=1&seg0=0&d0=a", "id=I&pw=P&ser=1&seg0=0&ts0=1", "id=I&pw=P&ser=1&seg0=x&ts0=1&d0=a",
    "id=I&pw=P&ser=1&seg0=0&ts0=99999999999&d0=a", "&&=&=&==", "start=x",
  ])
  func `what makes no sense is refused`(query: String) {
    #expect(request(query) == .invalid)
  }

  @Test func `a page that leaves says so with its name and password`() {
    #expect(request("dframe=t&id=I&pw=P&ns=x") == .departureFrame)
    #expect(request("disconn=t&id=I&pw=P&ns=x") == .disconnect(PollKey(id: "I", password: "P")))
    #expect(request("disconn=t") == .invalid)
  }

  @Test func `a password opens only what it is the password of`() {
    let key = PollKey(id: "I", password: "secret")
    #expect(key.opens(PollKey(id: "I", password: "secret")))
    for wrong in ["", "secre", "secrets", "Secret", "secreT"] {
      #expect(!key.opens(PollKey(id: "I", password: wrong)))
    }
  }
}

@Suite struct PollSegmentsTests {
  private func pieces(_ message: String, of length: Int, from first: Int64 = 0) -> [PollSegment] {
    let letters = Array(PolledClient.encode(message))
    let texts = stride(from: 0, to: letters.count, by: length).map {
      String(letters[$0..<min($0 + length, letters.count)])
    }
    return texts.enumerated().map {
      PollSegment(place: first + Int64($0.offset), total: Int64(texts.count), text: $0.element)
    }
  }

  private func messages(_ segments: [PollSegment], limit: Int = 1000) throws -> [FrameAssembler.Step] {
    var reader = PollSegments(messageBytes: limit, limits: PollLimits())
    return try segments.flatMap { try reader.receive($0) }
  }

  @Test func `the example of the protocol is read`() throws {
    let text = "eyJ0IjoiYyIsImQiOnsidCI6InAiLCJkIjp7fX19"
    let read = try messages([PollSegment(place: 0, total: 1, text: text)])
    #expect(read == [.message(ByteBuffer(string: #"{"t":"c","d":{"t":"p","d":{}}}"#))])
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 64, 1840])
  func `a message is the same however it is cut, and in whatever order the pieces come`(length: Int) throws {
    let text = "zwölf 😀 ~~~???>>> \u{0} end"
    let cut = pieces(text, of: length)
    #expect(try messages(cut) == [.message(ByteBuffer(string: text))])
    #expect(try messages(cut.reversed()) == [.message(ByteBuffer(string: text))])
    #expect(try messages(cut + cut) == [.message(ByteBuffer(string: text))], "a repeated piece counts once")
  }

  @Test func `messages of every length come out whole`() throws {
    for count in 0...9 {
      let text = String(repeating: "x", count: count)
      let segment = PollSegment(place: 0, total: 1, text: PolledClient.encode(text))
      #expect(try messages([segment]) == [.message(ByteBuffer(string: text))])
    }
  }

  @Test func `without padding and in the other alphabet it is read as well`() throws {
    for text in ["Pz8_", "Pz8/", "YQ", "YQ==", "YQ.."] {
      #expect(try messages([PollSegment(place: 0, total: 1, text: text)]).count == 1)
    }
  }

  @Test(arguments: ["a", "ab*d", "YQ.", "YQ...", "....", ".YQ.", "YQ..YQ..", "Y", "gA..", "7aCA", "%41%41"])
  func `what is not base 64 or not UTF-8 ends it`(text: String) {
    #expect(throws: PollSegments.Violation.unreadable) {
      try messages([PollSegment(place: 0, total: 1, text: text)])
    }
  }

  @Test func `pieces that disagree about their message end it`() {
    #expect(throws: PollSegments.Violation.inconsistent) {
      try messages([
        PollSegment(place: 0, total: 3, text: "YWFh"), PollSegment(place: 1, total: 2, text: "YWFh"),
      ])
    }
  }

  @Test func `a piece may come ahead of its turn as far as the bound, and not further`() throws {
    let ahead = PollLimits().segmentsAhead
    #expect(try messages([PollSegment(place: ahead, total: 1, text: "YQ..")]) == [])
    #expect(throws: PollSegments.Violation.tooFarAhead) {
      try messages([PollSegment(place: ahead + 1, total: 1, text: "YQ..")])
    }
    #expect(throws: PollSegments.Violation.tooFarAhead) {
      try messages([PollSegment(place: .max, total: 1, text: "YQ..")])
    }
    let long = String(repeating: "A", count: PollLimits().segmentsAheadBytes / 4)
    let early = (1...4).map { PollSegment(place: $0, total: 9, text: long) }
    #expect(try messages(early) == [])
    #expect(throws: PollSegments.Violation.tooFarAhead) {
      try messages(early + [PollSegment(place: 5, total: 9, text: "A")])
    }
  }

  @Test func `of a message that is too long only the number of its request is kept`() throws {
    let whole = #"{"t":"d","d":{"r":7,"a":"p","b":{"p":"/a","d":"\#(String(repeating: "x", count: 3000))"}}}"#
    #expect(try messages(pieces(whole, of: 100)) == [.oversized(number: 7)])
    #expect(try messages(pieces(whole, of: 10_000)) == [.oversized(number: 7)])
    let fits = String(repeating: "y", count: 1000)
    #expect(try messages(pieces(fits, of: 100)) == [.message(ByteBuffer(string: fits))])
    let next = pieces(fits, of: 100, from: Int64(pieces(whole, of: 100).count))
    #expect(
      try messages(pieces(whole, of: 100) + next)
        == [.oversized(number: 7), .message(ByteBuffer(string: fits))])
  }
}

@Suite struct PollOrderTests {
  @Test func `one poll is held, and the next releases it`() {
    var order = PollOrder(keptAnswerBytes: 100)
    #expect(order.arrive(5) == .held)
    #expect(order.arrive(6) == .heldAfterReleasing(5))
    #expect(order.held == 6)
  }

  @Test func `numbers have no gaps and are taken by answers only`() {
    var order = PollOrder(keptAnswerBytes: 100)
    #expect(order.lastNumber == -1)
    _ = order.arrive(5)
    order.leave(5)
    #expect(order.held == nil)
    #expect(order.arrive(6) == .held)
    #expect(order.takeNumber() == 0)
    order.answered(6, ByteBuffer(string: "a"))
    #expect(order.takeNumber() == 1)
    #expect(order.lastNumber == 1)
  }

  @Test func `a repeated poll is answered as before as long as that is kept`() {
    var order = PollOrder(keptAnswerBytes: 3)
    for (serial, answer) in [(Int64(1), "a"), (2, "b"), (3, "c")] {
      #expect(order.arrive(serial) == .held)
      order.answered(serial, ByteBuffer(string: answer))
    }
    #expect(order.arrive(3) == .answeredBefore(ByteBuffer(string: "c")))
    #expect(order.arrive(2) == .answeredBefore(ByteBuffer(string: "b")))
    #expect(order.arrive(1) == .late)
    #expect(order.arrive(4) == .held)
    order.answered(4, ByteBuffer(string: "long"))
    #expect(order.arrive(4) == .late, "a long answer is not kept")
  }

  @Test func `a poll that others have overtaken is not held`() {
    var order = PollOrder(keptAnswerBytes: 100)
    #expect(order.arrive(8) == .held)
    #expect(order.arrive(7) == .late)
    #expect(order.held == 8)
    #expect(order.arrive(8) == .heldAgain)
    #expect(order.arrive(.max) == .heldAfterReleasing(8))
  }
}

@Suite struct PollScriptTests {
  private func script(_ messages: String..., number: Int64 = 3) -> String {
    var lines = ByteBuffer()
    for message in messages {
      var message = message
      message.withUTF8 { MessageLines.append(UnsafeRawBufferPointer($0), to: &lines) }
    }
    var script = ByteBuffer()
    PollScript.appendMessages(lines, number: number, to: &script)
    return String(buffer: script)
  }

  @Test func `messages are handed over as they are`() {
    #expect(script() == "pRTLPCB(3,[]);\n")
    #expect(script(#"{"a":1}"#, #"{"b":"</script>"}"#) == "pRTLPCB(3,[{\"a\":1},\n{\"b\":\"</script>\"}]);\n")
  }

  @Test func `the line separators that older browsers refuse in scripts are escaped`() {
    #expect(
      script("{\"a\":\"x\u{2028}y\u{2029}\u{2027}\u{202A}€\"}") == #"pRTLPCB(3,[{"a":"x\u2028y\u2029"#
        + "\u{2027}\u{202A}€\"}]);\n")
  }

  @Test func `a member that scripts take for something else is handed over as text`() {
    #expect(
      script(#"{"__proto__":{"a":"\"\u000a"}}"#)
        == #"pRTLPCB(3,[JSON.parse("{\"__proto__\":{\"a\":\"\\\"\\u000a\"}}")]);"# + "\n")
  }

  @Test func `a line feed between a client's own tokens does not cut its message`() {
    #expect(script("{\"q\":[{\n\"l\":\n1}]}") == "pRTLPCB(3,[{\"q\":[{ \"l\": 1}]}]);\n")
  }
}

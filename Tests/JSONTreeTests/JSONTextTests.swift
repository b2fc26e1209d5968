import JSONTree
import TestSupport
import Testing

/// JSON text in and out, by the cases in `Corpora/json`.
@Suite struct JSONTextTests {
  private static func fault(_ bytes: [UInt8]) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
      _ = try UnresolvedValue.parse(utf8: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func `what is JSON and a tree value is accepted`() throws {
    for item in try Corpus.strings("json/accepted.json") {
      let json = try #require(item["json"])
      let node = try Node.parse(json)
      #expect(node.text() == item["text"], "\(json)")
      #expect(node.invariantFault == nil, "\(json)")
      #expect(try Node.parse(node.text()) == node, "\(json)")
      #expect(try Node.parse(node.text(pretty: true)) == node, "\(json)")
    }
  }

  @Test func `what is not is refused, with the place and the reason`() throws {
    for item in try Corpus.strings("json/refused.json") {
      let json = try #require(item["json"])
      let fault = Self.fault(Array(json.utf8))
      #expect(fault.map { "\($0.reason)" } == item["reason"], "\(json)")
      #expect(fault?.offset == item["offset"].flatMap(Int.init), "\(json)")
    }
  }

  @Test func `only UTF-8 is accepted`() throws {
    for item in try Corpus.strings("json/bytes.json") {
      let hex = Array(try #require(item["hex"]))
      let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
        UInt8(String(hex[$0...$0 + 1]), radix: 16)
      }
      let fault = Self.fault(bytes)
      #expect(fault.map { "\($0.reason)" } == item["reason"], "\(item)")
      if let fault { #expect(fault.offset == item["offset"].flatMap(Int.init), "\(item)") }
    }
  }

  @Test func `values are written without priorities, and arrays as arrays`() throws {
    for item in try Corpus.strings("json/values.json") {
      let json = try #require(item["json"])
      #expect(try Node.parse(json).text(.value) == item["text"], "\(json)")
    }
  }

  @Test func `every prefix of a text is refused or read, and never trusted`() throws {
    let text = Array(
      #"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é",{".value":true,".priority":"p"}],"b":{".sv":"timestamp"}}"#.utf8
    )
    for count in 0..<text.count { #expect(Self.fault(Array(text[..<count])) != nil) }
    #expect(Self.fault(text) == nil)
  }

  @Test func `damaged texts do no harm`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    let text = Array(
      #"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é"],"b":{".sv":{"increment":5}},"c":{"d":null},".priority":3}"#
        .utf8)
    for _ in 0..<5_000 {
      var damaged = text
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let i = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[i] = UInt8.random(in: 0...255, using: &random)
        case 1: damaged.remove(at: i)
        default: damaged.insert(text.randomElement(using: &random) ?? 0, at: i)
        }
      }
      guard Self.fault(damaged) == nil else { continue }
      let value = try UnresolvedValue.parse(utf8: damaged)
      #expect(value.node.invariantFault == nil, "seed \(seed)")
      #expect(try Node.parse(value.node.text()) == value.node, "seed \(seed)")
      #expect(try UnresolvedValue.parse(utf8: value.text).node == value.node, "seed \(seed)")
    }
  }

  @Test func `every ASCII character is found at every place of a key and of a string`() throws {
    for byte in UInt8(0)..<128 {
      let character = String(UnicodeScalar(byte))
      let isLegal = (try? ChildKey(character)) != nil
      for place in 0..<20 {
        let text =
          String(repeating: "k", count: place) + character + String(repeating: "k", count: 19 - place)
        // As it is: a quote ends the key, a backslash starts an escape, the rest depends on the character.
        let plain = try? Node.parse("{\"\(text)\":1}")
        #expect((plain != nil) == (isLegal && character != "\"" && character != "\\"), "\(byte) at \(place)")
        let written = Node(text).text()
        #expect(try Node.parse(written) == Node(text), "\(byte) at \(place)")
        if isLegal {
          let object = Node(children: [(try ChildKey(text), Node(1))])
          #expect(try Node.parse(object.text()) == object, "\(byte) at \(place)")
        }
        if byte < 0x20 { #expect((try? Node.parse("\"\(text)\"")) == nil, "\(byte) at \(place)") }
      }
    }
  }

  @Test func `pretty text has one member a line`() throws {
    let node = try Node.parse(#"{"a":{"b":1},"c":{".value":2,".priority":3}}"#)
    #expect(
      node.text(pretty: true)
        == "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": {\n    \".value\": 2,\n    \".priority\": 3\n  }\n}")
    #expect(try Node.parse("[1,2]").text(.value, pretty: true) == "[\n  1,\n  2\n]")
    #expect(Node.null.text(pretty: true) == "null")
  }

  @Test func `many children are read sorted or not`() throws {
    for shuffled in [false, true] {
      var indexes = Array(0..<30_000)
      if shuffled { indexes.shuffle() }
      let text = "{" + indexes.map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
      let node = try Node.parse(text)
      #expect(node.childCount == 30_000)
      #expect(node.invariantFault == nil)
      #expect(node[try ChildKey("k12345")] == Node(12345))
    }
    let array = try Node.parse("[" + Array(repeating: "true", count: 3_000).joined(separator: ",") + "]")
    #expect(array.childCount == 3_000)
    #expect(array.invariantFault == nil)
  }

  @Test func `numbers keep every bit on the way out and in`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    for _ in 0..<5_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      let node = Node(number: value)
      let back = try Node.parse(node.text())
      #expect(back == node, "seed \(seed)")
      #expect(back.double?.bitPattern == (value == 0 ? 0 : value.bitPattern), "seed \(seed)")
      let short = Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 1000
      #expect(try Node.parse("\(short)").double == short)
      let integer = Int64(bitPattern: random.next())
      #expect(try Node.parse("\(integer)") == Node(integer))
    }
  }
}

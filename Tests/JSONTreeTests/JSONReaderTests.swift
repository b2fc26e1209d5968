import JSONTree
import Testing

/// Pulling text apart piece by piece, updates, and the bounds of what is read.
@Suite struct JSONReaderTests {
  private static func read<R>(
    _ text: String, limits: Limits = .standard, _ body: (inout JSONReader) throws -> R
  ) throws -> R {
    try Array(text.utf8).withUnsafeBytes { bytes in
      var reader = JSONReader(bytes, limits: limits)
      return try body(&reader)
    }
  }

  private static func reason(
    _ text: String, limits: Limits = .standard, _ body: (inout JSONReader) throws -> Void
  ) throws -> JSONSyntaxError.Reason? {
    do {
      try read(text, limits: limits, body)
      return nil
    } catch {
      return try #require(error as? JSONSyntaxError).reason
    }
  }

  private static func nested(_ count: Int, _ open: String = "{\"k\":", _ close: String = "}") -> String {
    String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
  }

  @Test func `a message is pulled apart member by member`() throws {
    let body = #"{"r":1,"a":"p","b":{"p":"x/y","d":{"k":[1,2]},"h":null}}"#
    let text = #" {"t":"d","d":"# + body + #","f":[true,false,-1.5,[]],"e":{}} "#
    try Self.read(text) { reader in
      var keys: [String] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        keys.append(key)
        switch key {
        case "t": #expect(try reader.readString() == "d")
        case "d":
          try reader.beginObject()
          #expect(try reader.nextKey() == "r")
          #expect(try reader.readInteger() == 1)
          #expect(try reader.nextKey { $0.count } == 1)
          #expect(try reader.withStringUTF8 { $0.count } == 1)
          #expect(try reader.nextKey() == "b")
          let body = try reader.skipValue()
          #expect(try reader.nextKey() == nil)
          let end = reader.position
          reader.seek(to: body.lowerBound)
          try reader.beginObject()
          #expect(try reader.nextKey() == "p")
          #expect(try reader.readString() == "x/y")
          #expect(try reader.nextKey() == "d")
          #expect(try reader.readValue().node == (try Node.parse(#"{"k":[1,2]}"#)))
          #expect(try reader.nextKey() == "h")
          #expect(try reader.readNull())
          #expect(try reader.nextKey() == nil)
          #expect(reader.position == body.upperBound)
          reader.seek(to: end)
        case "f":
          try reader.beginArray()
          #expect(try reader.nextElement() && reader.readBool())
          #expect(try reader.nextElement() && !reader.readBool())
          #expect(try reader.nextElement())
          #expect(try !reader.readNull())
          #expect(try reader.readNumber() == -1.5)
          #expect(try reader.nextElement())
          #expect(reader.next == .array)
          try reader.beginArray()
          #expect(try !reader.nextElement())
          #expect(try !reader.nextElement())
        default:
          #expect(reader.next == .object)
          try reader.beginObject()
          #expect(try reader.nextKey() == nil)
        }
      }
      try reader.expectEnd()
      #expect(keys == ["t", "d", "f", "e"])
    }
  }

  @Test func `what comes next is known before it is read`() throws {
    let tokens: [(String, JSONReader.Token?)] = [
      ("{", .object), (" [", .array), ("\"", .string), ("-", .number), ("7", .number), ("t", .true),
      ("f", .false),
      ("n", .null), ("", nil), ("x", nil), ("}", nil),
    ]
    for (text, token) in tokens { try Self.read(text) { #expect($0.next == token, "\(text)") } }
  }

  @Test func `another kind of value than wanted is an error, not a guess`() throws {
    #expect(try Self.reason("1") { _ = try $0.readString() } == .unexpectedValue)
    #expect(try Self.reason("\"1\"") { _ = try $0.readNumber() } == .unexpectedValue)
    #expect(try Self.reason("1") { _ = try $0.readBool() } == .unexpectedValue)
    #expect(try Self.reason("[]") { try $0.beginObject() } == .unexpectedValue)
    #expect(try Self.reason("{}") { try $0.beginArray() } == .unexpectedValue)
    #expect(try Self.reason("") { try $0.beginArray() } == .unexpectedEnd)
    #expect(try Self.read("1.5") { try $0.readInteger() } == nil)
    #expect(try Self.read("9223372036854775808") { try $0.readInteger() } == nil)
    #expect(try Self.read(#""\u00e9\n""#) { try $0.readString() } == "é\n")
  }

  @Test func `a skipped value is checked all the same`() throws {
    for text in ["[1,]", #"{"a":}"#, "\"\u{1}\"", "01", "1e400", #"{"a":1,}"#, "[}", "nul", #""\ud800""#] {
      #expect(try Self.reason(text) { try $0.skipValue() } != nil, "\(text)")
    }
    #expect(try Self.read(#"  {"a.b":[1,{"":2}]} "#) { try $0.skipValue() } == 2..<20)
  }

  @Test func `other JSON nests 128 levels and no more`() throws {
    #expect(try Self.reason(Self.nested(128, "[", "]")) { try $0.skipValue() } == nil)
    #expect(try Self.reason(Self.nested(129, "[", "]")) { try $0.skipValue() } == .tooDeep)
    #expect(try Self.reason(Self.nested(1_000_000, "[", "]")) { try $0.skipValue() } == .tooDeep)
    #expect(try Self.reason(Self.nested(129)) { try $0.skipValue() } == .tooDeep)
  }

  @Test func `a tree nests 32 levels from the root and no more`() throws {
    #expect(try Node.parse(Self.nested(32)).depth == 32)
    #expect(try Self.reason(Self.nested(33)) { _ = try $0.readValue() } == .tooDeep)
    #expect(try Self.reason(Self.nested(33, "[", "]")) { _ = try $0.readValue() } == .tooDeep)
    #expect(try Self.reason(Self.nested(1_000_000, "[", "]")) { _ = try $0.readValue() } == .tooDeep)
    #expect(try Self.reason(Self.nested(22)) { _ = try $0.readValue(at: 10) } == nil)
    #expect(try Self.reason(Self.nested(23)) { _ = try $0.readValue(at: 10) } == .tooDeep)
    #expect(try Self.reason(Self.nested(1)) { _ = try $0.readValue(at: 32) } == .tooDeep)
    #expect(try Self.reason("1") { _ = try $0.readValue(at: 32) } == nil)
  }

  @Test func `a key holds 768 bytes and no more`() throws {
    func object(_ key: String) -> String { "{\"\(key)\":1}" }
    #expect(try Node.parse(object(String(repeating: "k", count: 768))).childCount == 1)
    #expect(try Node.parse(object(String(repeating: "é", count: 384))).childCount == 1)
    for key in [String(repeating: "k", count: 769), String(repeating: "é", count: 384) + "k"] {
      #expect(try Self.reason(object(key)) { _ = try $0.readValue() } == .keyTooLong)
    }
  }

  @Test func `a string is as long as the limit and no longer`() throws {
    #expect(Limits.standard.stringBytes == 10 * 1024 * 1024)
    let limits = Limits(stringBytes: 100)
    for (text, isFine) in [
      (String(repeating: "x", count: 100), true), (String(repeating: "x", count: 101), false),
      (String(repeating: "é", count: 50), true), (String(repeating: "é", count: 51), false),
      (String(repeating: #"\n"#, count: 100), true), (String(repeating: #"\n"#, count: 101), false),
      (#"\u00e9"# + String(repeating: "x", count: 98), true),
      (#"\u00e9"# + String(repeating: "x", count: 99), false),
    ] {
      let reason = try Self.reason("\"\(text)\"", limits: limits) { _ = try $0.readValue() }
      #expect(reason == (isFine ? nil : .stringTooLong), "\(text)")
    }
  }

  @Test func `claims have free keys, and nothing in them is special`() throws {
    let text =
      #"{"":1,".priority":{".sv":"now"},".value":[1],"a/b":{"google.com":["x"]},"é\u0000$":null,"z":{}}"#
    let node = try Self.read(text) { try $0.readFreeValue() }
    #expect(node.invariantFault == nil)
    #expect(node.priority.isNull)
    #expect(node[ChildKey(unchecked: "")] == Node(1))
    #expect(
      node[ChildKey(unchecked: "a/b")][ChildKey(unchecked: "google.com")][ChildKey(index: 0)] == Node("x"))
    #expect(node.childCount == 4)
    #expect(try Self.read(node.text()) { try $0.readFreeValue() } == node)
    let longest = String(repeating: ".", count: 768)
    #expect(try Self.reason("{\"\(longest)\":1}") { _ = try $0.readFreeValue() } == nil)
    #expect(try Self.reason("{\"\(longest).\":1}") { _ = try $0.readFreeValue() } == .keyTooLong)
    #expect(try Self.reason(Self.nested(33)) { _ = try $0.readFreeValue() } == .tooDeep)
  }

  @Test func `children with keys that are too long to store are left out`() {
    let keys = [768, 769, 5000].map { ChildKey(unchecked: String(repeating: "k", count: $0)) }
    #expect(Node(children: keys.map { ($0, Node(true)) }) == Node(children: [(keys[0], Node(true))]))
    #expect(Node(children: [(keys[0], Node(true))])[keys[2]].isNull)
  }

  @Test func `an update names places that do not overlap`() throws {
    let text = #"{"a/b":1,"/c/":{"d":null},"e/.priority":"p","f":{".sv":"timestamp"},".priority":null}"#
    try Self.read(text) { reader in
      let changes = try reader.readUpdate()
      #expect(changes.map(\.path.text) == ["a/b", "c", "e/.priority", "f", ".priority"])
      #expect(changes[1].value.node.isNull)
      #expect(changes[3].value.serverValues.count == 1)
      try reader.expectEnd()
    }
    func reason(_ text: String, at depth: Int = 0) throws -> JSONSyntaxError.Reason? {
      try Self.reason(text) { _ = try $0.readUpdate(at: depth) }
    }
    #expect(try reason("{}") == nil)
    #expect(try reason("[]") == .unexpectedValue)
    #expect(try reason("null") == .unexpectedValue)
    #expect(try reason(#"{"a":1,"a/b":2}"#) == .overlappingPaths)
    #expect(try reason(#"{"a":1,"/a/":2}"#) == .overlappingPaths)
    #expect(try reason(#"{"":1}"#) == .invalidPath)
    #expect(try reason(#"{"/":1}"#) == .invalidPath)
    #expect(try reason(#"{"a.b":1}"#) == .invalidPath)
    #expect(try reason(#"{"a/.priority":true}"#) == .invalidPriority)
    #expect(try reason(#"{"a/.priority":{"b":1}}"#) == .invalidPriority)
    #expect(try reason(#"{"a/.priority":{".value":1,".priority":2}}"#) == .invalidPriority)
    #expect(try reason(#"{"a/.priority":{".sv":"timestamp"}}"#) == nil)
    #expect(try reason(#"{"a/b":1}"#, at: 30) == nil)
    #expect(try reason(#"{"a/b":1}"#, at: 31) == .tooDeep)
    #expect(try reason(#"{"a/b":{"c":1}}"#, at: 30) == .tooDeep)
  }

  @Test func `pieces of text are appended as JSON`() {
    var out: [UInt8] = []
    JSONText.appendString("a\"\\\n\u{1}é", to: &out)
    JSONText.appendNumber(Int64.min, to: &out)
    JSONText.appendNumber(2.0, to: &out)
    JSONText.appendNumber(0.5, to: &out)
    JSONText.appendNumber(Int64.max, to: &out)
    JSONText.appendNumber(Int64(0), to: &out)
    #expect(
      String(decoding: out, as: UTF8.self) == #""a\"\\\n\u0001é"-922337203685477580820.592233720368547758070"#
    )
  }
}

import JSONTree
import Testing

/// What writing at a place does to the value.
@Suite struct EditingTests {
  private static func written(_ value: String, at path: String, in before: String) throws -> String {
    let node = try Node.parse(before)
    return node.setting(try Node.parse(value), at: try Path(path, allowsPriority: true)).text()
  }

  @Test func `a value replaces what was there, priority and all`() throws {
    let before = #"{"a":{"b":1,".priority":1},"c":{".value":2,".priority":"p"}}"#
    #expect(try Self.written("3", at: "a", in: before) == #"{"a":3,"c":{".value":2,".priority":"p"}}"#)
    #expect(try Self.written("3", at: "c", in: before) == #"{"a":{"b":1,".priority":1},"c":3}"#)
    #expect(try Self.written("3", at: "", in: before) == "3")
    #expect(
      try Self.written(#"{".value":3,".priority":4}"#, at: "c/d", in: #"{"c":1}"#)
        == #"{"c":{"d":{".value":3,".priority":4}}}"#)
  }

  @Test func `null deletes, and what is left empty goes too`() throws {
    #expect(try Self.written("null", at: "a/b/c", in: #"{"a":{"b":{"c":1}},"z":1}"#) == #"{"z":1}"#)
    #expect(try Self.written("{}", at: "a/b", in: #"{"a":{"b":{"c":1}}}"#) == "null")
    #expect(try Self.written("null", at: "a/b", in: #"{"a":{"b":1,".priority":1}}"#) == "null")
    #expect(try Self.written("null", at: "x/y", in: #"{"a":1}"#) == #"{"a":1}"#)
    #expect(try Self.written("null", at: "a/b", in: #"{"a":1}"#) == #"{"a":1}"#)
    #expect(try Self.written("null", at: "", in: #"{"a":1}"#) == "null")
  }

  @Test func `a value below a leaf makes an object of it that keeps its priority`() throws {
    #expect(try Self.written("1", at: "a/b/c", in: #"{"a":5}"#) == #"{"a":{"b":{"c":1}}}"#)
    #expect(
      try Self.written("1", at: "a/b", in: #"{"a":{".value":5,".priority":2}}"#)
        == #"{"a":{"b":1,".priority":2}}"#)
    #expect(try Self.written("1", at: "a", in: #"{".value":5,".priority":2}"#) == #"{"a":1,".priority":2}"#)
  }

  @Test func `a deep write leaves the priorities above`() throws {
    let before = #"{"a":{"b":{"c":1,".priority":1},".priority":2},".priority":3}"#
    #expect(
      try Self.written("9", at: "a/b/c", in: before)
        == #"{"a":{"b":{"c":9,".priority":1},".priority":2},".priority":3}"#)
  }

  @Test func `a priority is set where there is a value and nowhere else`() throws {
    #expect(
      try Self.written("1", at: "a/.priority", in: #"{"a":{"b":1}}"#) == #"{"a":{"b":1,".priority":1}}"#)
    #expect(
      try Self.written("\"p\"", at: "a/b/.priority", in: #"{"a":{"b":1}}"#)
        == #"{"a":{"b":{".value":1,".priority":"p"}}}"#)
    #expect(
      try Self.written("null", at: "a/.priority", in: #"{"a":{"b":1,".priority":1}}"#) == #"{"a":{"b":1}}"#)
    #expect(try Self.written("1", at: "x/.priority", in: #"{"a":1}"#) == #"{"a":1}"#)
    #expect(try Self.written("1", at: ".priority", in: "null") == "null")
    #expect(try Self.written("1", at: ".priority", in: "true") == #"{".value":true,".priority":1}"#)
    #expect(Node.null.withPriority(Node(1)).isNull)
  }

  @Test func `merging writes each place and leaves the others`() throws {
    let node = try Node.parse(#"{"x":{"a":1,"b":{"c":2,"d":3},"z":4}}"#)
    let changes = [(try Path("a"), Node(9)), (try Path("b/c"), .null), (try Path("new/deep"), Node(true))]
    #expect(
      node.merging(changes, at: try Path("x")).text()
        == #"{"x":{"a":9,"b":{"d":3},"new":{"deep":true},"z":4}}"#)
  }

  @Test func `equal content is equal however it came about`() throws {
    #expect(Node(number: 5) == Node(5))
    #expect(Node(number: -0.0) == Node(0))
    #expect(Node(number: 0x1p62) == Node(1 << 62))
    #expect(Node(number: 1.5) != Node(1))
    #expect(Node(true) != Node(1))
    #expect(Node("1") != Node(1))
    let a = try Node.parse(#"{"a":{".value":1,".priority":2},"b":"a string of more than fourteen"}"#)
    var b = try Node.parse(#"{"b":"a string of more than fourteen","a":1}"#)
    #expect(a != b)
    b.set(Node(2), at: try Path("a/.priority", allowsPriority: true))
    #expect(a == b)
    #expect(a.hashValue == b.hashValue)
    #expect(!a.isIdentical(to: b))
    #expect(Node("short").isIdentical(to: Node("short")))
    #expect(!Node("short").isIdentical(to: Node("short").withPriority(Node(1))))
  }

  @Test func `a node says what it is`() throws {
    let object = try Node.parse(#"{"a":[1,{"b":"x"}],"c":{".value":1.5,".priority":"p"}}"#)
    #expect(object.isObject && !object.isLeaf && object.kind == .object)
    #expect(object.leafCount == 3)
    #expect(object.depth == 3)
    #expect(object.childCount == 2)
    #expect(Node.null.childCount == 0)
    let leaf = object[try Path("c")]
    #expect(leaf.isLeaf && leaf.isNumber && !leaf.isString)
    #expect(leaf.double == 1.5)
    #expect(leaf.integer == nil)
    #expect(leaf.priority == Node("p"))
    #expect(object[try Path("c/.priority", allowsPriority: true)] == Node("p"))
    #expect(object[try Path("c/x/y")].isNull)
    #expect(Node(7).double == 7)
    #expect(Node(true).bool == true)
    #expect(Node("é").string == "é")
    #expect(Node("é").withStringUTF8 { $0.count } == 2)
    #expect(Node(1).string == nil)
    let size = object.text().utf8.count
    #expect(abs(object.estimatedBytes - size) < size)
  }
}

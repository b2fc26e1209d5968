import JSONTree
import TestSupport
import RESTWire
import Testing

struct ExportTests {
  private func pieces(_ node: Node, _ style: Export.Style, bytes: Int) -> (text: String, count: Int) {
    var export = Export(node, style: style)
    var text: [UInt8] = []
    var count = 0
    var hasMore = true
    while hasMore {
      var piece: [UInt8] = []
      hasMore = export.append(to: &piece, bytes: bytes)
      text += piece
      count += 1
    }
    return (String(decoding: text, as: UTF8.self), count)
  }

  private func node(_ text: String) throws -> Node { try Node.parse(text) }

  /// Objects within objects, some of them large, with priorities, arrays, holes and strings that need
  /// escapes.
  private func large(seed: UInt64) throws -> Node {
    var random = SeededNumbers(seed: seed)
    var children: [(ChildKey, Node)] = []
    for i in 0..<40 {
      var inner: [(ChildKey, Node)] = []
      let isArray = random.next() % 2 == 0
      for j in 0..<(random.next() % 600) {
        if isArray, random.next() % 4 == 0 { continue }
        let key = try ChildKey(isArray ? "\(j)" : "k\(j)\u{e9}")
        var leaf = Node(String(repeating: "x\"\n", count: Int(random.next() % 60)))
        if random.next() % 8 == 0 { leaf = leaf.withPriority(Node(Int64(j))) }
        inner.append((key, leaf))
      }
      var child = Node(children: inner)
      if random.next() % 3 == 0 { child = child.withPriority(Node("p")) }
      children.append((try ChildKey(i % 2 == 0 ? "\(i)" : "c\(i)"), child))
    }
    return Node(children: children).withPriority(Node(Int64(7)))
  }

  @Test func `the pieces together are the whole text`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    let value = try large(seed: seed)
    #expect(!Export.isSmall(value))
    for form in [TextForm.value, .export] {
      for bytes in [300, 1000, 64 * 1024, 1 << 30] {
        let (text, count) = pieces(value, .form(form), bytes: bytes)
        #expect(text == value.text(form), "seed \(seed), form \(form), pieces of \(bytes)")
        if bytes == 1000 { #expect(count > 10, "seed \(seed)") }
      }
    }
  }

  @Test(arguments: [
    "null", "true", "1.5", "\"é\"", "[1,2,null,3]", "{\"a\":{\"b\":1}}", "{\".value\":1,\".priority\":2}",
  ])
  func `a small value is one piece`(text: String) throws {
    let value = try node(text)
    #expect(Export.isSmall(value))
    for form in [TextForm.value, .export] {
      let (out, count) = pieces(value, .form(form), bytes: 10)
      #expect(out == value.text(form))
      #expect(count == 1)
    }
  }

  @Test func `a shallow text has true for every child`() throws {
    #expect(
      pieces(try node("{\"a\":{\"b\":1},\"c\":2}"), .shallow, bytes: 5).text == "{\"a\":true,\"c\":true}")
    #expect(pieces(try node("[1,2]"), .shallow, bytes: 1000).text == "{\"0\":true,\"1\":true}")
    #expect(pieces(try node("\"leaf\""), .shallow, bytes: 1000).text == "\"leaf\"")
    #expect(pieces(.null, .shallow, bytes: 1000).text == "null")
  }

  @Test func `a large string inside is written`() throws {
    let long = String(repeating: "y", count: 200_000)
    let value = Node(children: [(try ChildKey("a"), Node(long)), (try ChildKey("b"), Node(true))])
    #expect(pieces(value, .form(.value), bytes: 100).text == value.text(.value))
  }
}

import JSONTree
import Testing

@testable import RESTWire

struct PrettyTextTests {
  @Test(arguments: [
    "null", "1", "\"a{b\\\"}:,[\"", "{\"a\":1}", "{\"a\":[1,2,{\"b\":null}],\"c\":\"x,y\"}",
    "[[[1]],\"\\\\\"]",
  ])
  func `text is laid out as the tree lays it out, wherever it is cut`(text: String) throws {
    let node = try Node.parse(text)
    let compact = Array(node.text(.export).utf8)
    for size in 1...compact.count {
      var pretty = PrettyText()
      var out: [UInt8] = []
      for start in stride(from: 0, to: compact.count, by: size) {
        pretty.append(compact[start..<min(start + size, compact.count)], to: &out)
      }
      #expect(String(decoding: out, as: UTF8.self) == node.text(.export, pretty: true))
    }
  }

  @Test func `nothing is between empty brackets`() {
    var pretty = PrettyText()
    var out: [UInt8] = []
    pretty.append("{\"a\":{}}".utf8, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == "{\n  \"a\": {}\n}")
  }
}

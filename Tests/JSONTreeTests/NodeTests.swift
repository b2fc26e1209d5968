import JSONTree
import Testing

@Suite struct NodeTests {
  @Test func `a node takes sixteen bytes`() {
    #expect(MemoryLayout<Node>.size == 16)
    #expect(MemoryLayout<Node>.stride == 16)
    #expect(MemoryLayout<ChildKey>.stride == 24)
  }

  @Test func `text comes back as it went in`() throws {
    let text = #"{"a":{".value":1,".priority":2},"b":[1,null,"x"],"c":1.5,"d":"é\n",".priority":"p"}"#
    let node = try Node.parse(text)
    let exported = #"{"a":{".value":1,".priority":2},"b":{"0":1,"2":"x"},"c":1.5,"d":"é\n",".priority":"p"}"#
    #expect(node.text() == exported)
    #expect(node.text(.value) == #"{"a":1,"b":[1,null,"x"],"c":1.5,"d":"é\n"}"#)
  }

  @Test func `the hash of an object is the one clients compute`() throws {
    let node = try Node.parse(#"{"intNode":4,"doubleNode":4.5623,"stringNode":"hey guys","boolNode":true}"#)
    #expect(node.simpleHash == "6Mc4jFmNdrLVIlJJjz2/MakTK9I=")
  }
}

import JSONTree
import Testing

/// How children are held: what is shared, what is copied, and how wide objects grow and shrink.
@Suite struct StorageTests {
  private static func key(_ i: Int) -> ChildKey {
    let digits = String(i)
    return ChildKey(unchecked: "-N" + String(repeating: "0", count: 8 - digits.count) + digits)
  }

  @Test func `a value that nothing else holds is changed in place`() throws {
    var node = try Node.parse(#"{"a":{"b":{"c":1}},"z":1}"#)
    let outer = node.storageAddress
    let inner = node[try Path("a/b")].storageAddress
    node.set(Node(2), at: try Path("a/b/c"))
    #expect(node.storageAddress == outer)
    #expect(node[try Path("a/b")].storageAddress == inner)
  }

  @Test func `a value that is held stays as it was, and shares what has not changed`() throws {
    var node = try Node.parse(#"{"a":{"b":{"c":1}},"z":{"y":1}}"#)
    let held = node
    node.set(Node(2), at: try Path("a/b/c"))
    #expect(held.text() == #"{"a":{"b":{"c":1}},"z":{"y":1}}"#)
    #expect(node[try Path("z")].isIdentical(to: held[try Path("z")]))
    #expect(!node[try Path("a")].isIdentical(to: held[try Path("a")]))
  }

  @Test(arguments: ["ascending", "descending", "shuffled"])
  func `wide objects stay sound while they grow and shrink`(order: String) {
    var indexes = Array(0..<12_000)
    if order == "descending" { indexes.reverse() }
    if order == "shuffled" { indexes.shuffle() }
    var node = Node.null
    for i in indexes { node.set(Node(Int64(i)), at: [Self.key(i)]) }
    #expect(node.invariantFault == nil)
    #expect(node.childCount == 12_000)
    #expect(node[Self.key(7_777)] == Node(7_777))
    let whole = node
    for (n, i) in indexes.enumerated() {
      node.set(.null, at: [Self.key(i)])
      if n % 2_000 == 0 { #expect(node.invariantFault == nil) }
    }
    #expect(node.isNull)
    #expect(whole.childCount == 12_000)
    #expect(whole.invariantFault == nil)
  }

  @Test func `thinning out a wide object leaves few levels`() {
    var node = Node(children: (0..<20_000).map { (Self.key($0), Node(true)) })
    for i in 0..<20_000 where i % 100 != 0 { node.set(.null, at: [Self.key(i)]) }
    #expect(node.invariantFault == nil)
    #expect(node.childCount == 200)
  }

  @Test func `a queue stays sound while its window moves on`() {
    var node = Node.null
    for i in 0..<8_000 {
      node.set(Node(true), at: [Self.key(i)])
      if i >= 500 { node.set(.null, at: [Self.key(i - 500)]) }
      if i % 1_000 == 0 { #expect(node.invariantFault == nil) }
    }
    #expect(node.childCount == 500)
    #expect(node.firstChild?.key == Self.key(7_500))
    #expect(node.invariantFault == nil)
  }

  @Test func `children in any order make the same object`() {
    let children = (0..<3_000).map { (Self.key($0), Node(Int64($0))) }
    let node = Node(children: children)
    #expect(node.invariantFault == nil)
    #expect(Node(children: children.shuffled()) == node)
    #expect(
      Node(children: [(Self.key(1), Node(1)), (Self.key(1), Node(2))])
        == Node(children: [(Self.key(1), Node(2))]))
    #expect(Node(children: [(Self.key(1), Node(1)), (Self.key(1), .null)]).isNull)
  }
}

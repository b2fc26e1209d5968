import JSONTree
import Testing

/// The hashes that clients compute, by the cases in `Corpora/hashes`.
@Suite struct HashTests {
  @Test func `hashes are those that Firebase clients compute`() throws {
    for item in try Corpus.strings("hashes/standard.json") {
      let json = try #require(item["json"])
      #expect(try Node.parse(json).simpleHash == item["hash"], "\(json)")
    }
  }

  @Test func `hashes in the Wilddog dialect are those that its client computes`() throws {
    for item in try Corpus.strings("hashes/wilddog.json") {
      let json = try #require(item["json"])
      #expect(try Node.parse(json).hash(.wilddogDouble) == item["hash"], "\(json)")
    }
  }

  @Test func `the dialects differ where logarithms are not exact and nowhere else`() {
    for value in stride(from: 0.25, through: 2_500, by: 0.25) {
      let node = Node(number: value)
      #expect(node.hash(.wilddogDouble) == node.hash(.standard), "\(value)")
    }
    for exponent in [-29, -31, -39, -47] {
      let node = Node(number: Double(sign: .plus, exponent: exponent, significand: 1))
      #expect(node.hash(.wilddogDouble) != node.hash(.standard), "2^\(exponent)")
    }
    for exponent in 0...1023 {
      let node = Node(number: Double(sign: .minus, exponent: exponent, significand: 1))
      #expect(node.hash(.wilddogDouble) == node.hash(.standard), "2^\(exponent)")
    }
  }

  @Test func `the hash of a wide object does not depend on how it was built`() {
    let children = (0..<3_000).map { (ChildKey(index: $0), Node(Int64($0))) }
    var node = Node.null
    for (key, child) in children.shuffled() { node.set(child, at: [key]) }
    #expect(node.simpleHash == Node(children: children).simpleHash)
    node.set(Node("p"), at: Path([ChildKey(index: 7)]).priority)
    #expect(node.simpleHash != Node(children: children).simpleHash)
  }
}

import JSONTree
import Testing

/// The order of keys and values, by the cases in `Corpora/order`.
@Suite struct OrderTests {
  private static func lists(_ name: String, _ member: String) throws -> [[String]] {
    try Corpus.cases(name) { reader in
      var list: [String] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        guard key == member else {
          try reader.skipValue()
          continue
        }
        try reader.beginArray()
        while try reader.nextElement() { list.append(try reader.readString()) }
      }
      return list
    }
  }

  @Test func `keys are ordered as clients order them`() throws {
    for list in try Self.lists("order/keys.json", "keys") {
      let keys = try list.map { try ChildKey($0) }
      for (i, a) in keys.enumerated() {
        for (j, b) in keys.enumerated() { #expect(ChildKey.order(a, b) == Order(i, j), "\(a) \(b)") }
      }
      let node = Node(children: keys.shuffled().map { ($0, Node(true)) })
      var walked: [ChildKey] = []
      node.forEachChild { key, _ in
        walked.append(key)
        return true
      }
      #expect(walked == keys)
      for key in keys { #expect(node[key] == Node(true), "\(key)") }
      let text = "{" + list.shuffled().map { "\"\($0)\":true" }.joined(separator: ",") + "}"
      #expect(try Node.parse(text) == node)
    }
  }

  @Test func `values are ordered by kind and then within it`() throws {
    for list in try Self.lists("order/values.json", "values") {
      let nodes = try list.map { try Node.parse($0) }
      for (i, a) in nodes.enumerated() {
        for (j, b) in nodes.enumerated() { #expect(Node.indexOrder(a, b) == Order(i, j), "\(a) \(b)") }
      }
    }
    let pairs = try Corpus.cases("order/equal.json") { reader in
      var pair: [Node] = []
      try reader.beginArray()
      while try reader.nextElement() { pair.append(try Node.parse(try reader.readString())) }
      return pair
    }
    for pair in pairs { #expect(Node.indexOrder(pair[0], pair[1]) == .equal, "\(pair)") }
  }

  @Test func `priorities are ordered none, numbers, strings`() throws {
    let priorities: [Node] = [.null, Node(-1), Node(number: 0.5), Node(2), Node(""), Node("a")]
    let nodes = priorities.map { Node(true).withPriority($0) }
    for (i, a) in nodes.enumerated() {
      for (j, b) in nodes.enumerated() { #expect(Node.priorityOrder(a, b) == Order(i, j)) }
    }
  }

  @Test func `integer-like keys have a value`() {
    let cases: [(String, Int32?)] = [
      ("0", 0), ("-1", -1), ("007", 7), ("-0", 0), ("2147483647", .max), ("-2147483648", .min),
      ("2147483648", nil),
      ("-2147483649", nil), ("", nil), ("-", nil), ("1a", nil), ("+1", nil), ("00000000000", 0),
      ("99999999999", nil),
      ("1.0", nil), ("٣", nil),
    ]
    for (text, value) in cases { #expect(ChildKey(unchecked: text).integer == value, "\(text)") }
  }
}

import JSONTree
import TestSupport
import Testing

/// Whatever a text is cut into, the tree that comes out is the one that it says.
@Suite struct UpdateSplitterTests {
  /// Cuts a text that arrives in pieces of some size.
  private func pieces(
    _ text: String, updateBytes: Int, pieceBytes: Int
  ) throws -> [UpdateSplitter.Piece] {
    var splitter = UpdateSplitter(updateBytes: updateBytes)
    var pieces: [UpdateSplitter.Piece] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
      let end = min(start + pieceBytes, bytes.count)
      try bytes[start..<end].withUnsafeBytes { try splitter.receive($0) }
      while let piece = splitter.takePiece() { pieces.append(piece) }
    }
    try splitter.finish()
    while let piece = splitter.takePiece() { pieces.append(piece) }
    return pieces
  }

  private func node(_ text: [UInt8]) throws -> Node {
    try text.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      let value = try reader.readValue(at: 0)
      try reader.expectEnd()
      return value.node
    }
  }

  /// The tree after all pieces, in order.
  private func tree(_ pieces: [UpdateSplitter.Piece]) throws -> Node {
    var tree = Node.null
    for piece in pieces {
      switch piece {
      case .whole(let text): tree = try node(text)
      case .update(let text):
        try text.withUnsafeBytes { bytes in
          var reader = JSONReader(bytes)
          let update = try reader.readUpdate()
          try reader.expectEnd()
          for (path, value) in update { tree.set(value.node, at: path) }
        }
      }
    }
    return tree
  }

  @Test func `random trees come out the same however they are cut`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededNumbers(seed: seed)
    for _ in 0..<150 {
      var model = Model()
      for _ in 0..<Int.random(in: 0..<60, using: &random) {
        let depth = Int.random(in: 1...4, using: &random)
        let keys = (0..<depth).map { _ in RandomisedTests.key(12, using: &random) }
        model.set(RandomisedTests.value(using: &random), at: keys[...])
        if Int.random(in: 0..<4, using: &random) == 0 {
          model.setPriority(Node(Int64(7)), at: keys.dropLast())
        }
      }
      let whole = try model.node()
      let form = Bool.random(using: &random) ? TextForm.export : .value
      let text = whole.text(form)
      let expected = try node(Array(text.utf8))
      let updateBytes = Int.random(in: 1...3000, using: &random)
      let pieceBytes = Int.random(in: 1...500, using: &random)
      let cut = try pieces(text, updateBytes: updateBytes, pieceBytes: pieceBytes)
      #expect(try tree(cut) == expected, "seed \(seed), \(updateBytes), \(pieceBytes): \(text)")
      if text.utf8.count < updateBytes { #expect(cut.count <= 1) }
    }
  }

  @Test(arguments: [
    #"{"a":{"b":[1,null,{"c":"}],"}],"d":"x\"\\","q\"k":{"é":1}}}"#,
    #" [ [ ] , { } , [ [ 1 ] , 2 ] ] "#, #"{".priority":3,"a":{".value":1,".priority":"p"},"b":2}"#, "17",
    "\"x\"",
    #"{"a":{".sv":"timestamp"},"b":1}"#, #"{"x":{"a":{"b":{"c":1,".priority":5}}},"y":1}"#,
  ])
  func `every size of update gives the same tree`(text: String) throws {
    let expected = try node(Array(text.utf8))
    for updateBytes in 1...text.utf8.count + 1 {
      #expect(try tree(pieces(text, updateBytes: updateBytes, pieceBytes: 3)) == expected, "\(updateBytes)")
    }
  }

  @Test(arguments: [
    "", "{", "[1", "{\"a\"}", "{\"a\":1,}", "[1,]", "{\"a\":1 \"b\":2}", "1 2", "{\"a\":tru}", "{\"a\":1]",
    "{\"a.b\":1}", "{\"a\\u002fb\":1}", "{\"\":1}", "{\"a\":1\"b\":2}", "{1:2}", "[1:2]", "}",
    "{\"a\":1e400}",
    "{\"a\":\"x", "{\"a\":1,\".value\":2}",
    String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
  ])
  func `a text that is no tree is refused`(text: String) {
    #expect(throws: JSONSyntaxError.self) { try tree(pieces(text, updateBytes: 1, pieceBytes: 2)) }
  }

  @Test func `a fault is named by its byte in the whole text`() throws {
    let good = (0..<1000).map { "\"key\($0)\":\($0)" }.joined(separator: ",")
    let error = try #require(throws: JSONSyntaxError.self) {
      _ = try pieces("{\(good),oops", updateBytes: 100, pieceBytes: 50)
    }
    #expect(error.offset == good.utf8.count + 2)
  }

  @Test func `updates are about as large as asked`() throws {
    let text = "{" + (0..<5000).map { "\"k\($0)\":{\"n\":\($0)}" }.joined(separator: ",") + "}"
    let cut = try pieces(text, updateBytes: 2000, pieceBytes: 4096)
    #expect(cut.count > text.utf8.count / 2100)
    for case .update(let update) in cut { #expect(update.count < 2100) }
  }

  @Test(arguments: [
    // In one update.
    (#"{"a":1,"b":2,"a":3}"#, 13),
    // After a child that was cut.
    (#"{"a":{"x":"0123456789","y":"0123456789"},"b":2,"a":3}"#, 47),
    (#"{"q":{"a":{"x":"0123456789","y":"0123456789"},"a":{"z":1}}}"#, 46),
    // Before it, in the same update.
    (#"{"a":1,"a":{"x":"0123456789","y":"0123456789"}}"#, 7),
  ])
  func `a key that comes twice in an object that is cut is named by its place`(text: String, place: Int) {
    #expect(throws: JSONSyntaxError(.duplicateKey, offset: place)) {
      try pieces(text, updateBytes: 18, pieceBytes: 5)
    }
  }
}

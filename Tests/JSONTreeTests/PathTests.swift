import JSONTree
import Testing

@Suite struct PathTests {
  private static func reason(_ text: String, allowsPriority: Bool = false) -> PathError.Reason? {
    do throws(PathError) {
      _ = try Path(text, allowsPriority: allowsPriority)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test func `slashes separate, wherever and however many`() throws {
    for text in ["a/b", "/a/b", "a/b/", "//a///b//"] {
      let path = try Path(text)
      #expect(path.text == "a/b")
      #expect(path.description == "/a/b")
      #expect(path.count == 2)
      #expect(path[1].text == "b")
    }
    for text in ["", "/", "///"] { #expect(try Path(text) == .root) }
  }

  @Test func `a key holds 768 bytes and no more`() throws {
    #expect(try Path(String(repeating: "k", count: 768)).count == 1)
    #expect(Self.reason(String(repeating: "k", count: 769)) == .keyTooLong)
    #expect(try Path(String(repeating: "é", count: 384)).count == 1)
    #expect(Self.reason(String(repeating: "é", count: 385)) == .keyTooLong)
    #expect(throws: PathError(.keyTooLong)) { try ChildKey(String(repeating: "k", count: 769)) }
    #expect(throws: PathError(.emptyKey)) { try ChildKey("") }
  }

  @Test func `a path has 32 keys and no more`() throws {
    let deepest = Array(repeating: "k", count: 32).joined(separator: "/")
    #expect(try Path(deepest).count == 32)
    #expect(try Path(deepest + "/.priority", allowsPriority: true).endsWithPriority)
    #expect(Self.reason(deepest + "/k") == .tooDeep)
  }

  @Test func `characters that keys cannot hold are refused`() throws {
    for character in [".", "#", "$", "[", "]", "\u{0}", "\u{1F}", "\u{7F}", "\n"] {
      #expect(Self.reason("a/x\(character)y") == .invalidToken, "\(character)")
      #expect(throws: PathError(.invalidToken)) { try ChildKey(character) }
    }
    #expect(throws: PathError(.invalidToken)) { try ChildKey("a/b") }
    for character in [" ", "!", "\"", "-", "_", "~", "é", "😀", "\u{80}"] {
      #expect(Self.reason("x\(character)y") == nil, "\(character)")
    }
    for bytes: [UInt8] in [[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80]] {
      let path = bytes.withUnsafeBytes { try? Path(utf8: $0) }
      #expect(path == nil)
    }
  }

  @Test func `a priority stands at the end and only where it is allowed`() throws {
    let path = try Path("a/.priority", allowsPriority: true)
    #expect(path.endsWithPriority)
    #expect(path.count == 1)
    #expect(path.text == "a/.priority")
    #expect(path.withoutPriority == [try ChildKey("a")])
    #expect(path == (try Path("a")).priority)
    #expect(try Path(".priority", allowsPriority: true).text == ".priority")
    #expect(Self.reason("a/.priority") == .invalidToken)
    #expect(Self.reason("a/.priority/b", allowsPriority: true) == .invalidToken)
    #expect(Self.reason("a/.priority/.priority", allowsPriority: true) == .invalidToken)
    #expect(Self.reason("a/.value", allowsPriority: true) == .invalidToken)
    #expect(try Path("a/.priority//", allowsPriority: true) == path)
  }

  @Test func `paths are taken apart and put together`() throws {
    let path = try Path("a/b/c")
    #expect(path.parent == (try Path("a/b")))
    #expect(Path.root.parent == nil)
    #expect(path.last?.text == "c")
    #expect(path.prefix(2).text == "a/b")
    #expect(path.dropFirst(2).text == "c")
    #expect(path.dropFirst(2)[0].text == "c")
    #expect(path.prefix(1).appending(path.dropFirst(1)) == path)
    #expect(path.prefix(2).appending(path[2]) == path)
    #expect(Set([path, path.dropFirst(1).prefix(1)]).contains(try Path("b")))
    #expect(path.relative(to: path.prefix(1)).text == "b/c")
    #expect(path.relative(to: path).isRoot)
    #expect(path.priority.relative(to: path).text == ".priority")
    #expect(Path.root.appending(path.priority) == path.priority)
  }

  @Test func `a place contains itself, what lies below and its priority`() throws {
    let path = try Path("a/b")
    for text in ["a/b", "a/b/c", "a/b/.priority", "a/b/c/.priority"] {
      #expect(path.contains(try Path(text, allowsPriority: true)), "\(text)")
    }
    for text in ["", "a", "a/c", "a/.priority", "b/a/b"] {
      #expect(!path.contains(try Path(text, allowsPriority: true)), "\(text)")
    }
    #expect(path.priority.contains(path.priority))
    #expect(!path.priority.contains(path))
  }

  @Test func `paths overlap when one contains another`() throws {
    func overlap(_ texts: String...) throws -> Bool {
      try Path.overlap(texts.map { try Path($0, allowsPriority: true) })
    }
    #expect(try overlap("a", "a"))
    #expect(try overlap("a", "a/b"))
    #expect(try overlap("x/y", "a/b/c", "a/b-", "a/b"))
    #expect(try overlap("a", "a/.priority"))
    #expect(try overlap("a", "a/b/.priority"))
    #expect(try overlap("a/.priority", "a/.priority"))
    #expect(try overlap("a/.priority", "a/b", "a/c", "a/b/d"))
    #expect(try !overlap("a/.priority", "a/b", "a/b-"))
    #expect(try !overlap("a", "b", "ab"))
    #expect(try !overlap())
  }

  @Test func `keys are the same by their bytes`() throws {
    #expect(try ChildKey("e\u{301}") != ChildKey("é"))
    for count in [1, 21, 22, 23, 24, 768] {
      let text = String(repeating: "k", count: count)
      let key = try ChildKey(text)
      #expect(key == ChildKey(unchecked: text))
      #expect(key.hashValue == ChildKey(unchecked: text).hashValue)
      #expect(key.text == text)
      #expect(key.utf8Count == count)
      #expect(key < ChildKey(unchecked: text + "-"))
    }
    #expect(ChildKey(unchecked: String(repeating: "z", count: 800)).utf8Count == 800)
  }
}

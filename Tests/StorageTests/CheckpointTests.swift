import Engine
import TestSupport
import JSONTree
import Testing

@testable import Storage

@Suite struct CheckpointTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// All rows of a checkpoint file, and its state without the position.
  private func rows(_ database: DatabaseID, in folder: TemporaryFolder) throws -> [String] {
    let file = try CheckpointFile.open("\(folder.path)/db/\(database.name).sqlite", for: .use)
    var rows: [String] = []
    try file.forEachRow { row in
      let block = String(decoding: row.block, as: UTF8.self)
      rows.append(
        "\(RowPath.text(row.path)) [\(block)] \(String(decoding: row.text, as: UTF8.self)) \(row.seal)")
    }
    let state = try #require(try file.state())
    return rows + ["\(state.rowCount) \(state.rowSeals)"]
  }

  private func checkpoints(_ folder: TemporaryFolder) async throws -> Checkpoints {
    await (try folder.open()).close()
    return Checkpoints(folder: folder.path, eventLoop: Loops.checkpoint)
  }

  private func position(_ index: UInt64) -> LogPosition {
    LogPosition(epoch: 1, index: index, digest: ChainDigest(index, 2, 3, 4), token: index)
  }

  @Test func `what is saved is what is loaded`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    #expect(try await store.load(.chat) == nil)
    let place = try await store.add("[]", to: .chat)
    let texts = [
      #"{"data":{"a":1,"b":{"c":"x",".priority":3}},"meta":{"rules":"{}"}}"#, #""leaf""#,
      #"{".value":true,".priority":"p"}"#, #"{"a":{"b":{"c":{"d":{"e":1}}}}}"#, "null",
      #"{"0":{"1":2},"10":5,"9":6}"#,
    ]
    var last: Checkpoint?
    for text in texts {
      let next = Checkpoint(root: try Node.parse(text), position: place)
      try await store.save(.chat, from: last, to: next)
      let loaded = try #require(try await store.load(.chat))
      #expect(loaded.root == next.root, "\(loaded.root) for \(text)")
      #expect(loaded.position == place)
      last = next
    }
    await store.close()
    #expect(!folder.exists("db/chat.sqlite-journal"))
  }

  @Test(arguments: 0..<6)
  func `saving differences gives the same rows as saving anew`(round: UInt64) async throws {
    let seed = UInt64.random(in: 0...UInt64(UInt32.max)) &+ round
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let other = try TemporaryFolder()
    let (steps, fresh) = (try await checkpoints(folder), try await checkpoints(other))
    var root = Node(children: [(ChildKey(unchecked: "data"), random.tree(depth: 3))])
    var last: Checkpoint?
    for index in 1...25 as ClosedRange<UInt64> {
      let next = Checkpoint(root: root, position: position(index))
      try await steps.save(.chat, from: last, to: next, salt: 5)
      try await fresh.save(.chat, from: nil, to: next, salt: 5)
      let loaded = try await steps.load(.chat)
      try #require(loaded?.root == root, "seed \(seed), step \(index)")
      let (one, two) = (try rows(.chat, in: folder), try rows(.chat, in: other))
      try #require(one == two, "seed \(seed), step \(index)")
      last = next
      random.edit(&root)
    }
  }

  @Test func `a change in a wide object rewrites one block`() async throws {
    let checkpoints = try await checkpoints(folder)
    let children = (0..<20_000).map { (ChildKey(unchecked: "key\($0)"), Node(Int64($0))) }
    let key = ChildKey(unchecked: "wide")
    let old = Checkpoint(root: Node(children: [(key, Node(children: children))]), position: position(1))
    try await checkpoints.save(.chat, from: nil, to: old, salt: 1)
    let before = try rows(.chat, in: folder)
    #expect(before.count > 300)
    var new = old
    new.position = position(2)
    new.root.set(Node("changed"), at: Path([key, ChildKey(unchecked: "key777")]))
    try await checkpoints.save(.chat, from: old, to: new, salt: 1)
    let after = try rows(.chat, in: folder)
    #expect(after.count == before.count)
    // The row, and the last line with the sum of the seals.
    #expect(zip(before, after).filter { $0 != $1 }.count == 2)
    #expect(before.allSatisfy { $0.utf8.count < 10_000 })
  }

  @Test func `a save from an unknown state rewrites the file`() async throws {
    let checkpoints = try await checkpoints(folder)
    let one = Checkpoint(root: try Node.parse(#"{"a":{"b":1},"c":2}"#), position: position(1))
    let two = Checkpoint(root: try Node.parse(#"{"a":{"b":2},"d":2}"#), position: position(2))
    let three = Checkpoint(root: try Node.parse(#"{"a":{"b":3},"e":2}"#), position: position(3))
    try await checkpoints.save(.chat, from: nil, to: one, salt: 1)
    try await checkpoints.save(.chat, from: two, to: three, salt: 1)
    #expect(try await checkpoints.load(.chat)?.root == three.root)
  }

  @Test func `many databases are kept without keeping their files open`() async throws {
    let store = try await folder.open()
    for number in 0..<100 {
      let database = DatabaseID.known("d\(number)")
      try await store.create(database)
      let place = try await store.add("[]", to: database)
      try await store.save(
        database, from: nil, to: Checkpoint(root: Node(Int64(number)), position: place))
    }
    #expect(try openFiles(below: folder.path) < 8)
    #expect(try await store.list().count == 100)
    #expect(try await store.load(.known("d17"))?.root == Node(17))
    await store.close()
  }
}

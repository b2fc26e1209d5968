import Engine
import JSONTree
import Testing

@testable import Storage

@Suite struct MigrationTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func change(_ file: String, _ text: String) throws {
    let connection = try Connection(path: folder.path + "/" + file, mode: .create)
    try connection.execute(text)
  }

  /// A journal as version 0 wrote it: without the table `state`.
  private func makeVersion0() async throws -> [String] {
    let store = try await folder.open()
    try await store.create(.chat)
    for text in ["one", "two"] { try await store.add(text, to: .chat) }
    await store.close()
    try change("journal.sqlite", "DROP TABLE state; PRAGMA user_version = 0")
    return ["one", "two"]
  }

  @Test func `a journal of version 0 is brought up to date`() async throws {
    let texts = try await makeVersion0()
    for _ in 0..<2 {
      let store = try await folder.open()
      #expect(try await store.texts(of: .chat) == texts)
      await store.close()
    }
    let connection = try Connection(path: folder.path + "/journal.sqlite", mode: .existing)
    #expect(try connection.integer("PRAGMA user_version") == 1)
    #expect(try connection.integer("SELECT durability FROM state") == Durability.full.rawValue)
  }

  @Test func `a file whose version and tables disagree is refused`() async throws {
    _ = try await makeVersion0()
    try change("journal.sqlite", "PRAGMA user_version = 1")
    let error = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(error?.reason == .corrupt)
    try change("journal.sqlite", "PRAGMA user_version = -1")
    await #expect(throws: StorageError.self) { try await folder.open() }
  }

  @Test func `a journal of a newer version is refused with what to do`() async throws {
    await (try folder.open()).close()
    try change("journal.sqlite", "PRAGMA user_version = 7")
    let error = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(error?.reason == .newerSchema(found: 7, known: 1))
    #expect(
      error?.description == """
        journal.sqlite has version 7 and this program knows versions up to 1: a newer one wrote it. \
        Run that one, or restore a backup made before it
        """)
    try change("journal.sqlite", "PRAGMA user_version = 1")
    await (try folder.open()).close()
  }

  @Test func `a checkpoint of a newer version is refused, not replaced`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let one = Checkpoint(root: try Node.parse(#"{"a":1}"#), position: try await store.add("one", to: .chat))
    try await store.save(.chat, from: nil, to: one)
    try change("db/chat.sqlite", "PRAGMA user_version = 2")
    await #expect(throws: CommitLogError.self) { try await store.load(.chat) }
    let two = Checkpoint(root: try Node.parse(#"{"a":2}"#), position: try await store.add("two", to: .chat))
    await #expect(throws: CommitLogError.self) { try await store.save(.chat, from: one, to: two) }
    try change("db/chat.sqlite", "PRAGMA user_version = 1")
    #expect(try await store.load(.chat)?.root == one.root)
    await store.close()
  }

  @Test func `a file of another program is refused`() async throws {
    try change("journal.sqlite", "CREATE TABLE other(a)")
    let error = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(error?.description == "journal.sqlite is not a journal of this program")
    try folder.write(Array(repeating: 7, count: 5000), to: "journal.sqlite")
    let second = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(second?.reason == .corrupt)
  }
}

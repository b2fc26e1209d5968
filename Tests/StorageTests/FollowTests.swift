import Engine
import Testing

@testable import Storage

@Suite struct FollowTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func follow(
    _ store: SQLiteStore, _ database: DatabaseID, from place: LogPosition, count: Int
  ) -> Task<[String], any Error> {
    Task {
      var texts: [String] = []
      for try await entry in store.entries(of: database, after: place, follow: true) {
        texts.append(String(decoding: entry.payload, as: UTF8.self))
        if texts.count == count { break }
      }
      return texts
    }
  }

  @Test func `a follower gets what is there and then what comes`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    let first = try await store.add("one", to: .chat)
    try await store.add("two", to: .chat)
    let fromStart = follow(store, .chat, from: .start, count: 5)
    let fromFirst = follow(store, .chat, from: first, count: 4)
    for text in ["three", "four", "five"] {
      try await store.add("other", to: .shop)
      try await store.add(text, to: .chat)
    }
    #expect(try await fromStart.value == ["one", "two", "three", "four", "five"])
    #expect(try await fromFirst.value == ["two", "three", "four", "five"])
    await store.close()
  }

  @Test func `a follower that is cancelled ends`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let follower = follow(store, .chat, from: .start, count: 1)
    await Task.yield()
    follower.cancel()
    #expect(try await follower.value == [])
    await store.close()
  }

  @Test func `closing and deleting end followers with an error`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    let chat = follow(store, .chat, from: .start, count: 1)
    let shop = follow(store, .shop, from: .start, count: 1)
    try await store.delete(.shop)
    await #expect(throws: CommitLogError.io("there is no database shop")) { try await shop.value }
    await store.close()
    await #expect(throws: CommitLogError.closed) { try await chat.value }
  }

  @Test func `a place of another history or past the end is refused`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let tail = try await store.add("one", to: .chat)
    var other = tail
    other.digest.words.3 ^= 1
    await #expect(
      throws: CommitLogError.corrupt(
        "journal.sqlite: database chat: entry 1 belongs to another history (SQLite code 11)")
    ) {
      try await store.texts(of: .chat, after: other)
    }
    let past = LogPosition(epoch: 1, index: 9, digest: tail.digest, token: 9)
    await #expect(throws: CommitLogError.self) { try await store.texts(of: .chat, after: past) }
    await store.close()
  }

  @Test func `long histories come in pages`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.addAtOnce(1000, to: .chat)
    try await store.add(String(repeating: "x", count: 3_000_000), to: .chat)
    #expect(try await store.texts(of: .chat).count == 1001)
    await store.close()
  }
}

import Engine
import Testing

@testable import Storage

@Suite struct JournalTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test func `an entry is kept with its place and read again`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    #expect(try await store.tail(of: .chat) == .start)
    let first = try await store.add("one", to: .chat)
    let second = try await store.add("two", to: .chat, epoch: 7)
    #expect(first.index == 1 && first.epoch == 1)
    #expect(second.index == 2 && second.epoch == 7)
    #expect(try await store.texts(of: .chat) == ["one", "two"])
    #expect(try await store.texts(of: .chat, after: first) == ["two"])
    #expect(try await store.texts(of: .chat, after: second) == [])
    await store.close()
  }

  @Test func `the digest is the hash of the one before and of the entry`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let position = try await store.add("{}", to: .chat, epoch: 3)
    // printf of 32 zero bytes, 00…03, 00…01, 01 and {} into sha256sum.
    let hex = position.digest.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    #expect(hex == "2d5a629fa5dcdea5847e20a64c6ad4e616f298db21e4ecf28191bb354bb4ffdd")
    await store.close()
  }

  @Test func `a position that is not the tail is superseded`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let first = try await store.add("one", to: .chat, epoch: 2)
    #expect(try await store.append("late", to: .chat, after: .start) == .superseded)
    var other = first
    other.digest.words.0 ^= 1
    #expect(try await store.append("other history", to: .chat, after: other) == .superseded)
    #expect(try await store.append("old epoch", to: .chat, after: first, epoch: 1) == .superseded)
    #expect(try await store.tail(of: .chat) == first)
    #expect(try await store.texts(of: .chat) == ["one"])
    await store.close()
  }

  @Test func `appends that wait together share one commit and are answered in order`() async throws {
    let store = try await folder.open()
    let databases = (0..<20).map { DatabaseID.known("d\($0)") }
    for database in databases { try await store.create(database) }
    let answers = Answers()
    // The journal's thread is busy while these are queued.
    await store.journal.pause {
      for database in databases {
        store.append([1], kind: .writes, epoch: 1, to: database, after: .start) {
          answers.add(database.name, $0)
        }
      }
    }
    _ = try await store.tail(of: databases[0])
    while answers.all.count < databases.count { await Task.yield() }
    #expect(answers.all.map(\.tag) == databases.map(\.name))
    #expect(await store.journalCounters == JournalCounters(commits: 1, entries: 20))
    await store.close()
  }

  @Test func `entries of one database may follow each other in one commit`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let digest = [UInt8(1)].withUnsafeBytes {
      Chain.digest(after: .zero, epoch: 1, index: 1, kind: 1, payload: $0)
    }
    let first = LogPosition(epoch: 1, index: 1, digest: digest, token: 0)
    let answers = Answers()
    await store.journal.pause {
      store.append([1], kind: .writes, epoch: 1, to: .chat, after: .start) { answers.add("first", $0) }
      store.append([2], kind: .writes, epoch: 1, to: .chat, after: .start) { answers.add("same place", $0) }
      store.append([3], kind: .writes, epoch: 1, to: .chat, after: first) { answers.add("next", $0) }
    }
    while answers.all.count < 3 { await Task.yield() }
    #expect(try answers.all[1].result.get() == .superseded)
    #expect(try await store.tail(of: .chat).index == 2)
    #expect(try await store.texts(of: .chat) == ["\u{1}", "\u{3}"])
    await store.close()
  }

  @Test func `what was appended is there after closing, and after a kill`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    for number in 0..<50 {
      try await store.add("c\(number)", to: .chat)
      if number % 7 == 0 { try await store.add("s\(number)", to: .shop) }
    }
    let tail = try await store.tail(of: .chat)
    let killed = try folder.copy()
    await store.close()
    for place in [folder, killed] {
      let again = try await place.open()
      #expect(try await again.tail(of: .chat) == tail)
      #expect(try await again.texts(of: .chat) == (0..<50).map { "c\($0)" })
      #expect(try await again.texts(of: .shop).count == 8)
      #expect(await again.notices == [])
      try await again.add("more", to: .chat)
      await again.close()
    }
  }

  @Test func `a database that was never created is refused`() async throws {
    let store = try await folder.open()
    await #expect(throws: CommitLogError.io("there is no database chat")) {
      try await store.tail(of: .chat)
    }
    await #expect(throws: CommitLogError.io("there is no database chat")) {
      try await store.append("x", to: .chat, after: .start)
    }
    await store.close()
  }

  @Test func `a closed store says so`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    await store.close()
    await #expect(throws: CommitLogError.closed) { try await store.append("x", to: .chat, after: .start) }
    await #expect(throws: CommitLogError.closed) { try await store.tail(of: .chat) }
    await #expect(throws: CommitLogError.closed) { try await store.texts(of: .chat) }
  }
}

extension Journal {
  /// Does something while the journal's thread does nothing else.
  func pause(_ work: @Sendable () -> Void) { work() }
}

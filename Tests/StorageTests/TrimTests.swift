import Engine
import Testing

@testable import Storage

@Suite struct TrimTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func add(_ count: Int, to database: DatabaseID, in store: SQLiteStore) async throws {
    for number in 0..<count { try await store.add("\(database) \(number)", to: database) }
  }

  @Test func `trimming forgets entries below an index and keeps the rest`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    try await add(10, to: .chat, in: store)
    try await add(3, to: .shop, in: store)
    var place = LogPosition.start
    for try await entry in store.entries(of: .chat, after: .start, follow: false)
    where entry.position.index == 4 {
      place = entry.position
    }
    try await store.trim(.chat, below: 5)
    #expect(try await store.texts(of: .chat, after: place).first == "chat 4")
    await #expect(throws: CommitLogError.self) { try await store.texts(of: .chat) }
    try await store.trim(.chat, below: 2)
    #expect(try await store.texts(of: .chat, after: place).count == 6)
    #expect(try await store.texts(of: .shop).count == 3)
    await store.close()
    let again = try await folder.open()
    #expect(await again.notices == [])
    #expect(try await again.texts(of: .chat, after: place).count == 6)
    try await again.add("more", to: .chat)
    await again.close()
  }

  @Test func `the last entry is always kept`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.trim(.chat, below: .max)
    try await add(3, to: .chat, in: store)
    try await store.trim(.chat, below: .max)
    let tail = try await store.tail(of: .chat)
    #expect(tail.index == 3)
    await store.close()
    let again = try await folder.open()
    #expect(try await again.tail(of: .chat) == tail)
    #expect(try await again.journal.keptEntries(of: .chat) == 1)
    try await again.add("more", to: .chat)
    await again.close()
  }

  @Test func `more entries than fit one slice go while appends go on`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    try await store.create(.shop)
    try await store.addAtOnce(1300, to: .chat)
    async let trimmed: Void = store.trim(.chat, below: 1300)
    try await add(20, to: .shop, in: store)
    try await trimmed
    #expect(try await store.journal.keptEntries(of: .chat) == 1)
    #expect(try await store.texts(of: .shop).count == 20)
    await store.close()
  }

  @Test func `large entries go too, a few at a time, and the rest can still be followed`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    for number in 0..<120 {
      try await store.add("\(number) " + String(repeating: "x", count: 60_000), to: .chat)
    }
    try await store.trim(.chat, below: 100)
    #expect(try await store.journal.keptEntries(of: .chat) == 21)
    await store.close()
    let again = try await folder.open()
    #expect(await again.notices == [])
    #expect(try await again.journal.keptEntries(of: .chat) == 21)
    try await again.add("more", to: .chat)
    await again.close()
  }

  /// Starts a trim, and waits until it rests between two slices.
  private func resting(_ store: SQLiteStore) async throws -> Task<Result<Void, CommitLogError>, Never> {
    try await store.addAtOnce(1300, to: .chat)
    let trim = Task { () -> Result<Void, CommitLogError> in
      do throws(CommitLogError) { return .success(try await store.trim(.chat, below: 1300)) } catch {
        return .failure(error)
      }
    }
    // It may also be over by now, on a machine that is slow to look.
    for _ in 0..<1000 {
      if await !store.journal.resting.isEmpty { break }
      try await Task.sleep(for: .microseconds(100))
    }
    return trim
  }

  @Test func `a trim that rests ends when the journal is closed`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    let trim = try await resting(store)
    await store.close()
    if case .failure(let error) = await trim.value { #expect(error == .closed) }
    let again = try await folder.open()
    #expect(await again.notices == [])
    #expect(try await again.journal.keptEntries(of: .chat) < 1300)
    try await again.add("more", to: .chat)
    await again.close()
  }

  @Test func `a trim does not go on with another database of the same name`() async throws {
    for _ in 0..<10 {
      let store = try await folder.open(durability: .relaxed)
      try await store.create(.chat)
      let trim = try await resting(store)
      try await store.delete(.chat)
      try await store.create(.chat)
      try await add(5, to: .chat, in: store)
      _ = await trim.value
      #expect(try await store.journal.trimIndex(of: .chat) == 0)
      #expect(try await store.texts(of: .chat).count == 5)
      try await store.delete(.chat)
      await store.close()
    }
  }

  @Test func `the file does not grow while entries come and go`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    try await store.create(.shop)
    try await store.add("idle", to: .shop)
    var sizes: [Int] = []
    for _ in 0..<12 {
      for _ in 0..<20 { try await store.add(String(repeating: "x", count: 20_000), to: .chat) }
      try await store.trim(.chat, below: .max)
      try await store.journal.synchronize()
      sizes.append(try folder.size(of: "journal.sqlite"))
    }
    #expect(sizes[11] <= sizes[2], "\(sizes)")
    #expect(try await store.texts(of: .shop) == ["idle"])
    await store.close()
  }
}

extension Journal {
  func keptEntries(of database: DatabaseID) throws -> Int {
    try track(of: database).1.rows.count
  }

  func trimIndex(of database: DatabaseID) throws -> UInt64 {
    try track(of: database).1.trimIndex
  }
}

extension SQLiteStore {
  /// Appends many entries to a database in one commit.
  func addAtOnce(_ count: Int, to database: DatabaseID) async throws {
    var places = [try await tail(of: database)]
    for number in 0..<count {
      let last = places[number]
      let digest = withUnsafeBytes(of: UInt8(1)) {
        Chain.digest(after: last.digest, epoch: 1, index: last.index + 1, kind: 1, payload: $0)
      }
      places.append(LogPosition(epoch: 1, index: last.index + 1, digest: digest, token: 0))
    }
    let answers = Answers()
    let all = places
    await journal.pause {
      for place in all.dropLast() {
        append([1], kind: .writes, epoch: 1, to: database, after: place) { answers.add("", $0) }
      }
    }
    while answers.all.count < count { await Task.yield() }
    _ = try answers.all.map { try $0.result.get() }
  }
}

import Engine
import TestSupport
import Foundation
import JSONTree
import Testing

@testable import Storage

/// A folder with three databases, some entries trimmed, some large, and what must be read back.
private struct Sample {
  let folder: TemporaryFolder
  /// Every state's text by index, for each database.
  private(set) var texts: [DatabaseID: [String]] = [:]
  private(set) var saved: [DatabaseID: Int] = [:]
  /// Entries of the newest commit, for each database.
  private(set) var lastCommit: DatabaseID

  static let databases = ["chat", "shop", "game"].map(DatabaseID.known)

  /// The state after an entry is known from the entry alone: `{"n":index,"t":text}`.
  static func root(_ text: String, _ index: Int) -> Node {
    let rows = (0..<40).map { (ChildKey(unchecked: "k\($0)"), Node(Int64(index * $0))) }
    return Node(children: [
      (ChildKey(unchecked: "t"), Node(text)), (ChildKey(unchecked: "rows"), Node(children: rows)),
    ])
  }

  /// `isOpen` leaves the write-ahead log in place, as a kill does.
  init(seed: UInt64, isOpen: Bool) async throws {
    var random = SeededNumbers(seed: seed)
    let folder = try TemporaryFolder()
    let store = try await folder.open()
    lastCommit = Self.databases[0]
    var last: [DatabaseID: Checkpoint] = [:]
    for database in Self.databases {
      try await store.create(database)
      texts[database] = []
    }
    for step in 0..<60 {
      let database = Self.databases[random.below(3)]
      let size = random.below(8) == 0 ? 12_000 : random.below(200)
      let text = "\(step) " + String(repeating: "x", count: size)
      let place = try await store.add(text, to: database)
      lastCommit = database
      texts[database]?.append(text)
      guard random.below(6) == 0 else { continue }
      let next = Checkpoint(root: Self.root(text, Int(place.index)), position: place)
      try await store.save(database, from: last[database], to: next)
      last[database] = next
      saved[database] = Int(place.index)
      if random.below(2) == 0 { try await store.trim(database, below: place.index) }
    }
    self.folder = isOpen ? try folder.copy() : folder
    await store.close()
  }

  enum Finding: Equatable { case same, refused(String), different(String) }

  /// Opens a copy and compares what it serves.
  func finding(in copy: TemporaryFolder, losingLast: Bool = false) async -> Finding {
    do {
      let store = try await copy.open()
      do {
        let notices = await store.notices
        for database in Self.databases {
          let result = try await compare(database, in: store, mayLose: losingLast && !notices.isEmpty)
          if result != .same {
            await store.close()
            return result
          }
        }
        try await use(store)
        await store.close()
      } catch {
        await store.close()
        throw error
      }
      return .same
    } catch let error as StorageError {
      switch error.reason {
      case .corrupt, .newerSchema: return .refused(error.description)
      default: return .different("\(error)")
      }
    } catch CommitLogError.corrupt(let text) {
      return .refused(text)
    } catch CommitLogError.io(let text) where text.contains("has version") {
      // The flipped bit is one of the version's: that is named too.
      return .refused(text)
    } catch {
      return .different("\(error)")
    }
  }

  private func compare(
    _ database: DatabaseID, in store: SQLiteStore, mayLose: Bool
  ) async throws -> Finding {
    let expected = texts[database] ?? []
    let checkpoint = try await store.load(database)
    let start = Int(checkpoint?.position.index ?? 0)
    guard start == saved[database] ?? 0 else { return .different("\(database): checkpoint at \(start)") }
    if let checkpoint, checkpoint.root != Self.root(expected[start - 1], start) {
      return .different("\(database): checkpoint \(checkpoint.root)")
    }
    let found = try await store.texts(of: database, after: checkpoint?.position ?? .start)
    let wanted = Array(expected[start...])
    if found == wanted { return .same }
    if mayLose, database == lastCommit, found == wanted.dropLast() { return .same }
    return .different("\(database): \(found.count) entries after \(start), not \(wanted.count)")
  }

  /// Damage in space that is free shows when it is used: then, too, nothing that was there may suffer.
  private func use(_ store: SQLiteStore) async throws {
    for database in Self.databases {
      let checkpoint = try await store.load(database)
      let before = try await store.texts(of: database, after: checkpoint?.position ?? .start)
      let place = try await store.add(String(repeating: "y", count: 9000), to: database)
      guard
        try await store.texts(of: database, after: checkpoint?.position ?? .start).dropLast() == before[...]
      else { throw CommitLogError.io("\(database): entries changed by an append") }
      let next = Checkpoint(root: Self.root("next", 1000), position: place)
      try await store.save(database, from: checkpoint, to: next)
      guard try await store.load(database)?.root == next.root else {
        throw CommitLogError.io("\(database): a save went wrong")
      }
    }
  }
}

@Suite(.serialized) struct DamageTests {
  private static let files = ["journal.sqlite", "db/chat.sqlite", "db/shop.sqlite", "db/game.sqlite"]

  /// How often each kind of damage is tried: more in a soak.
  private static let rounds = ProcessInfo.processInfo.environment["SOAK"] == nil ? 80 : 3000

  @Test func `a flipped bit in a file is found or does no harm`() async throws {
    let seed = UInt64.random(in: 0...UInt64(UInt32.max))
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let sample = try await Sample(seed: seed, isOpen: false)
    #expect(await sample.finding(in: try sample.folder.copy()) == .same)
    var refused = 0
    for round in 0..<Self.rounds {
      let file = Self.files[random.below(3) == 0 ? 1 + random.below(3) : 0]
      guard sample.folder.exists(file) else { continue }
      let copy = try sample.folder.copy()
      var bytes = try copy.bytes(of: file)
      // Every second time in the first page, where the file's own description is.
      let offset = random.below(random.below(4) == 0 ? 4096 : bytes.count)
      let bit = UInt8(1) << UInt8(random.below(8))
      bytes[offset] ^= bit
      try copy.write(bytes, to: file)
      let finding = await sample.finding(in: copy)
      if case .refused(let text) = finding {
        refused += 1
        #expect(text.contains(".sqlite"), "\(text)")
      } else {
        #expect(finding == .same, "seed \(seed), round \(round): \(file), byte \(offset), bit \(bit)")
      }
    }
    print("\(refused) of \(Self.rounds) refused")
    #expect(refused > 0)
  }

  @Test func `a flipped bit in the write-ahead log is found, unless it may be a commit that was cut short`()
    async throws
  {
    let seed = UInt64.random(in: 0...UInt64(UInt32.max))
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let sample = try await Sample(seed: seed, isOpen: true)
    #expect(await sample.finding(in: try sample.folder.copy()) == .same)
    for round in 0..<Self.rounds {
      let copy = try sample.folder.copy()
      var bytes = try copy.bytes(of: "journal.sqlite-wal")
      let offset = random.below(random.below(8) == 0 ? 200 : bytes.count)
      let bit = UInt8(1) << UInt8(random.below(8))
      bytes[offset] ^= bit
      try copy.write(bytes, to: "journal.sqlite-wal")
      let finding = await sample.finding(in: copy, losingLast: true)
      if case .refused = finding { continue }
      #expect(finding == .same, "seed \(seed), round \(round): byte \(offset), bit \(bit)")
    }
  }

  @Test func `a write-ahead log that ends early gives what came before, or is found out by a checkpoint`()
    async throws
  {
    let seed = UInt64.random(in: 0...UInt64(UInt32.max))
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let sample = try await Sample(seed: seed, isOpen: true)
    for round in 0..<(Self.rounds / 2) {
      let copy = try sample.folder.copy()
      let bytes = try copy.bytes(of: "journal.sqlite-wal")
      try copy.write(Array(bytes[..<random.below(bytes.count)]), to: "journal.sqlite-wal")
      guard let store = try? await copy.open() else { continue }
      for database in Sample.databases {
        guard let checkpoint = try? await store.load(database) else { continue }
        let found = try await store.texts(of: database, after: checkpoint.position)
        let expected = sample.texts[database]?[Int(checkpoint.position.index)...] ?? []
        #expect(expected.starts(with: found), "seed \(seed), round \(round)")
      }
      await store.close()
    }
  }

  @Test func `a damaged entry puts its database out of service and no other`() async throws {
    let folder = try TemporaryFolder()
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    try await store.add("one", to: .chat)
    let chat = try await store.add("a text to be found", to: .chat)
    try await store.add("three", to: .chat)
    try await store.add("of the shop", to: .shop)
    await store.close()
    var bytes = try folder.bytes(of: "journal.sqlite")
    let place = try #require(bytes.firstRange(of: Array("a text to be found".utf8)))
    bytes[place.lowerBound] ^= 4
    try folder.write(bytes, to: "journal.sqlite")
    let again = try await folder.open()
    let text = "journal.sqlite: database chat: entry 2 in row 2 does not follow from the one before"
    #expect(await again.notices == [text])
    await #expect(throws: CommitLogError.corrupt(text)) { try await again.tail(of: .chat) }
    await #expect(throws: CommitLogError.corrupt(text)) { try await again.load(.chat) }
    await #expect(throws: CommitLogError.corrupt(text)) { try await again.texts(of: .chat) }
    await #expect(throws: CommitLogError.corrupt(text)) {
      try await again.append("x", to: .chat, after: chat)
    }
    try await again.add("more", to: .shop)
    #expect(try await again.texts(of: .shop) == ["of the shop", "more"])
    await again.close()
  }

  @Test func `a damaged row of a checkpoint is named`() async throws {
    let folder = try TemporaryFolder()
    let store = try await folder.open()
    try await store.create(.chat)
    let place = try await store.add("one", to: .chat)
    let root = try Node.parse(#"{"data":{"rooms":{"r1":{"topic":"a text to be found"}}}}"#)
    try await store.save(.chat, from: nil, to: Checkpoint(root: root, position: place))
    var bytes = try folder.bytes(of: "db/chat.sqlite")
    let range = try #require(bytes.firstRange(of: Array("text to be".utf8)))
    bytes[range.lowerBound] ^= 1
    try folder.write(bytes, to: "db/chat.sqlite")
    let error = await #expect(throws: CommitLogError.self) { try await store.load(.chat) }
    guard case .corrupt(let text)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Where blocks begin depends on the file's salt: the one child may begin a block of its own.
    let places = ["''", "'topic'"].map { "chat.sqlite: the row of /data/rooms/r1, block \($0)" }
    #expect(places.contains { text.contains($0) }, "\(text)")
    await store.close()
  }
}

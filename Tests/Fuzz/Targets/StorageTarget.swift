import Engine
import JSONTree
import NIOCore
import NIOPosix
import Storage

extension FuzzTarget {
  /// A data folder whose files have changed behind the server's back: what is wrong is found, or it is
  /// harmless, but it is never served.
  ///
  /// Every five bytes are a change: which file, where (three bytes), and what is mixed into the byte there.
  /// The first byte of all says whether the folder is one that was closed or one whose process was killed.
  static let storage = FuzzTarget("storage") { bytes in
    guard let first = bytes.first else { return }
    let sample = try first & 1 == 0 ? StoredSample.closed.get() : StoredSample.killed.get()
    let folder = try ScratchFolder(sample.files)
    for at in stride(from: 1, to: min(bytes.count - 4, 200), by: 5) {
      let place = Int(bytes[at + 1]) << 16 | Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      try folder.mix(bytes[at + 4], into: Int(bytes[at]), at: place)
    }
    try InThread.wait { try await sample.check(folder.path, isChanged: bytes.count > 5) }
  }
}

/// What was stored, and its files.
private struct StoredSample: Sendable {
  var files: [(name: String, bytes: [UInt8])] = []
  /// The entries' payloads by database.
  var texts: [DatabaseID: [String]] = [:]
  var checkpoints: [DatabaseID: Checkpoint] = [:]
  /// Whose entry was the last: a commit that a crash may have cut short.
  var last: DatabaseID?

  static let closed = Result { try InThread.wait { try await StoredSample(isClosed: true) } }
  static let killed = Result { try InThread.wait { try await StoredSample(isClosed: false) } }

  private static let loops = Array(MultiThreadedEventLoopGroup(numberOfThreads: 2).makeIterator())

  static func open(_ folder: String) async throws -> SQLiteStore {
    try await SQLiteStore.open(
      folder: folder, durability: .full, journalLoop: loops[0], checkpointLoop: loops[1])
  }

  private init(isClosed: Bool) async throws {
    let folder = try ScratchFolder([])
    let store = try await Self.open(folder.path)
    let databases = [try DatabaseID("chat"), try DatabaseID("shop")]
    for database in databases { try await store.create(database) }
    for step in 0..<24 {
      let database = databases[step % 3 == 0 ? 1 : 0]
      let text = "entry \(step) " + String(repeating: "x", count: step == 7 ? 9000 : step * 5)
      let position = try await Self.append(text, to: database, store)
      texts[database, default: []].append(text)
      last = database
      guard step % 8 == 5 else { continue }
      let rows = (0..<20).map { (ChildKey(unchecked: "k\($0)"), Node(Int64(step * $0))) }
      let root = Node(children: [
        (ChildKey(unchecked: "t"), Node(text)), (ChildKey(unchecked: "r"), Node(children: rows)),
      ])
      let next = Checkpoint(root: root, position: position)
      try await store.save(database, from: checkpoints[database], to: next)
      checkpoints[database] = next
      try await store.trim(database, below: max(position.index, 2) - 1)
    }
    if isClosed { await store.close() }
    files = try folder.files()
    if !isClosed { await store.close() }
  }

  private static func append(
    _ text: String, to database: DatabaseID, _ store: SQLiteStore
  ) async throws -> LogPosition {
    let tail = try await store.tail(of: database)
    let result: Result<AppendResult, CommitLogError> = await withCheckedContinuation { continuation in
      store.append(Array(text.utf8), kind: .writes, epoch: 1, to: database, after: tail) {
        continuation.resume(returning: $0)
      }
    }
    guard case .committed(let position) = try result.get() else { throw Finding("superseded") }
    return position
  }

  /// Opens the folder and looks whether all that is served is what was stored.
  func check(_ path: String, isChanged: Bool) async throws {
    let store: SQLiteStore
    do {
      store = try await Self.open(path)
    } catch {
      return try Finding.check(isChanged, "an unchanged folder is refused: \(error)")
    }
    var found: (any Error)?
    do {
      let notices = await store.notices
      for (database, texts) in texts { try await check(database, texts, store, !notices.isEmpty, isChanged) }
    } catch {
      found = error
    }
    await store.close()
    if let found { throw found }
  }

  private func check(
    _ database: DatabaseID, _ texts: [String], _ store: SQLiteStore, _ isToldOf: Bool, _ isChanged: Bool
  ) async throws {
    do {
      let checkpoint = try await store.load(database)
      let expected = checkpoints[database]
      try Finding.check(
        checkpoint?.root == expected?.root && checkpoint?.position == expected?.position,
        "\(database.name): another checkpoint is served")
      var served: [String] = []
      let after = checkpoint?.position ?? .start
      for try await entry in store.entries(of: database, after: after, follow: false) {
        served.append(String(decoding: entry.payload, as: UTF8.self))
      }
      let rest = Array(texts[Int(after.index)...])
      if served == rest || isToldOf && database == last && served == rest.dropLast() { return }
      throw Finding("\(database.name): \(served.count) entries are served, not \(rest.count)")
    } catch let error as CommitLogError {
      try Finding.check(isChanged, "\(database.name) is unchanged and refused: \(error)")
    }
  }
}

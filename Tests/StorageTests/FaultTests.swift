import CSQLite
import Engine
import Synchronization
import Testing

@testable import Storage

/// Makes steps of the journal fail while it is switched on.
final class Faults: Sendable {
  private struct Fault {
    var point: FaultPoint
    var code: Int32
    /// How many times the point is passed before it fails.
    var passes: Int
  }
  private let fault = Mutex<Fault?>(nil)

  func set(_ point: FaultPoint, _ code: Int32, after passes: Int = 0) {
    fault.withLock { $0 = Fault(point: point, code: code, passes: passes) }
  }

  func clear() {
    fault.withLock { $0 = nil }
  }

  func code(at point: FaultPoint) -> Int32? {
    fault.withLock { fault in
      guard let active = fault, active.point == point else { return nil }
      if active.passes == 0 { return active.code }
      fault?.passes -= 1
      return nil
    }
  }
}

@Suite struct FaultTests {
  let folder: TemporaryFolder
  let faults = Faults()

  private static let syncFailed: Int32 = SQLITE_IOERR | (4 << 8)

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open() async throws -> SQLiteStore {
    let store = try await folder.open(faults: faults.code)
    try await store.create(.chat)
    try await store.create(.shop)
    return store
  }

  @Test func `a full disk fails the append and the next one tries again`() async throws {
    let store = try await open()
    let tail = try await store.add("one", to: .chat)
    try await store.journal.limitPages(by: 4)
    let long = String(repeating: "x", count: 100_000)
    for _ in 0..<3 {
      await #expect(
        throws: CommitLogError.diskFull("journal.sqlite: database or disk is full (SQLite code 13)")
      ) {
        try await store.append(long, to: .chat, after: tail)
      }
      #expect(try await store.tail(of: .chat) == tail)
      #expect(try await store.texts(of: .chat) == ["one"])
    }
    try await store.journal.limitPages(by: 10_000)
    try await store.add(long, to: .chat)
    await store.close()
    let again = try await folder.open()
    #expect(try await again.texts(of: .chat) == ["one", long])
    await again.close()
  }

  @Test(arguments: [FaultPoint.begin, .insert, .commit])
  func `an error fails every append of the batch and nothing is half-written`(point: FaultPoint) async throws
  {
    let store = try await open()
    let chat = try await store.add("one", to: .chat)
    // The first insert goes well.
    faults.set(point, SQLITE_IOERR | (3 << 8), after: point == .insert ? 1 : 0)
    let answers = Answers()
    await store.journal.pause {
      store.append([1], kind: .writes, epoch: 1, to: .shop, after: .start) { answers.add("shop", $0) }
      store.append([2], kind: .writes, epoch: 1, to: .chat, after: chat) { answers.add("chat", $0) }
    }
    while answers.all.count < 2 { await Task.yield() }
    faults.clear()
    for answer in answers.all {
      guard case .failure(.io) = answer.result else {
        Issue.record("\(answer.tag) was told \(answer.result)")
        continue
      }
    }
    #expect(try await store.tail(of: .chat) == chat)
    #expect(try await store.tail(of: .shop) == .start)
    try await store.add("two", to: .chat)
    try await store.add("three", to: .shop)
    let killed = try folder.copy()
    await store.close()
    let again = try await killed.open()
    #expect(await again.notices == [])
    #expect(try await again.texts(of: .chat) == ["one", "two"])
    #expect(try await again.texts(of: .shop) == ["three"])
    await again.close()
  }

  @Test func `a failed sync leaves the outcome open and the tail says what became of it`() async throws {
    let store = try await open()
    let first = try await store.add("one", to: .chat)
    faults.set(.commit, Self.syncFailed)
    await #expect(performing: { try await store.append("two", to: .chat, after: first) }, throws: isUnknown)
    faults.clear()
    #expect(try await store.tail(of: .chat) == first)
    faults.set(.committed, Self.syncFailed)
    await #expect(performing: { try await store.append("two", to: .chat, after: first) }, throws: isUnknown)
    faults.clear()
    let second = try await store.tail(of: .chat)
    #expect(second.index == 2)
    #expect(try await store.texts(of: .chat) == ["one", "two"])
    try await store.add("three", to: .chat)
    await store.close()
    let again = try await folder.open()
    #expect(try await again.texts(of: .chat) == ["one", "two", "three"])
    await again.close()
  }

  @Test func `many failed commits in a row never pass for damage`() async throws {
    let store = try await open()
    var count = 0
    for round in 0..<30 {
      if round % 3 != 2 { faults.set(round % 2 == 0 ? .commit : .insert, Self.syncFailed) }
      let text = String(repeating: "\(round) ", count: 3000 - 90 * round)
      if (try? await store.add(text, to: .chat)) != nil { count += 1 }
      faults.clear()
      let killed = try folder.copy()
      let again = try await killed.open()
      #expect(try await again.texts(of: .chat).count == count)
      await again.close()
    }
    #expect(count == 10)
    await store.close()
  }

  private func isUnknown(_ error: any Error) -> Bool {
    guard case .outcomeUnknown? = error as? CommitLogError else { return false }
    return true
  }
}

extension Journal {
  /// Lets the file grow by some pages and no further.
  func limitPages(by count: Int64) throws {
    let connection = try openFile()
    let pages = try connection.connection.integer("PRAGMA page_count") ?? 0
    try connection.connection.execute("PRAGMA max_page_count = \(pages + count)")
  }
}

import CSQLite
import Engine
import Foundation
import JSONTree
import Testing

@testable import Storage

@Suite struct FolderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func checkpoint(_ text: String, at place: LogPosition) throws -> Checkpoint {
    Checkpoint(root: try Node.parse(text), position: place)
  }

  @Test func `a folder in use is refused with the process that has it`() async throws {
    let store = try await folder.open()
    let process = Int(ProcessInfo.processInfo.processIdentifier)
    let error = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(error?.reason == .inUse(process: process))
    #expect(error?.description.contains("in use by process \(process)") == true)
    await store.close()
    await (try folder.open()).close()
  }

  #if os(Linux)
    /// As a child has it between fork and exec, when some other part of the process starts a command.
    @Test func `a folder is free once it is closed, whoever still has the lock's descriptor`() async throws {
      let store = try await folder.open()
      let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        return link == folder.path + "/lock"
      }
      let copies = descriptors.compactMap(Int32.init).map { dup($0) }
      defer { for copy in copies { close(copy) } }
      #expect(copies.count == 1)
      await store.close()
      await (try folder.open()).close()
    }
  #endif

  @Test func `databases are created, listed and deleted`() async throws {
    let store = try await folder.open()
    #expect(try await store.list() == [])
    try await store.create(.chat)
    try await store.create(.shop)
    try await store.create(.chat)
    #expect(try await Set(store.list()) == [.chat, .shop])
    let place = try await store.add("one", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    try await store.delete(.chat)
    try await store.delete(.chat)
    #expect(try await !store.exists(.chat))
    #expect(try await store.exists(.shop))
    #expect(!folder.exists("db/chat.sqlite"))
    await #expect(throws: CommitLogError.self) {
      try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    }
    #expect(!folder.exists("db/chat.sqlite"))
    try await store.create(.chat)
    #expect(try await store.tail(of: .chat) == .start)
    #expect(try await store.load(.chat) == nil)
    let again = try await store.add("anew", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":2}"#, at: again))
    await store.close()
    let reopened = try await folder.open()
    #expect(try await Set(reopened.list()) == [.chat, .shop])
    #expect(try await reopened.texts(of: .chat) == ["anew"])
    await reopened.close()
  }

  @Test func `a deletion that a crash interrupts is finished at the next opening`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    try await store.create(.shop)
    let place = try await store.add("one", to: .chat)
    try await store.add("two", to: .shop)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    _ = try await store.journal.markDeleted(.chat)
    let killed = try folder.copy()
    await store.close()
    let again = try await killed.open()
    #expect(try await again.list() == [.shop])
    #expect(!killed.exists("db/chat.sqlite"))
    #expect(try await again.texts(of: .shop) == ["two"])
    try await again.create(.chat)
    #expect(try await again.tail(of: .chat) == .start)
    await again.close()
  }

  @Test func `a journal that is gone does not pass for a new one`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let place = try await store.add("one", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    await store.close()
    try FileManager.default.removeItem(atPath: folder.path + "/journal.sqlite")
    let error = await #expect(throws: StorageError.self) { try await folder.open() }
    #expect(error?.reason == .corrupt)
    // The attempt must not make the next one succeed.
    await #expect(throws: StorageError.self) { try await folder.open() }
  }

  @Test func `a checkpoint that is gone or of another time is refused`() async throws {
    let store = try await folder.open()
    try await store.create(.chat)
    let first = try await store.add("one", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: first))
    let early = try folder.bytes(of: "db/chat.sqlite")
    try await store.add("two", to: .chat)
    let third = try await store.add("three", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":3}"#, at: third))
    try await store.trim(.chat, below: 3)
    let late = try folder.bytes(of: "db/chat.sqlite")
    await store.close()
    for bytes in [early, nil] {
      if let bytes {
        try folder.write(bytes, to: "db/chat.sqlite")
      } else {
        try FileManager.default.removeItem(atPath: folder.path + "/db/chat.sqlite")
      }
      let again = try await folder.open()
      let error = await #expect(throws: CommitLogError.self) { try await again.load(.chat) }
      guard case .corrupt(let text)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(text.contains("db/chat.sqlite"))
      await again.close()
    }
    try folder.write(late, to: "db/chat.sqlite")
    let again = try await folder.open()
    #expect(try await again.load(.chat)?.position == third)
    await again.close()
  }

  @Test func `a relaxed journal is on disk before a checkpoint of it`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    let place = try await store.add("one", to: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    let killed = try folder.copy()
    await store.close()
    // What was never synced is gone with the power.
    try killed.write([], to: "journal.sqlite-wal")
    let again = try await killed.open()
    #expect(try await again.load(.chat)?.position == place)
    await again.close()
  }

  @Test func `a backup taken while writes go on is a folder that opens`() async throws {
    let store = try await folder.open(durability: .relaxed)
    try await store.create(.chat)
    try await store.create(.shop)
    for number in 0..<40 {
      try await store.add("\(number) " + String(repeating: "x", count: 9000), to: .chat)
    }
    let place = try await store.tail(of: .chat)
    try await store.save(.chat, from: nil, to: checkpoint(#"{"a":1}"#, at: place))
    try await store.trim(.chat, below: 30)
    let target = folder.path + "/it's a backup"
    async let backup: Void = store.backup(to: target)
    for number in 0..<40 { try await store.add("more \(number)", to: .shop) }
    try await backup
    await #expect(throws: StorageError.self) { try await store.backup(to: target) }
    await store.close()
    let copy = try TemporaryFolder()
    try FileManager.default.removeItem(atPath: copy.path)
    try FileManager.default.moveItem(atPath: target, toPath: copy.path)
    let again = try await copy.open()
    #expect(await again.notices == [])
    #expect(try await again.load(.chat)?.position == place)
    let found = try await again.texts(of: .shop)
    #expect((0..<40).map { "more \($0)" }.starts(with: found))
    try await again.add("on", to: .chat)
    await again.close()
  }
}

import Engine
import Foundation
import Testing

@testable import Storage

/// Damage in the write-ahead log of a killed folder that must not pass for a commit that was cut short.
struct WriteAheadLogTests {
  private static let name = "journal.sqlite-wal"
  private static let texts = (1...7).map { "entry \($0)" }

  /// A folder as a kill leaves it, with seven commits of one entry each.
  private func killed() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let store = try await folder.open()
    try await store.create(.chat)
    for text in Self.texts { try await store.add(text, to: .chat) }
    let copy = try folder.copy()
    await store.close()
    return copy
  }

  /// Where each frame that ends a transaction begins.
  private func commits(_ bytes: [UInt8]) -> [Int] {
    let pageBytes = Int(bytes[8]) << 24 | Int(bytes[9]) << 16 | Int(bytes[10]) << 8 | Int(bytes[11])
    return stride(from: 32, to: bytes.count, by: 24 + pageBytes).filter { offset in
      bytes[(offset + 4)..<(offset + 8)].contains { $0 != 0 }
    }
  }

  /// What is served after the log was changed; nil when the folder is refused as damaged.
  private func served(_ change: (inout [UInt8], [Int]) -> Void) async throws -> [String]? {
    let folder = try await killed()
    var bytes = try folder.bytes(of: Self.name)
    let places = commits(bytes)
    #expect(places.count >= Self.texts.count)
    change(&bytes, places)
    try folder.write(bytes, to: Self.name)
    do {
      let store = try await folder.open()
      defer { Task { await store.close() } }
      return try await store.texts(of: .chat)
    } catch {
      #expect(error is StorageError && "\(error)".contains(Self.name), "\(error)")
      return nil
    }
  }

  /// The mark of a commit is the size of the file in pages: 0 says that a frame ends no transaction.
  private static func unmark(_ bytes: inout [UInt8], _ frame: Int) {
    for offset in 4..<8 { bytes[frame + offset] = 0 }
  }

  @Test func `an unchanged log gives every entry`() async throws {
    #expect(try await served { _, _ in } == Self.texts)
  }

  @Test func `a commit that was cut short is dropped, and only that`() async throws {
    let kept = try await served { bytes, places in bytes[places[places.count - 1] + 100] ^= 1 }
    #expect(kept == Self.texts.dropLast())
    let torn = try await served { bytes, places in
      bytes.replaceSubrange((places[places.count - 1] + 512)..., with: [])
    }
    #expect(torn == Self.texts.dropLast())
  }

  @Test func `a commit before the last one whose mark is gone is damage`() async throws {
    #expect(try await served { Self.unmark(&$0, $1[$1.count - 2]) } == nil)
    #expect(try await served { Self.unmark(&$0, $1[$1.count - 3]) } == nil)
  }

  @Test func `two changes can't make two commits look like one`() async throws {
    // The last commit's mark is gone, and the one before can't be read.
    #expect(
      try await served { bytes, places in
        bytes[places[places.count - 2] + 100] ^= 1
        Self.unmark(&bytes, places[places.count - 1])
      } == nil)
    // The last commit's salts say that it is of another generation.
    #expect(
      try await served { bytes, places in
        bytes[places[places.count - 2] + 100] ^= 1
        bytes[places[places.count - 1] + 13] ^= 8
      } == nil)
    // So do the salts of both.
    #expect(
      try await served { bytes, places in
        bytes[places[places.count - 2] + 8] ^= 1
        bytes[places[places.count - 1] + 15] ^= 1
      } == nil)
  }

  @Test func `frames of an older generation behind a commit that was cut short are no damage`() async throws {
    let folder = try TemporaryFolder()
    let store = try await folder.open(durability: .full)
    try await store.create(.chat)
    for number in 0..<40 {
      try await store.add("early \(number) " + String(repeating: "x", count: 5000), to: .chat)
    }
    // Moved into the file: the next commit begins the log anew, in front of what was there.
    try await store.journal.synchronize()
    for text in Self.texts { try await store.add(text, to: .chat) }
    let killed = try folder.copy()
    await store.close()
    var bytes = try killed.bytes(of: Self.name)
    let frames = try #require(try WriteAheadLog.inspect(killed.path + "/" + Self.name))
    #expect(frames.soundFrames > 0 && frames.lostFrames == 0)
    #expect(bytes.count > 32 + (frames.soundFrames + 20) * (24 + 4096))
    let last = 32 + (frames.soundFrames - 1) * (24 + 4096)
    bytes[last + 200] ^= 1
    try killed.write(bytes, to: Self.name)
    let again = try await killed.open()
    #expect(try await again.texts(of: .chat).suffix(6) == Self.texts.dropLast()[...])
    #expect(await again.notices.count == 1)
    await again.close()
  }
}

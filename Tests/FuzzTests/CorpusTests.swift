import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What the fuzzers start from and what they have found, tried again. `make fuzz` looks for more.
struct CorpusTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpora/fuzz")

  private static func files(_ name: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appending(path: name), includingPropertiesForKeys: nil
    )
    .sorted { $0.path < $1.path }
  }

  /// In a thread of its own: some targets wait for other threads, which those of the tests must not.
  private static func check(_ target: FuzzTarget, _ bytes: [UInt8]) async throws {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try target.check(bytes) }) }
    }
  }

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `every case of the corpus passes`(name: String) async throws {
    let target = try #require(FuzzTarget.named(name))
    let files = try Self.files(name)
    #expect(!files.isEmpty, "no corpus for \(name)")
    for file in files {
      let bytes = [UInt8](try Data(contentsOf: file))
      do {
        try await Self.check(target, bytes)
      } catch {
        Issue.record("\(name)/\(file.lastPathComponent): \(error)")
      }
    }
  }

  /// Cases changed here and there: a little of what the fuzzers do, in every test run. The same changes each
  /// time, but for `make soak`: looking for what is new is the fuzzers' work.
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `cases that are changed a little pass`(name: String) async throws {
    let target = try #require(FuzzTarget.named(name))
    let isSoak = ProcessInfo.processInfo.environment["SOAK"] != nil
    let seed = isSoak ? UInt64.random(in: 0..<1_000_000) : 1
    var random = SeededNumbers(seed: seed)
    let files = try Self.files(name)
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .seconds(isSoak ? 60 : 1),
      let file = files.randomElement(using: &random)
    {
      var bytes = [UInt8](try Data(contentsOf: file))
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 2: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        default: bytes += bytes[place...]
        }
      }
      do {
        try await Self.check(target, bytes)
      } catch {
        Issue.record("\(name), seed \(seed), changed to \(Data(bytes).base64EncodedString()): \(error)")
        return
      }
    }
  }

  @Test func `every folder of the corpus has its target`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
  }
}

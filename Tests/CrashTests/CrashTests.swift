import AsyncHTTPClient
import Foundation
import JSONTree
import NIOCore
import NIOPosix
import Testing

/// Kills the built binary in the middle of its work, again and again, and looks what is left.
@Suite(.serialized) struct CrashTests {
  private static let kinds: [WriterKind] = [.rest, .webSocket, .webSocket, .rest, .webSocket, .rest]

  private let folder: URL
  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "dhole-crash-\(UUID().uuidString)")
  }

  @Test func `a crash at any moment loses no acknowledged write and leaves each writer a prefix`()
    async throws
  {
    let environment = ProcessInfo.processInfo.environment
    let rounds = environment["CRASH_ROUNDS"].flatMap(Int.init) ?? (environment["SOAK"] == nil ? 200 : 2000)
    let seed = environment["CRASH_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("CrashTests: \(rounds) rounds, CRASH_SEED=\(seed)")
    var random = Dice(seed: seed)
    defer { try? FileManager.default.removeItem(at: folder) }

    var kept: [[Int]] = []
    var server = try await ServerProcess.start(folder: folder)
    for round in 0..<rounds {
      let reports = try await write(round: round, to: server, for: .milliseconds(random.roll(0...160)))
      if random.roll(0...9) == 0 {
        try await ServerProcess.startAndKill(folder: folder, after: .milliseconds(random.roll(0...120)))
      }
      let options = random.roll(0...1) == 0 ? [] : ["--checkpoint-entries", "\(random.roll(1...60))"]
      server = try await ServerProcess.start(folder: folder, options: options)
      let counts = try await check(round: round, on: server, against: reports)
      kept.append(counts)
      if counts.isEmpty { break }
    }
    try await checkAll(kept, on: server)
    #expect(await server.stop() == 0, "an orderly stop exits with 0")
    server = try await ServerProcess.start(folder: folder)
    try await checkAll(kept, on: server)
    await server.kill()
    print("CrashTests: \(kept.joined().reduce(0, +)) writes stored")
  }

  /// Lets all writers write for a while, then kills the server under them.
  private func write(round: Int, to server: ServerProcess, for time: Duration) async throws -> [WriterReport]
  {
    let futures = Self.kinds.enumerated().map { number, kind in
      Writer.start(kind, path: "crash/r\(round)/w\(number)", port: server.port, on: loop)
    }
    try await Task.sleep(for: time)
    await server.kill()
    return try await EventLoopFuture.whenAllSucceed(futures, on: loop).get()
  }

  /// How many writes of each writer are stored, once it is known that they are the right ones.
  private func check(round: Int, on server: ServerProcess, against reports: [WriterReport]) async throws
    -> [Int]
  {
    let stored = try await value(at: "crash/r\(round)", on: server)
    var counts: [Int] = []
    for (number, report) in reports.enumerated() {
      let mine = stored[try ChildKey("w\(number)")]
      let count = prefixLength(of: mine)
      #expect(count == mine.childCount, "round \(round), writer \(number): a hole after \(count) writes")
      #expect(count >= report.acknowledged, "round \(round), writer \(number): lost acknowledged writes")
      #expect(count <= report.sent, "round \(round), writer \(number): stored what was never sent")
      #expect(report.complaint == nil, "round \(round), writer \(number)")
      counts.append(count)
    }
    return counts
  }

  private func checkAll(_ kept: [[Int]], on server: ServerProcess) async throws {
    let stored = try await value(at: "crash", on: server)
    for (round, counts) in kept.enumerated() {
      for (number, count) in counts.enumerated() {
        let mine = stored[try ChildKey("r\(round)")][try ChildKey("w\(number)")]
        #expect(
          mine.childCount == count && prefixLength(of: mine) == count, "round \(round), writer \(number)")
      }
    }
  }

  /// How many of 0, 1, 2, … are there, each with its own number as value.
  private func prefixLength(of node: Node) -> Int {
    var count = 0
    while node[ChildKey(unchecked: "\(count)")].integer == Int64(count) { count += 1 }
    return count
  }

  private func value(at path: String, on server: ServerProcess) async throws -> Node {
    let request = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/\(path).json?format=export")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 1 << 30)
    return try Node.parse(String(buffer: body))
  }
}

/// A small generator that gives the same numbers for the same seed (xorshift*).
struct Dice {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed &* 2 + 1
  }

  mutating func roll(_ range: ClosedRange<Int>) -> Int {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    let value = (state &* 0x2545_F491_4F6C_DD1D) >> 33
    return range.lowerBound + Int(value % UInt64(range.count))
  }
}

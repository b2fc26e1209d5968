import JSONTree
import Rules
import Synchronization
import TestSupport
import Testing

@testable import Engine

/// A put that is only noted until it is durable must look like any other.
@Suite struct NotedPutTests {
  /// Allow every write. With `.validate` every put's tree is built at once.
  private static func rules(watching: Bool, building: Bool) -> String {
    let read = watching ? "root.child('c').val() !== 1" : "true"
    let validate = #"".validate":"1 == 1","#
    // As many bytes either way, since the log gets them too, with its quotes escaped.
    let bytes = validate.utf8.count + validate.utf8.count { $0 == UInt8(ascii: "\"") }
    let middle = building ? validate : String(repeating: " ", count: bytes)
    return #"{"rules":{".write":true,\#(middle)"$any":{".read":"\#(read)"}}}"#
  }

  @Test func `clients hear the same whether puts are noted or built, whatever becomes of their batches`()
    async throws
  {
    let first = UInt64.random(in: 0...UInt64.max)
    for round in 0..<80 {
      let seed = first &+ UInt64(round)
      let noted = try await Self.play(seed, building: false)
      let built = try await Self.play(seed, building: true)
      guard noted == built else {
        let place = zip(noted, built).prefix { $0 == $1 }.count
        Issue.record(
          """
          seed \(seed): \(noted.dropFirst(max(0, place - 3)).prefix(5)) where building gave \
          \(built.dropFirst(max(0, place - 3)).prefix(5))
          """)
        return
      }
    }
  }

  /// What two clients hear of a made-up history, and the tree at its end. Which of two views or of two places
  /// side by side hears of a write first is left to chance.
  private static func play(_ seed: UInt64, building: Bool) async throws -> [String] {
    var random = SeededNumbers(seed: seed)
    let rules = rules(watching: Bool.random(using: &random), building: building)
    let bytes = Int.random(in: 40...400, using: &random)
    let rig = try await Rig.open(rules: rules) { $0.batchBytes = bytes }
    let (writer, other) = (try await rig.client(session: "w"), try await rig.client())
    let admin = try await rig.client(.admin)
    let listens = try (0..<Int.random(in: 0...3, using: &random)).map { try listen(UInt64($0), &random) }
    await rig.enter { database in
      for listen in listens { database.listen(listen, tag: listen.listen, client: other.client) }
    }
    var heard = other.received.take().sorted()
    for turn in 0..<12 {
      if Int.random(in: 0..<3, using: &random) == 0 { rig.log.next(fate(&random)) }
      let requests = try (0..<Int.random(in: 1...6, using: &random)).map { _ in try request(&random) }
      let changesRules = Int.random(in: 0..<8, using: &random) == 0
      let remembered = Int.random(in: 0..<6, using: &random) == 0 ? at(path(&random)) : nil
      await rig.enter { database in
        for (place, request) in requests.enumerated() {
          if place == 1, changesRules { database.installRules(rules, tag: 1, client: admin.client) }
          if place == 2, let remembered {
            let operation = DisconnectOperation.put(remembered, UnresolvedValue(Node(7)))
            database.onDisconnect(operation, tag: 1000, client: writer.client)
          }
          database.write(request, tag: UInt64(turn * 10 + place), client: writer.client)
        }
      }
      if Bool.random(using: &random) { rig.log.release() }
      try await calmDown(rig)
      heard += writer.received.take() + other.received.take().sorted()
    }
    rig.log.calm()
    rig.log.release()
    try await calmDown(rig)
    await rig.enter { $0.detach(writer.client) }
    for _ in 0..<4 { await rig.pass(milliseconds: 2000) }
    heard += writer.received.take() + other.received.take().sorted()
    return heard + [try await rig.tree(), try await rig.read { $0.listenerFault } ?? ""]
  }

  /// Waits until nobody asks the log any more what has become of a batch.
  private static func calmDown(_ rig: Rig) async throws {
    for _ in 0..<1000 {
      await rig.pass(milliseconds: 100)
      let isFinding = try await rig.read { if case .finding = $0.logState { true } else { false } }
      if !isFinding { return }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  private static func fate(_ random: inout SeededNumbers) -> FaultyLog.Fate {
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: .hang
    case 2: .failure(.io("asked for"))
    case 3: .unknownThoughAppended
    case 4: .unknownAndAbsent
    default: .success
    }
  }

  private static func path(_ random: inout SeededNumbers) -> String {
    (0..<Int.random(in: 1...3, using: &random)).map { _ in String("abc1".randomElement(using: &random)!) }
      .joined(separator: "/")
  }

  private static func text(_ random: inout SeededNumbers) -> String {
    let values = [
      "null", "1", "2", #""x""#, #"{"a":1}"#, #"{"b":{"c":2},"1":3}"#, #"{".value":1,".priority":2}"#,
    ]
    return values.randomElement(using: &random)!
  }

  private static func request(_ random: inout SeededNumbers) throws -> WriteRequest {
    let place = path(&random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0: return try merge(place, #"{"a":\#(text(&random)),"b/c":\#(text(&random))}"#)
    case 1: return try put(place, text(&random), if: .absent)
    case 2: return try put(place + "/.priority", "3")
    case 3: return try put(place, #"{".sv":{"increment":1}}"#)
    default: return try put(place, text(&random))
    }
  }

  private static func listen(_ number: UInt64, _ random: inout SeededNumbers) throws -> ListenRequest {
    let isWhole = Int.random(in: 0..<3, using: &random) != 0
    let order = Bool.random(using: &random) ? Query.Index.key : .value
    let query: Query = isWhole ? .all : try Query(index: order, limit: 2)
    return ListenRequest(path: at(path(&random)), query: query, form: plain, listen: number)
  }

  @Test func `puts that overlap stand on each other though neither is durable`() async throws {
    let rig = try await Rig.open()
    let client = try await rig.client()
    rig.log.next(.hang)
    let requests = try [
      put("a/b", "1"), put("a/c", "2"), put("a", #"{"d":3}"#), put("a/b", "1", if: .absent),
      put("a/d", #"{".sv":{"increment":4}}"#),
    ]
    for (tag, request) in requests.enumerated() {
      await rig.enter { $0.write(request, tag: UInt64(tag), client: client.client) }
    }
    rig.log.release()
    await rig.settle()
    #expect(client.received.take() == (0..<5).map { "answer \($0) written" })
    #expect(try await rig.tree() == #"{"a":{"b":1,"d":7}}"#)
  }

  @Test func `a batch that gathers leaves in a moment, and a closing database waits for it`() async throws {
    let rig = try await Rig.open { $0.gatherMicroseconds = 10 }
    let client = try await rig.client()
    rig.log.next(.hang)
    let requests = try (0..<3).map { try put("k\($0)", "1") }
    for (tag, request) in requests.enumerated() {
      await rig.enter { $0.write(request, tag: UInt64(tag), client: client.client) }
    }
    rig.log.release()
    await rig.settle()
    #expect(client.received.take() == ["answer 0 written"])
    let isClosed = Mutex(false)
    await rig.enter { $0.close { isClosed.withLock { $0 = true } } }
    #expect(rig.log.appends == 1)
    #expect(!isClosed.withLock { $0 })
    await rig.pass(milliseconds: 1)
    #expect(rig.log.appends == 2)
    try await rig.settle { isClosed.withLock { $0 } }
    #expect(isClosed.withLock { $0 })
  }

  @Test func `places of keys that differ in their last bytes only are told apart as fast as others`() {
    var places = PutPlaces()
    let start = String(repeating: "k", count: 18)
    let paths = (0..<4096).map { at("list/\(start)\(String(0x1000 + $0, radix: 36))") }
    for path in paths { places.insert(path) }
    #expect(places.longestSearch < 64)
    #expect(paths.allSatisfy { places.overlap($0) })
    #expect(!places.overlap(at("list/\(start)none")))
  }

  @Test func `places overlap when one is the other or lies below it`() {
    var random = SeededNumbers(seed: UInt64.random(in: 0...UInt64.max))
    for _ in 0..<300 {
      var places = PutPlaces()
      var paths: [Path] = []
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        let path = at(Self.path(&random) + "/" + Self.path(&random))
        paths.append(path)
        places.insert(path)
      }
      let probe = Bool.random(using: &random) ? at(Self.path(&random)) : at(Self.path(&random) + "/x")
      let overlaps = paths.contains { $0.contains(probe) || probe.contains($0) }
      #expect(places.overlap(probe) == overlaps, "\(probe) and \(paths)")
    }
    var root = PutPlaces()
    #expect(!root.overlap(.root))
    root.insert(.root)
    #expect(root.overlap(at("a")) && root.overlap(.root))
  }
}

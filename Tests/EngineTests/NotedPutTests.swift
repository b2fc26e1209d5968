import Engine
import JSONTree
import TestSupport
import Testing

/// A put that is only noted until it is durable must look like any other.
struct NotedPutTests {
  /// Allow everything; a `.validate` has every put's tree built at once.
  private static let rules = #"{"rules":{".read":true,".write":true}}"#
  private static let buildingRules = #"{"rules":{".read":true,".write":true,".validate":"1 == 1"}}"#

  @Test func `clients hear the same whether puts are noted or built, whatever becomes of their batches`()
    async throws
  {
    let first = UInt64.random(in: 0...UInt64.max)
    for round in 0..<60 {
      let seed = first &+ UInt64(round)
      let noted = try await Self.play(seed, rules: Self.rules)
      let built = try await Self.play(seed, rules: Self.buildingRules)
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
  private static func play(_ seed: UInt64, rules: String) async throws -> [String] {
    var random = SeededNumbers(seed: seed)
    let rig = try await Rig.open(rules: rules)
    let (writer, other) = (try await rig.client(session: "w"), try await rig.client())
    let listens = try (0..<Int.random(in: 0...3, using: &random)).map { try listen(UInt64($0), &random) }
    await rig.enter { database in
      for listen in listens { database.listen(listen, tag: listen.listen, client: other.client) }
    }
    var heard = other.received.take().sorted()
    for turn in 0..<12 {
      if Int.random(in: 0..<3, using: &random) == 0 { rig.log.next(fate(&random)) }
      let requests = try (0..<Int.random(in: 1...6, using: &random)).map { _ in try request(&random) }
      await rig.enter { database in
        for (place, request) in requests.enumerated() {
          database.write(request, tag: UInt64(turn * 10 + place), client: writer.client)
        }
      }
      if Bool.random(using: &random) { rig.log.release() }
      await rig.pass(milliseconds: 100)
      heard += writer.received.take() + other.received.take().sorted()
    }
    rig.log.calm()
    rig.log.release()
    for _ in 0..<4 { await rig.pass(milliseconds: 2000) }
    heard += writer.received.take() + other.received.take().sorted()
    return heard + [try await rig.tree()] + [try await rig.read { $0.listenerFault } ?? ""]
  }

  private static func fate(_ random: inout SeededNumbers) -> FaultyLog.Fate {
    switch Int.random(in: 0..<3, using: &random) {
    case 0: .hang
    case 1: .failure(.io("asked for"))
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

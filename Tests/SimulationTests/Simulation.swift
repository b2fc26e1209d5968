import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import Rules
import TestSupport

/// A generator whose whole course follows from its seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Something that went against what the server promises.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

/// One database, some clients and a log with faults, for as many steps as one likes.
///
/// A flat model applies what was acknowledged, in the order of asking. At every rest the database's tree,
/// what each client has put together from its pushes, and the tree after a restart must be what the model
/// says.
final class Simulation {
  /// A write that was sent, until its outcome is known.
  struct Sent {
    let tag: UInt64
    let client: Int
    let writes: [(path: Path, value: UnresolvedValue)]
    let expected: FlatTree?
  }

  struct Member {
    let simulated: SimulatedClient
    let client: Client
    /// Set by an onDisconnect operation that was acknowledged.
    var leaves = false
    var registration: UInt64?
  }

  var random: SeededGenerator
  let log = FaultyLog()
  let checkpoints = MemoryCheckpoints()
  let dialect = TableDialect()
  let loop = NIOAsyncTestingEventLoop()
  let otherLoop = NIOAsyncTestingEventLoop()
  var options = DatabaseOptions()
  var database: Database
  var members: [Member] = []
  var sent: [Sent] = []
  var model = FlatTree()
  var nextTag: UInt64 = 1
  /// An append since the last rest may end with nobody knowing how.
  var mayBeUnknown = false

  static let rules = """
    {"rules":{".read":true,".write":true,
      "d":{".indexOn":["a",".value"],"$k":{".indexOn":["a",".value"]}}}}
    """

  init(seed: UInt64) async throws {
    random = SeededGenerator(seed: seed)
    options.defaultRules = try RuleSet(text: Simulation.rules)
    options.checkpointEntries = UInt64.random(in: 1...20, using: &random)
    options.batchBytes = Int.random(in: 40...400, using: &random)
    database = try await Database.open(
      DatabaseID("simulated"), on: loop, log: log, checkpoints: checkpoints, options: options,
      clock: ManualClock())
    for _ in 0..<4 { try await join() }
  }

  func settle() async {
    for _ in 0..<3 {
      await loop.run()
      await otherLoop.run()
    }
  }

  func enter(_ work: @escaping @Sendable (isolated Database) -> Void) async {
    database.enter(work)
    if Bool.random(using: &random) { await settle() }
  }

  func join() async throws {
    let place = Bool.random(using: &random) ? loop : otherLoop
    let simulated = SimulatedClient(session: "s\(nextTag)", dialect: dialect)
    nextTag += 1
    let client = try await place.executeInContext { [dialect] in
      Client(eventLoop: place, receiver: simulated, dialect: dialect)
    }
    members.append(Member(simulated: simulated, client: client))
    database.enter { $0.attach(client, caller: .anonymous, sessionID: simulated.session) }
  }

  // MARK: Rest

  /// Lets everything come to its end and compares.
  func rest(comparing: Bool = true) async throws {
    log.release()
    log.always(.success)
    var rounds = 0
    while !isAnswered {
      rounds += 1
      if rounds > 2000 { throw Violation(description: "requests without an answer") }
      await loop.advanceTime(by: .milliseconds(50))
      await settle()
      log.release()
      if rounds % 10 == 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
    await loop.advanceTime(by: .seconds(2))
    await settle()
    try applySent()
    for i in members.indices { noteRegistration(i) }
    mayBeUnknown = false
    if comparing { try await compare() }
  }

  /// A crash: what has no answer was not written.
  func dropUnanswered() throws {
    sent.removeAll { members[$0.client].simulated.outcomes[$0.tag] == nil }
    try applySent()
    for i in members.indices { noteRegistration(i) }
  }

  private var isAnswered: Bool {
    sent.allSatisfy { members[$0.client].simulated.outcomes[$0.tag] != nil }
      && members.allSatisfy { member in
        member.registration.map { member.simulated.outcomes[$0] != nil } ?? true
      }
  }

  /// Brings the model up to what was answered, in the order of asking.
  private func applySent() throws {
    for write in sent {
      switch members[write.client].simulated.outcomes[write.tag] {
      case .written:
        if let expected = write.expected, let path = write.writes.first?.path,
          model.part(at: path.names) != expected
        {
          throw Violation(description: "a conditional write succeeded on another value")
        }
        let before = model
        for (path, value) in write.writes {
          let node = value.resolved(nowMilliseconds: 0) { relative in
            before.integer(at: path.appending(relative).names).map { Node($0) } ?? .null
          }
          model.set(node, at: path.names)
        }
      case .stale:
        if let path = write.writes.first?.path, model.part(at: path.names) == write.expected {
          throw Violation(description: "a conditional write was refused though its value was there")
        }
      case .failed(let error):
        guard case .unavailable = error.reason else { throw Violation(description: "refused: \(error)") }
      case let outcome:
        throw Violation(description: "a write was answered with \(String(describing: outcome))")
      }
    }
    sent = []
  }

  func noteRegistration(_ place: Int) {
    guard let tag = members[place].registration else { return }
    if case .done? = members[place].simulated.outcomes[tag] { members[place].leaves.toggle() }
    members[place].registration = nil
  }

  /// What a session left is there once it is gone.
  func leave(_ member: Member) {
    if member.leaves { model.set(Node("gone"), at: ["p", member.simulated.session]) }
  }

  private func compare() async throws {
    let database = database
    let (data, fault) = try await loop.executeInContext {
      database.assumeIsolated { ($0.data, $0.listenerFault) }
    }
    if let fault { throw Violation(description: fault) }
    guard FlatTree(data) == model else {
      throw Violation(description: "the tree is \(FlatTree(data)), but should be \(model)")
    }
    for member in members {
      if let fault = member.simulated.faults.first { throw Violation(description: fault) }
      for (id, followed) in member.simulated.listens {
        let location = data[followed.path]
        var index: ChildIndex?
        if !followed.query.isDefault, followed.query.index != .key {
          index = ChildIndex(building: location, order: followed.query.index)
        }
        let shown = FlatTree(filtered(location, query: followed.query, index: index))
        guard followed.value == shown else {
          let seen = followed.value.map(\.description) ?? "nothing"
          throw Violation(
            description: "listen \(id) at \(followed.path) saw {\(seen)}, but there is {\(shown)}")
        }
      }
    }
  }
}

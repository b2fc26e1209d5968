import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import Rules
import TestSupport

/// Something that went against what the server promises.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

/// One database, some clients and a log with faults, for as many steps as one likes.
///
/// A flat model applies what was acknowledged, in the order of asking. At every rest the database's tree,
/// what each client has put together from its pushes, and the tree after a restart must be what the model
/// says. Of writes whose client or whose process has died before the answer nobody knows whether they were
/// made: then the tree must be one of those that are possible.
final class Simulation {
  struct Member {
    let simulated: SimulatedClient
    let client: Client
    /// Set by an onDisconnect operation that was acknowledged.
    var leaves = false
    var registration: UInt64?
  }

  var random: SeededNumbers
  var log = FaultyLog()
  let checkpoints = MemoryCheckpoints()
  var disk: MortalCheckpoints
  let dialect = TableDialect()
  let loop = NIOAsyncTestingEventLoop()
  let otherLoop = NIOAsyncTestingEventLoop()
  var options = DatabaseOptions()
  var database: Database
  var members: [Member] = []
  var sent: [SentWrite] = []
  /// Sessions that ended while nobody knew whether what they had asked for their end was registered.
  var doubtful: Set<String> = []
  /// Somebody has left since the last rest: what that causes nobody hears the end of.
  private var somebodyLeft = false
  var model = FlatTree()
  var nextTag: UInt64 = 1

  static let rules = """
    {"rules":{".read":true,".write":true,
      "d":{".indexOn":["a",".value"],"$k":{".indexOn":["a",".value"]}}}}
    """

  init(seed: UInt64) async throws {
    random = SeededNumbers(seed: seed &* 0x9e37_79b9_7f4a_7c15 &+ 1)
    options.defaultRules = try RuleSet(text: Simulation.rules)
    options.checkpointEntries = UInt64.random(in: 1...20, using: &random)
    options.batchBytes = Int.random(in: 40...400, using: &random)
    options.gatherMicroseconds = Bool.random(using: &random) ? 10 : 0
    disk = MortalCheckpoints(checkpoints)
    database = try await Database.open(
      DatabaseID("simulated"), on: loop, log: log, checkpoints: disk, options: options,
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
    try await quiesce()
    for member in members where member.simulated.isConflating {
      database.enter { $0.refresh(member.client) }
    }
    await settle()
    try await adopt(afterCrash: false)
    for i in members.indices { noteRegistration(i) }
    if comparing { try await compare() }
  }

  /// Runs until every request that can be answered is, and nothing is going on.
  func quiesce() async throws {
    var rounds = 0
    while !isAnswered {
      rounds += 1
      if rounds > 2000 { throw Violation(description: "requests without an answer") }
      await loop.advanceTime(by: .milliseconds(50))
      await settle()
      log.release()
      if rounds % 10 == 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
    // What the engine itself has to write is tried again until it is in the log.
    log.calm()
    await loop.advanceTime(by: .seconds(3))
    await settle()
    if sent.contains(where: \.isInDoubt) || !doubtful.isEmpty || somebodyLeft { try await awaitTheUnheard() }
    somebodyLeft = false
  }

  /// What nobody hears the end of may still be on its way into the log, but not once a later write is made.
  private func awaitTheUnheard() async throws {
    guard let member = members.first else { return }
    let path = Path([ChildKey(unchecked: "last")])
    var tag: UInt64 = 0
    for round in 0..<400 {
      switch member.simulated.outcomes[tag] {
      case .written?:
        model.set(Node(1), at: path.names)
        // What the engine tries again by itself has its time.
        await loop.advanceTime(by: .seconds(2))
        return await settle()
      case nil where tag > 0: break
      default:
        tag = nextTag
        nextTag += 1
        await enter { [tag] in $0.write(.put(path, Node(1)), tag: tag, client: member.client) }
      }
      log.release()
      await loop.advanceTime(by: .milliseconds(50))
      await settle()
      if round % 10 == 9 { try await Task.sleep(for: .milliseconds(1)) }
    }
    throw Violation(description: "a write is never made")
  }

  private var isAnswered: Bool {
    sent.allSatisfy { $0.outcome != nil || $0.client.isGone }
      && members.allSatisfy { member in
        member.registration.map { member.simulated.outcomes[$0] != nil } ?? true
      }
  }

  var data: Node {
    get async throws {
      let database = database
      return try await loop.executeInContext { database.assumeIsolated { $0.data } }
    }
  }

  /// Brings the model up to what was answered, in the order of asking, and to what must have become of the
  /// rest.
  func adopt(afterCrash: Bool) async throws {
    let data = FlatTree(try await data)
    for session in doubtful {
      // Only the session's end writes here, so the tree tells.
      if data.leaves[["p", session]] != nil { model.set(Node("gone"), at: ["p", session]) }
    }
    doubtful = []
    model = try SentWrite.model(model, after: sent, seen: data, afterCrash: afterCrash)
    sent = []
  }

  func noteRegistration(_ place: Int) {
    guard let tag = members[place].registration else { return }
    if case .done? = members[place].simulated.outcomes[tag] { members[place].leaves.toggle() }
    members[place].registration = nil
  }

  /// What a session left is there once it is gone.
  func leave(_ member: Member) {
    member.simulated.go()
    somebodyLeft = true
    if member.registration != nil, member.simulated.outcomes[member.registration ?? 0] == nil {
      doubtful.insert(member.simulated.session)
    } else {
      var member = member
      if let tag = member.registration, case .done? = member.simulated.outcomes[tag] {
        member.leaves.toggle()
      }
      if member.leaves { model.set(Node("gone"), at: ["p", member.simulated.session]) }
    }
  }

  /// The listener tree and the windows are sound at any time.
  func checkInvariants() async throws {
    let database = database
    let fault = try await loop.executeInContext { database.assumeIsolated { $0.listenerFault } }
    if let fault { throw Violation(description: fault) }
  }

  private func compare() async throws {
    try await checkInvariants()
    let data = try await data
    guard FlatTree(data) == model else {
      throw Violation(description: "the tree is \(FlatTree(data)), but should be \(model)")
    }
    for member in members {
      if let fault = member.simulated.faults.first { throw Violation(description: fault) }
      for (id, followed) in member.simulated.listens {
        let shown = Simulation.shown(data, followed.path, followed.query)
        guard followed.value == shown else {
          let seen = followed.value.map(\.description) ?? "nothing"
          throw Violation(
            description: "listen \(id) at \(followed.path) saw {\(seen)}, but there is {\(shown)}")
        }
      }
    }
  }

  /// What a query shows, by the simplest way to find out.
  static func shown(_ data: Node, _ path: Path, _ query: Query) -> FlatTree {
    let location = data[path]
    var index: ChildIndex?
    if !query.isDefault, query.index != .key {
      index = ChildIndex(building: location, order: query.index)
    }
    return FlatTree(filtered(location, query: query, index: index))
  }
}

import Engine
import JSONTree
import NIOCore
import NIOEmbedded
import TestSupport

extension Simulation {
  func step() async throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<34: await write()
    case 34..<40: await transact()
    case 40..<52: await listen()
    case 52..<56: await get()
    case 56..<60: try await unlisten()
    case 60..<68: await promise()
    case 68..<73: try await goAway()
    case 73..<77: await fallBehind()
    case 77..<87: fault()
    case 87..<93: await letGo()
    case 93..<97: try await rest()
    default: try await crash()
    }
    try await checkInvariants()
  }

  private func randomKey() -> String {
    ["a", "b", "c", "10", "9"].randomElement(using: &random) ?? "a"
  }

  private func randomPath(_ lengths: ClosedRange<Int>) -> Path {
    let keys = (0..<Int.random(in: lengths, using: &random)).map { _ in ChildKey(unchecked: randomKey()) }
    return Path([ChildKey(unchecked: "d")] + keys)
  }

  private func randomNode(_ depth: Int) -> Node {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return .null
    case 1..<4 where depth > 0:
      let keys = (0..<Int.random(in: 0...3, using: &random)).map { _ in randomKey() }
      return Node(children: keys.map { (ChildKey(unchecked: $0), randomNode(depth - 1)) })
    case 4: return Node(Bool.random(using: &random))
    case 5: return Node(["x", "y"].randomElement(using: &random) ?? "x")
    default: return Node(Int64.random(in: 0...4, using: &random))
    }
  }

  private func randomValue() -> UnresolvedValue {
    guard Int.random(in: 0..<5, using: &random) == 0 else { return UnresolvedValue(randomNode(2)) }
    return UnresolvedValue(node: Node(0), serverValues: [(.root, .increment(Node(1)))])
  }

  private func write() async {
    let place = Int.random(in: 0..<members.count, using: &random)
    let tag = nextTag
    nextTag += 1
    let path = randomPath(0...3)
    var request: WriteRequest
    var expected: FlatTree?
    var writes: [(path: Path, value: UnresolvedValue)] = []
    if Int.random(in: 0..<4, using: &random) == 0 {
      let base = randomPath(0...1)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let relative = randomPath(1...2).dropFirst(1)
        if Path.overlap(writes.map { $0.path.relative(to: base) } + [relative]) { continue }
        writes.append((base.appending(relative), randomValue()))
      }
      request = WriteRequest(.merge(base, writes.map { ($0.path.relative(to: base), $0.value) }))
    } else {
      let value = randomValue()
      writes = [(path, value)]
      request = WriteRequest(.put(path, value))
      if Int.random(in: 0..<4, using: &random) == 0 {
        let guess = randomNode(0)
        expected = FlatTree(guess)
        request.condition = .hash(guess.simpleHash, dialects: [.standard])
      }
    }
    await send(request, tag, place, writes, expected)
  }

  private func send(
    _ request: WriteRequest, _ tag: UInt64, _ place: Int, _ writes: [(path: Path, value: UnresolvedValue)],
    _ expected: FlatTree?
  ) async {
    let client = members[place].client
    sent.append(
      SentWrite(tag: tag, client: members[place].simulated, writes: writes, expected: expected))
    await enter { [request] database in database.write(request, tag: tag, client: client) }
  }

  /// Adds one to a number that the client believes to be there, as a transaction does.
  private func transact() async {
    let place = Int.random(in: 0..<members.count, using: &random)
    let path = randomPath(0...2)
    guard let belief = members[place].simulated.belief(at: path) else { return }
    let current = belief.integer(at: []).map { Node($0) } ?? .null
    guard FlatTree(current) == belief else { return }
    let value = UnresolvedValue(Node((belief.integer(at: []) ?? 0) + 1))
    var request = WriteRequest(.put(path, value))
    request.condition = .hash(current.simpleHash, dialects: [.standard])
    let tag = nextTag
    nextTag += 1
    await send(request, tag, place, [(path, value)], belief)
  }

  /// Reads once; the client compares what it is told with what it believes.
  private func get() async {
    let member = members[Int.random(in: 0..<members.count, using: &random)]
    let path = randomPath(0...2)
    let query = Bool.random(using: &random) ? Query.all : randomQuery()
    let tag = nextTag
    nextTag += 1
    member.simulated.ask(tag, path, query)
    await enter { $0.get(path, query: query, tag: tag, client: member.client) }
  }

  private func randomQuery() -> Query {
    let index: Query.Index =
      [.key, .value, .priority, .child([ChildKey(unchecked: "a")])].randomElement(using: &random) ?? .key
    var start: Bound?
    if Bool.random(using: &random) {
      switch index {
      case .key: start = Bound(start: Node(randomKey()))
      case .priority: break
      default: start = Bound(start: Node(Int64.random(in: 0...2, using: &random)))
      }
    }
    let limit = Bool.random(using: &random) ? Int.random(in: 1...3, using: &random) : nil
    let query = try? Query(index: index, start: start, limit: limit, fromEnd: Bool.random(using: &random))
    return query ?? .all
  }

  private func listen() async {
    let place = Int.random(in: 0..<members.count, using: &random)
    let member = members[place]
    let id = nextTag
    nextTag += 1
    let isFiltered = Bool.random(using: &random)
    let query = isFiltered ? randomQuery() : .all
    // Indexes are declared for the first two levels.
    let path = randomPath(isFiltered ? 0...1 : 0...3)
    let variant = isFiltered ? UInt32(id) : 0
    member.simulated.follow(id, Followed(path: path, query: query, variant: variant))
    let request = ListenRequest(
      path: path, query: query, form: PushForm(dialect: 1, variant: variant), listen: id)
    await enter { $0.listen(request, tag: id, client: member.client) }
  }

  private func unlisten() async throws {
    let place = Int.random(in: 0..<members.count, using: &random)
    let member = members[place]
    // Only what has begun: the client forgets it at once, and may be sent no more of it after the answer.
    await settle()
    let begun = member.simulated.listens.filter { $0.value.value != nil }.keys.sorted()
    guard let id = begun.randomElement(using: &random) else { return }
    member.simulated.endsFollowing(id)
    database.enter { $0.unlisten(id, client: member.client) }
    await settle()
    // It may be waiting behind the client's own writes.
    if !sent.isEmpty { try await rest(comparing: false) }
    member.simulated.unfollow(id)
  }

  /// Registers what shall be written when the client is gone, or cancels it.
  private func promise() async {
    let place = Int.random(in: 0..<members.count, using: &random)
    guard members[place].registration == nil else { return }
    let member = members[place]
    let tag = nextTag
    nextTag += 1
    members[place].registration = tag
    let path = Path([ChildKey(unchecked: "p"), ChildKey(unchecked: member.simulated.session)])
    let operation: DisconnectOperation =
      member.leaves ? .cancel(path) : .put(path, UnresolvedValue(Node("gone")))
    await enter { $0.onDisconnect(operation, tag: tag, client: member.client) }
  }

  /// A client lets changes go by, or catches up.
  private func fallBehind() async {
    let member = members[Int.random(in: 0..<members.count, using: &random)]
    await settle()
    if member.simulated.isConflating {
      await enter { $0.refresh(member.client) }
    } else {
      member.simulated.stopReading()
    }
  }

  /// A client leaves: in good order, or in the middle of everything.
  private func goAway() async throws {
    let place = Int.random(in: 0..<members.count, using: &random)
    let inDoubt = sent.filter {
      $0.outcome == nil && ($0.client.isGone || $0.client === members[place].simulated)
    }
    if Bool.random(using: &random) || inDoubt.count > SentWrite.mostInDoubt { try await rest() }
    let member = members.remove(at: place)
    leave(member)
    if Bool.random(using: &random) {
      database.enter { $0.detach(member.client) }
    } else {
      database.enter { database in
        database.endSession(member.simulated.session)
        database.detach(member.client)
      }
    }
    try await join()
  }

  private func fault() {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: log.next(.failure(.diskFull("no room")))
    case 1: log.next(.unknownThoughAppended)
    case 2: log.next(.unknownAndAbsent)
    case 3: checkpoints.failSaves(times: 1)
    default: log.next(.hang)
    }
  }

  /// What hangs comes to an end, one way or another.
  private func letGo() async {
    if Bool.random(using: &random) {
      log.release()
    } else {
      log.failHeld(.io("the disk gave up"))
    }
    if Bool.random(using: &random) { await settle() }
  }

  /// The process dies, whatever it was doing, and another one starts.
  private func crash() async throws {
    await settle()
    log.die()
    disk.die()
    // Nothing that the dead process still does arrives anywhere.
    for member in members {
      member.simulated.die()
      leave(member)
    }
    members = []
    await settle()
    log = FaultyLog(log.log)
    disk = MortalCheckpoints(checkpoints)
    database = try await Database.open(
      DatabaseID("simulated"), on: loop, log: log, checkpoints: disk, options: options,
      clock: ManualClock())
    await settle()
    for _ in 0..<4 { try await join() }
    await loop.advanceTime(by: .seconds(2))
    await settle()
    try await adopt(afterCrash: true)
    try await rest()
  }
}

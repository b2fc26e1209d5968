import JSONTree
import Rules

/// Something that goes through the log, as it was asked for: kept until it is durable, to be sequenced again
/// if the state that it was sequenced on is lost.
enum Proposal: Sendable {
  case write(WriteRequest)
  case disconnect(DisconnectOperation)
  case rules(String?)
  case setting(ChildKey, Node)
  /// A session's identity has changed while it holds onDisconnect records.
  case identity(EndedSession)
  /// A session has ended: its onDisconnect records become writes.
  case ending(EndedSession)
}

extension Proposal {
  /// About how many bytes of values it holds.
  var estimatedBytes: Int {
    switch self {
    case .write(let request):
      switch request.kind {
      case .put(_, let value): value.node.estimatedBytes
      case .merge(_, let changes): changes.reduce(0) { $0 + $1.value.node.estimatedBytes }
      }
    case .disconnect(.put(_, let value)): value.node.estimatedBytes
    case .disconnect(.merge(_, let changes)): changes.reduce(0) { $0 + $1.value.node.estimatedBytes }
    case .rules(let text): text?.utf8.count ?? 0
    case .setting(_, let value): value.estimatedBytes
    case .disconnect(.cancel), .identity, .ending: 0
    }
  }
}

/// A session by what is needed to run its onDisconnect records.
struct EndedSession: Sendable, Equatable {
  let key: ChildKey
  let caller: Caller
}

/// One proposal in its batch.
struct BatchItem {
  let proposal: Proposal
  /// Who hears the answer; nil for what the engine itself proposes.
  let session: Session?
  let tag: UInt64
  /// Who asked, at the time of asking.
  let caller: Caller
  /// The answer, once the batch is durable.
  var outcome = Outcome.done
  /// It put something into the batch's payload.
  var isChange = false
}

/// One write of a batch, for those who listen.
struct Step {
  /// The data right before and right after a write.
  struct Trees {
    let before: Node
    let after: Node
  }

  let change: Change
  /// Nil while the write is only noted.
  var trees: Trees?

  /// Makes a noted put.
  func carryOut(in data: inout Node) {
    guard case .set(let path, let value) = change else { preconditionFailure("only puts are noted") }
    data.set(value, at: path)
  }
}

/// A read that waits for the client's own writes.
enum WaitingRead {
  case get(Path, Query, tag: UInt64)
  case listen(ListenRequest, tag: UInt64)
  case unlisten(ListenID, tag: UInt64?)

  /// What it reads; nil for an unlisten.
  var target: (path: Path, query: Query)? {
    switch self {
    case .get(let path, let query, _): (path, query)
    case .listen(let request, _): (request.path, request.query)
    case .unlisten: nil
    }
  }

  var tag: UInt64? {
    switch self {
    case .get(_, _, let tag), .listen(_, let tag): tag
    case .unlisten(_, let tag): tag
    }
  }
}

/// Writes that become durable together, and what is to be told once they are.
final class Batch {
  var items: [BatchItem] = []
  var steps: [Step] = []
  var reads: [(session: Session, read: WaitingRead)] = []
  var payload = EntryCodec.begin()
  /// How many nodes it may still overwrite before its old tree is let go of elsewhere.
  var freeableNodes = Reaper.nodesAtOnce
  /// About how many bytes its proposals hold.
  var bytes = 0
  /// Its steps hold the trees before and after them, or it changes the engine's records: no put is noted in
  /// it any more.
  var holdsTrees = false
  /// The state once this batch is durable; set when it is sealed, if it holds trees.
  var after: State?
  /// Where its noted puts go.
  var places = PutPlaces()
  /// The rules once this batch is durable, when it changes them.
  var rules: RuleSet?

  private static let expectedItems = 256
  private static let expectedBytes = 1 << 16

  init() {}

  /// One that follows another, and is likely to be of its size.
  init(after other: Batch) {
    let count = min(other.items.count, Batch.expectedItems)
    items.reserveCapacity(count)
    steps.reserveCapacity(count)
    payload.reserveCapacity(min(other.payload.count, Batch.expectedBytes))
  }

  var hasNotedPuts: Bool { !holdsTrees && !steps.isEmpty }
  /// Nothing in it needs the log.
  var isUnchanging: Bool { payload.count <= 1 }
  var isEmpty: Bool { items.isEmpty && reads.isEmpty }
}

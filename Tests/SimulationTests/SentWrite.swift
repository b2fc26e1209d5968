import Engine
import JSONTree

/// A write that was sent, until what became of it is known.
struct SentWrite {
  let tag: UInt64
  let client: SimulatedClient
  let writes: [(path: Path, value: UnresolvedValue)]
  /// What a conditional write demands to be there.
  let expected: FlatTree?

  var outcome: Outcome? { client.outcomes[tag] }
  /// Its client has gone before the answer came, which it never will.
  var isInDoubt: Bool { client.isGone && outcome == nil }

  /// The tree with the write made.
  func applied(to model: FlatTree) -> FlatTree {
    var after = model
    for (path, value) in writes {
      let node = value.resolved(nowMilliseconds: 0) { relative in
        model.integer(at: path.appending(relative).names).map { Node($0) } ?? .null
      }
      after.set(node, at: path.names)
    }
    return after
  }

  private func holds(in model: FlatTree) -> Bool {
    guard let expected, let path = writes.first?.path else { return true }
    return model.part(at: path.names) == expected
  }

  /// The tree after a write whose outcome is known; throws if the outcome is wrong.
  private func checked(on model: FlatTree, _ outcome: Outcome) throws -> FlatTree {
    switch outcome {
    case .written:
      guard holds(in: model) else {
        throw Violation(description: "a conditional write succeeded on another value")
      }
      return applied(to: model)
    case .stale:
      guard expected != nil, !holds(in: model) else {
        throw Violation(description: "a conditional write was refused though its value was there")
      }
      return model
    case .failed(let error):
      guard case .unavailable = error.reason else { throw Violation(description: "refused: \(error)") }
      return model
    default:
      throw Violation(description: "a write was answered with \(outcome)")
    }
  }
}

extension SentWrite {
  /// How many writes in doubt are more than anybody wants to try all ways of.
  static let mostInDoubt = 6

  /// The model after these writes, in the order of asking: the one, of those that are possible, that is seen.
  ///
  /// After a crash the writes of those who were still there went into the log in order: if one is missing, so
  /// are all later ones. Those of clients who had gone may have failed one by one.
  static func model(
    _ start: FlatTree, after sent: [SentWrite], seen: FlatTree, afterCrash: Bool
  ) throws -> FlatTree {
    let orphans = sent.filter { $0.isInDoubt && !$0.client.diedWithServer }.count
    let unanswered = afterCrash ? sent.filter { $0.outcome == nil && $0.client.diedWithServer }.count : 0
    var firstFault: (any Error)?
    var last = start
    for kept in stride(from: unanswered, through: 0, by: -1) {
      for chosen in 0..<(1 << orphans) {
        do {
          last = try run(start, sent, kept: kept, chosen: chosen)
          if last == seen { return last }
        } catch {
          firstFault = firstFault ?? error
        }
      }
    }
    if let firstFault { throw firstFault }
    let doubt = orphans + unanswered > 0 ? " (or another way, with \(orphans + unanswered) in doubt)" : ""
    throw Violation(description: "the tree is \(seen), but should be \(last)\(doubt)")
  }

  private static func run(
    _ start: FlatTree, _ sent: [SentWrite], kept: Int, chosen: Int
  ) throws -> FlatTree {
    var model = start
    var (orphan, unanswered) = (0, 0)
    for write in sent {
      if let outcome = write.outcome {
        model = try write.checked(on: model, outcome)
      } else if write.client.diedWithServer {
        unanswered += 1
        if unanswered <= kept, write.holds(in: model) { model = write.applied(to: model) }
      } else {
        if chosen >> orphan & 1 == 1, write.holds(in: model) { model = write.applied(to: model) }
        orphan += 1
      }
    }
    return model
  }
}

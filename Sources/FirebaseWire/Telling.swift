import Engine
import JSONTree

/// A value on its way into messages, with everything that decides how: it can be worked out anywhere.
struct Telling: Sendable {
  /// What a listen shows now, and what its client has of it.
  struct Showing: Sendable {
    let path: Path
    let tag: UInt32?
    let held: HeldValue?
    let value: Node
  }

  enum Content: Sendable {
    case showings([Showing])
    case reply(Int64, Node, SessionManners)
  }

  let content: Content

  /// Whether making it takes long.
  var isLong: Bool {
    switch content {
    case .showings(let showings):
      var left = LongWork.shortBytes
      for showing in showings {
        guard let bytes = showing.value.estimatedBytes(upTo: left) else { return true }
        left -= bytes
      }
      return false
    case .reply(_, let value, _): return value.estimatedBytes(upTo: LongWork.shortBytes) == nil
    }
  }

  /// Adds the messages.
  func write(into messages: inout MessageList) {
    switch content {
    case .showings(let showings): for showing in showings { showing.write(into: &messages) }
    case .reply(let number, let value, let manners):
      messages.reply(number) { value.write(.export, into: &$0) }
      // One answer cannot be split, and a longer one would be more chunks than clients can count.
      guard messages.lastCount > MessageChunks.mostBytes else { return }
      messages.removeLast()
      let refusal = Refusal(.tooBig, FirebaseText.dataTooBig)
      messages.reply(number, refusal, code: manners.code(of: refusal))
    }
  }
}

extension Telling.Showing {
  fileprivate func write(into messages: inout MessageList) {
    if let held {
      if isHeld(by: held.hash) { return }
      if let ranges = held.ranges, push(ranges, into: &messages) { return }
    }
    messages.push(whole: .set(path, value), tag: tag)
  }

  /// True if a client with this hash already holds the value. Nothing is looked at that need not be.
  private func isHeld(by hash: String) -> Bool {
    hash.isEmpty || value.isNull ? hash.isEmpty && value.isNull : value.simpleHash == hash
  }

  /// Sends only the stretches of the value that the client has not got; false if that is all of it.
  private func push(_ ranges: CompoundHash, into messages: inout MessageList) -> Bool {
    guard let merges = value.rangeMerges(for: ranges) else { return false }
    // The stretches are equal and the values are not: there is something that the ranges don't show.
    if merges.isEmpty { return false }
    messages.push(merges, at: path, tag: tag)
    guard messages.lastCount > MessageChunks.mostBytes else { return true }
    messages.removeLast()
    return false
  }
}

extension MessageList {
  /// A change, in pieces if one message cannot hold it.
  mutating func push(whole change: Change, tag: UInt32?) {
    push(change, tag: tag)
    guard lastCount > MessageChunks.mostBytes else { return }
    removeLast()
    for piece in change.pieces(of: MessageChunks.mostBytes / 8) { push(piece, tag: tag) }
  }
}

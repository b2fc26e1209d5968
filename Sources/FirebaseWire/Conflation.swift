import Engine

/// What becomes of pushes to a client that reads too slowly: they are left out, and when everything before
/// them is sent its listens are told whole, as they are then.
///
///     flowing ── fell behind ──→ leaving out ── all is sent ──→ asked ── refreshed ──→ flowing
///        └──────── nothing was left out ─────────┘
///
/// A read's answer goes at once: it is newer than all that was told before and older than what will be. An
/// answer that says that a write has been made, or not, waits until the listens show it.
struct Conflation {
  private enum State { case flowing, leavingOut, asked }
  private var state = State.flowing
  private var hasLeftOut = false
  /// Too much waits although the listens have not been told yet.
  private var isBehindAgain = false
  private var held: Held?

  /// Apart, as few connections ever have any.
  private final class Held {
    var messages = MessageList()
  }

  var heldBytes: Int { held?.messages.bytes.count ?? 0 }

  mutating func begin() {
    if state == .flowing { state = .leavingOut } else { isBehindAgain = state == .asked }
  }

  /// A push: true if it may be sent.
  mutating func mayPass() -> Bool {
    if state == .flowing { return true }
    hasLeftOut = true
    return false
  }

  /// True if the listens have to be asked for now.
  mutating func ask(isStillBehind: Bool) -> Bool {
    isBehindAgain = isStillBehind
    guard state == .leavingOut, hasLeftOut else { return false }
    state = .asked
    return true
  }

  /// All is sent, and nothing was left out meanwhile.
  var mayJustGoOn: Bool { state == .leavingOut && !hasLeftOut }

  mutating func hold(_ answers: MessageList) {
    let held = held ?? Held()
    held.messages.append(answers)
    self.held = held
  }

  /// The listens have been told: the answers that waited for it, and from now on everything.
  mutating func flow() -> MessageList {
    let answers = held?.messages ?? MessageList()
    let isBehind = isBehindAgain
    self = Conflation()
    if isBehind { begin() }
    return answers
  }

  /// True if an answer has to wait for what was left out before it.
  func holds(_ answer: Answer) -> Bool {
    guard hasLeftOut else { return false }
    // A mark says what the listens show.
    if RequestTag(answer.tag)?.kind == .mark { return true }
    switch answer.outcome {
    case .value, .listening: return false
    case .written, .done, .stale, .failed: return true
    }
  }
}

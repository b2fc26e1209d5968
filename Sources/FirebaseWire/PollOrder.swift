import NIOCore

/// Which poll of a session is held, and which number each answer has. No I/O.
///
/// Clients put the answers in order by their numbers and wait for ever if one is missing, so a number is
/// taken only by an answer, and an answer whose poll is repeated (because it got lost) is given again as it
/// was.
struct PollOrder {
  /// What becomes of a poll that has come.
  enum Arrival: Equatable {
    /// It waits for something to say.
    case held
    /// It waits, and the one that waited until now is to be answered with nothing.
    case heldAfterReleasing(Int64)
    /// It waits in place of its earlier copy, which nobody will read the answer of.
    case heldAgain
    /// Later polls have come already: it is to be answered at once.
    case late
    /// It was answered before, with this.
    case answeredBefore(ByteBuffer)
  }

  private let keptAnswerBytes: Int
  private var nextNumber: Int64 = 0
  private var highest: Int64 = -1
  private var kept: [(serial: Int64, answer: ByteBuffer)] = []
  /// The poll that waits. The number of the request that began the session is `start`.
  private(set) var held: Int64?

  /// Stands for the request that began the session, whose answer is the first.
  static let start: Int64 = -1
  /// Clients have two polls open at most.
  private static let keptAnswers = 2

  init(keptAnswerBytes: Int) {
    self.keptAnswerBytes = keptAnswerBytes
  }

  /// The number of the last answer; below 0 if there is none.
  var lastNumber: Int64 { nextNumber - 1 }

  /// A poll has come.
  mutating func arrive(_ serial: Int64) -> Arrival {
    if let answered = kept.first(where: { $0.serial == serial }) { return .answeredBefore(answered.answer) }
    if held == serial { return .heldAgain }
    guard serial > highest else { return .late }
    highest = serial
    let older = held
    held = serial
    return older.map { .heldAfterReleasing($0) } ?? .held
  }

  /// Waits with the answer to the request that began the session.
  mutating func holdStart() { held = Self.start }

  /// The held poll's peer has left: its number goes to the next.
  mutating func leave(_ serial: Int64) {
    if held == serial { held = nil }
  }

  /// Takes the number of the next answer.
  mutating func takeNumber() -> Int64 {
    defer { nextNumber += 1 }
    return nextNumber
  }

  /// A poll has been answered.
  mutating func answered(_ serial: Int64, _ answer: ByteBuffer) {
    if held == serial { held = nil }
    if kept.count == Self.keptAnswers { kept.removeFirst() }
    if answer.readableBytes <= keptAnswerBytes { kept.append((serial, answer)) }
  }
}

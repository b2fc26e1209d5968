/// How long a peer may take, counted in ticks, without I/O.
struct RequestClock {
  /// What is waited for.
  enum Expectation {
    case nothing
    /// The first byte of a request, or the rest of its head.
    case head
    case body
    /// The peer takes the last bytes.
    case goodbye
    /// The peer closes its side.
    case linger
  }

  enum Verdict: Equatable {
    case fine
    /// A request began and does not get on.
    case late
    /// No request came.
    case idle
    case cut
  }

  private let ticks: Connections.Ticks
  private let windowBytes: Int
  private var since: Int32  // when what is waited for began
  private var isFirst = true  // no request has come yet
  private var hasPartOfHead = false
  private var sawPart = false  // in this read
  private var wasReceiving = false  // a body, after the last read
  private var bodyBytes = 0  // at the beginning of the window
  private var movedAt: Int32
  private var buffered = 0

  init(now: Int32, ticks: Connections.Ticks, windowBytes: Int) {
    since = now
    movedAt = now
    self.ticks = ticks
    self.windowBytes = windowBytes
  }

  /// The parser made something of the input.
  mutating func partCame() {
    sawPart = true
    hasPartOfHead = false
    isFirst = false
  }

  /// A read ended; true if something began in it whose deadline may be nearer than the last one.
  mutating func readCompleted(isReceiving: Bool) -> Bool {
    defer {
      sawPart = false
      wasReceiving = isReceiving
    }
    if isReceiving { return !wasReceiving }
    guard !sawPart, !hasPartOfHead else { return false }
    hasPartOfHead = true
    return !isFirst
  }

  /// What is waited for begins now.
  mutating func restart(at now: Int32, receivedBytes: Int) {
    since = now
    bodyBytes = receivedBytes
  }

  mutating func verdict(at now: Int32, on expectation: Expectation, receivedBytes: Int) -> Verdict {
    guard expectation != .nothing, now >= deadline(on: expectation) else { return .fine }
    switch expectation {
    case .nothing: return .fine
    case .head: return hasPartOfHead ? .late : .idle
    case .body:
      guard receivedBytes - bodyBytes >= windowBytes else { return .late }
      restart(at: now, receivedBytes: receivedBytes)
      return .fine
    case .goodbye, .linger: return .cut
    }
  }

  /// When to ask again.
  func next(after now: Int32, on expectation: Expectation) -> Int32 {
    min(deadline(on: expectation), now &+ ticks.stall)
  }

  /// Nothing waits to be written.
  mutating func moves(at now: Int32) {
    movedAt = now
    buffered = 0
  }

  /// Whether the peer has taken nothing for too long.
  mutating func isStalled(at now: Int32, buffered: Int) -> Bool {
    if buffered != self.buffered {
      self.buffered = buffered
      movedAt = now
    }
    return now &- movedAt >= ticks.stall
  }

  private func deadline(on expectation: Expectation) -> Int32 {
    switch expectation {
    case .nothing: .max
    case .head: since &+ (isFirst || hasPartOfHead ? ticks.head : ticks.idle)
    case .body: since &+ ticks.bodyWindow
    case .goodbye: .max  // as long as the peer takes something
    case .linger: since &+ ticks.linger
    }
  }
}

/// How far a WebSocket is in saying goodbye.
struct CloseHandshake {
  enum Action: Equatable {
    case nothing
    /// Say goodbye and wait for the peer's.
    case send(code: UInt16)
    /// Answer the peer's goodbye, then end the connection.
    case reply(code: UInt16?)
    /// Both have said it: end the connection.
    case end
    /// Tell the peer what it did wrong and stop listening.
    case fail(code: UInt16)
  }

  private enum State { case open, saidByUs, over }
  private var state = State.open

  /// Whether messages may be sent.
  var isOpen: Bool { state == .open }
  /// Whether frames are still listened to.
  var isListening: Bool { state != .over }

  /// The server wants to end it.
  mutating func close(code: UInt16) -> Action {
    guard state == .open else { return .nothing }
    state = .saidByUs
    return .send(code: code)
  }

  /// The peer's close frame came.
  mutating func peerCloses(code: UInt16?) -> Action {
    defer { state = .over }
    switch state {
    case .open: return .reply(code: code)
    case .saidByUs: return .end
    case .over: return .nothing
    }
  }

  /// The peer broke the protocol.
  mutating func peerFails(code: UInt16) -> Action {
    defer { state = .over }
    switch state {
    case .open: return .fail(code: code)
    case .saidByUs: return .end
    case .over: return .nothing
    }
  }

  /// The connection is gone.
  mutating func lost() { state = .over }
}

import NIOCore

/// Something to hand to clients of one loop.
enum Delivery: Sendable {
  /// The same frames for each of these.
  case frames(ByteBuffer, [Client])
  case event(Client, ListenEvent)
  case answer(Client, Answer)
}

/// What the clients of one event loop are to be given, in order: handed over with one `execute` however many
/// they are.
final class Outbox {
  let eventLoop: any EventLoop
  private var deliveries: [Delivery] = []
  /// Frames for `lastGroup` that more may be appended to, not yet in `deliveries`.
  private var frames = ByteBuffer()
  private var lastGroup: ListenGroup?

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  var isEmpty: Bool { deliveries.isEmpty && lastGroup == nil }

  /// Pushes to a group. What goes to the same group in a row becomes one buffer.
  func append(_ push: ByteBuffer, to group: ListenGroup) {
    if lastGroup === group {
      frames.writeImmutableBuffer(push)
    } else {
      settle()
      frames = push
      lastGroup = group
    }
  }

  func append(_ event: ListenEvent, to client: Client) {
    settle()
    deliveries.append(.event(client, event))
  }

  func append(_ answer: Answer, to client: Client) {
    settle()
    deliveries.append(.answer(client, answer))
  }

  /// Captures the members of the last group. Must be called before they change.
  func settle() {
    guard let group = lastGroup else { return }
    deliveries.append(.frames(frames, group.clients))
    lastGroup = nil
    frames = ByteBuffer()
  }

  func take() -> [Delivery] {
    settle()
    let all = deliveries
    deliveries = []
    return all
  }
}

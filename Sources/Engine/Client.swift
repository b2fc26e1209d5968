package import NIOCore

/// What a client's connection does with what the engine sends it. Everything runs on the client's loop, in
/// commit order.
package protocol Receiver: AnyObject {
  /// Pushes as whole frames: append them to the outbox, do not send yet.
  func receive(frames: ByteBuffer)
  /// Something for this client alone.
  func receive(_ event: ListenEvent)
  /// The answer to a request.
  func receive(_ answer: Answer)
  /// Everything of one turn has been received: send it, at once.
  func flush()
  /// Frames, and there is nothing else in this turn: as `receive(frames:)` and `flush` in one.
  func send(frames: ByteBuffer)
}

extension Receiver {
  package func send(frames: ByteBuffer) {
    receive(frames: frames)
    flush()
  }
}

/// Turns a change into a whole push, the same bytes for all listens of one form. Pure: it runs on any thread.
package protocol Dialect: Sendable {
  func encode(_ change: Change, form: PushForm) -> ByteBuffer
}

/// How a listen's pushes look: two listens of equal form get equal bytes for equal changes. Chosen by the
/// wire.
package struct PushForm: Hashable, Sendable {
  /// Which protocol: one number for each `Dialect` type.
  package var dialect: UInt8
  /// Which carrier's framing.
  package var carrier: UInt8
  /// What else is in the bytes (a query's tag, for example); 0 for nothing. Listens with 0 are told each
  /// change once, however many of one client overlap.
  package var variant: UInt32

  package init(dialect: UInt8, variant: UInt32 = 0, carrier: UInt8 = 0) {
    self.dialect = dialect
    self.variant = variant
    self.carrier = carrier
  }
}

/// One connected client: a wire session, an event stream, a REST connection.
///
/// It holds its receiver strongly until `disconnect`, which whoever made it calls when the connection has
/// ended.
package final class Client: Sendable {
  package let eventLoop: any EventLoop
  package let dialect: any Dialect
  private let inbox: NIOLoopBoundBox<Inbox>

  private struct Inbox {
    var receiver: (any Receiver)?
    /// It has been noted for a flush at the end of this turn.
    var isNoted = false
  }

  /// Must be called on the loop.
  package init(eventLoop: any EventLoop, receiver: any Receiver, dialect: any Dialect) {
    self.eventLoop = eventLoop
    self.dialect = dialect
    inbox = NIOLoopBoundBox(Inbox(receiver: receiver), eventLoop: eventLoop)
  }

  /// Process-unique while the client lives.
  package var id: ObjectIdentifier { ObjectIdentifier(self) }

  /// Lets go of the receiver; nothing is received any more. On the client's loop.
  package func disconnect() {
    inbox.value.receiver = nil
  }
}

extension Client {
  /// Hands deliveries to clients, in order, and flushes each client once. On the loop of all of them.
  static func deliver(_ deliveries: [Delivery]) {
    if deliveries.count == 1, case .frames(let frames, let clients) = deliveries[0] {
      for client in clients { client.inbox.value.receiver?.send(frames: frames) }
      return
    }
    // The longest list is walked once; only clients that other deliveries are for wait with their flush.
    let longest = Client.longest(deliveries)
    var noted: [Client] = []
    noted.reserveCapacity(deliveries.count)
    if let longest {
      for (place, delivery) in deliveries.enumerated() where place != longest { delivery.note(&noted) }
    }
    for (place, delivery) in deliveries.enumerated() {
      switch delivery {
      case .frames(let frames, let clients) where place == longest:
        for client in clients { client.receiveOrSend(frames) }
      case .frames(let frames, let clients):
        for client in clients { client.note(&noted)?.receive(frames: frames) }
      case .event(let client, let event): client.note(&noted)?.receive(event)
      case .answer(let client, let answer): client.note(&noted)?.receive(answer)
      }
    }
    for client in noted { client.flush() }
  }

  /// The list that is worth being told apart from the others.
  private static func longest(_ deliveries: [Delivery]) -> Int? {
    var longest: (place: Int, count: Int)?
    for (place, delivery) in deliveries.enumerated() {
      if case .frames(_, let clients) = delivery, clients.count > longest?.count ?? 1 {
        longest = (place, clients.count)
      }
    }
    return longest?.place
  }

  /// Has the client flushed at the end of the turn.
  @discardableResult
  fileprivate func note(_ noted: inout [Client]) -> (any Receiver)? {
    inbox.withValue { inbox in
      if !inbox.isNoted {
        inbox.isNoted = true
        noted.append(self)
      }
      return inbox.receiver
    }
  }

  private func receiveOrSend(_ frames: ByteBuffer) {
    let inbox = inbox.value
    if inbox.isNoted {
      inbox.receiver?.receive(frames: frames)
    } else {
      inbox.receiver?.send(frames: frames)
    }
  }

  private func flush() {
    let receiver = inbox.withValue { inbox in
      inbox.isNoted = false
      return inbox.receiver
    }
    receiver?.flush()
  }
}

extension Delivery {
  fileprivate func note(_ noted: inout [Client]) {
    switch self {
    case .frames(_, let clients): for client in clients { client.note(&noted) }
    case .event(let client, _), .answer(let client, _): client.note(&noted)
    }
  }
}

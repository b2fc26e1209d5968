package import Engine
package import NIOCore
import Transport

/// What the database tells a connection.
///
/// A large value is made into text beside the loop. What is told meanwhile waits for it, so that everything
/// leaves in the order in which it was told.
enum Told {
  case frames(ByteBuffer)
  case event(ListenEvent)
  case answer(Answer)

  fileprivate var bytes: Int {
    if case .frames(let frames) = self { frames.readableBytes } else { 0 }
  }
}

extension FirebaseConnection: Receiver {
  package func receive(frames: ByteBuffer) {
    if backlog.isOpen { return wait(.frames(frames)) }
    guard let link, conflation.mayPass() else { return }
    appendMessages(to: link)
    link.append(frames: hasMoved ? MessageLines.frames(frames) : frames)
  }

  package func send(frames: ByteBuffer) {
    if backlog.isOpen { return wait(.frames(frames)) }
    guard let link, conflation.mayPass() else { return }
    appendMessages(to: link)
    link.send(frames: hasMoved ? MessageLines.frames(frames) : frames)
  }

  package func receive(_ event: ListenEvent) {
    if backlog.isOpen { return wait(.event(event)) }
    guard let telling = session?.telling(of: event) else {
      session?.receive(event, into: &actions)
      return
    }
    let isRefresh = if case .refreshed = event { true } else { false }
    if telling.isLong { return tell(telling, isRefresh: isRefresh) }
    telling.write(into: &actions.messages)
    if isRefresh { actions.messages.append(conflation.flow()) }
  }

  package func receive(_ answer: Answer) {
    if backlog.isOpen { return wait(.answer(answer)) }
    if !conflation.holds(answer) {
      if let telling = session?.telling(of: answer), telling.isLong { return tell(telling, isRefresh: false) }
      session?.receive(answer, into: &actions)
      return
    }
    let before = actions.messages
    actions.messages = MessageList()
    session?.receive(answer, into: &actions)
    conflation.hold(actions.messages)
    actions.messages = before
    // Too many answers: the listens are told although not all is sent, and the budget is the end of it.
    if conflation.heldBytes > services.limits.heldAnswerBytes { refresh(isStillBehind: true) }
  }

  package func flush() {
    send()
  }

  // MARK: Large values

  private func tell(_ telling: Telling, isRefresh: Bool) {
    guard let link else { return }
    backlog.open()
    let (carrier, framing) = (link.carrier, link.framing)
    let bound = NIOLoopBound(self, eventLoop: link.eventLoop)
    services.longWork.run(for: link.eventLoop) {
      var messages = MessageList()
      telling.write(into: &messages)
      return (messages, messages.frames(carrier: carrier, framing: framing))
    } then: { messages, frames in
      bound.value.made(messages, frames, for: carrier, isRefresh: isRefresh)
    }
  }

  /// A large value has become text: it is sent, and what has waited for it.
  private func made(_ messages: MessageList, _ frames: ByteBuffer, for carrier: UInt8, isRefresh: Bool) {
    guard let link else { return }
    if link.carrier == carrier {
      appendMessages(to: link)
      link.append(frames: frames)
    } else {
      // The session has gone over to another carrier meanwhile.
      actions.messages.append(messages)
    }
    let waiting = backlog.close()
    if isRefresh { actions.messages.append(conflation.flow()) }
    for told in waiting {
      switch told {
      case .frames(let frames): receive(frames: frames)
      case .event(let event): receive(event)
      case .answer(let answer): receive(answer)
      }
    }
    carryOut()
    send()
  }

  private func wait(_ told: Told) {
    // Past the bound the connection is being closed already.
    guard backlog.bytes <= services.limits.backlogBytes else { return }
    backlog.append(told, bytes: told.bytes)
    guard backlog.bytes > services.limits.backlogBytes else { return }
    link?.close(code: CloseCode.tryAgainLater, reason: FirebaseText.overloaded)
  }

  // MARK: Falling behind

  package func fellBehind() {
    if client != nil { conflation.begin() }
  }

  package func caughtUp() {
    guard conflation.mayJustGoOn else { return refresh(isStillBehind: false) }
    _ = conflation.flow()
  }

  /// Asks for what the listens show now. Until it comes, what comes of them is older.
  private func refresh(isStillBehind: Bool) {
    guard let database, let client, conflation.ask(isStillBehind: isStillBehind) else { return }
    database.enterLater { $0.refresh(client) }
  }
}

import Engine
import NIOCore
import Transport

/// What the client sends.
///
/// A long message is read beside the loop. What comes meanwhile waits for it, so that requests are taken in
/// the order in which they were sent.
extension FirebaseConnection {
  /// What came has been put together from its frames, or has been found to be too long.
  func receive(_ step: FrameAssembler.Step) {
    if unread.isOpen { return wait(step) }
    switch step {
    case .nothing: break
    case .message(let text) where text.readableBytes > LongWork.shortBytes: readBeside(text)
    case .message(let text): pass(text.withUnsafeReadableBytes(Request.read), bytes: text.readableBytes)
    case .oversized(let number): session?.receiveOversized(number: number, into: &actions)
    }
  }

  private func pass(_ request: Request, bytes: Int) {
    if case .endOfTransmission = request { return leavePolling() }
    session?.receive(request, bytes: bytes, into: &actions)
  }

  private func readBeside(_ text: ByteBuffer) {
    guard let link else { return }
    unread.open()
    let bound = NIOLoopBound(self, eventLoop: link.eventLoop)
    services.longWork.run(for: link.eventLoop) {
      text.withUnsafeReadableBytes(Request.read)
    } then: { request in
      bound.value.hasRead(request, bytes: text.readableBytes)
    }
  }

  private func hasRead(_ request: Request, bytes: Int) {
    let waiting = unread.close()
    guard link != nil else { return }
    pass(request, bytes: bytes)
    for step in waiting { receive(step) }
    receivedAll()
  }

  private func wait(_ step: FrameAssembler.Step) {
    if case .nothing = step { return }
    let limit = services.limits.waitingBytes
    // Past the bound the connection is being closed already.
    guard unread.bytes <= limit else { return }
    let bytes = if case .message(let text) = step { text.readableBytes } else { 0 }
    unread.append(step, bytes: bytes)
    if unread.bytes > limit { link?.close(code: SessionClose.tooMuch, reason: FirebaseText.tooManyWaiting) }
  }
}

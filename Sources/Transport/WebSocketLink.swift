import NIOCore

/// One WebSocket: the only handler left on its channel after the upgrade (but for TLS).
final class WebSocketLink: MessageLink, Connection {
  // What a push touches comes first.
  private var outbox: Outbox
  private var handshake = CloseHandshake()
  private var end = End.no
  private var wantsFlush = false
  private var hasNews = false  // messages since the last `receivedAll`
  private var isPinged = false
  private var isBehind = false  // the handler was told so
  private var heard: Int32  // the tick in which the peer was last heard of
  private var deadline: Int32 = .max  // of saying goodbye
  private var context: ChannelHandlerContext?
  private let connections: Connections
  private var handler: (any MessageHandler)?
  private var reader = FrameReader()
  var place = DeadlineWheel.Place.none

  /// What happens to the socket once everything is sent.
  private enum End {
    case no, close
    /// Says that nothing more comes, and lets the peer read why before the socket goes.
    case linger
    case lingering
  }

  init(handler: any MessageHandler, connections: Connections, descriptor: CInt) {
    self.handler = handler
    self.connections = connections
    outbox = Outbox(descriptor: descriptor)
    heard = connections.now
  }

  var eventLoop: any EventLoop { connections.eventLoop }
  var carrier: UInt8 { 0 }
  var remoteAddress: String? { context?.remoteAddress?.ipAddress }

  // MARK: Sending

  func append(frames: ByteBuffer) {
    guard handshake.isOpen else { return }
    if !outbox.append(frames, budget: connections.limits.outboundBudgetBytes) { return overflow() }
    if outbox.waitsForNIO { measure() }
  }

  func append(text: ByteBuffer) {
    var frames = ByteBuffer()
    frames.reserveCapacity(text.readableBytes + WebSocketFraming.headBytes)
    WebSocketFraming.append(text: text, to: &frames)
    append(frames: frames)
  }

  func flush() {
    act(outbox.flush())
    if outbox.waitsForNIO { measure() }
  }

  func send(frames: ByteBuffer) {
    guard handshake.isOpen else { return }
    guard let action = outbox.send(frames, budget: connections.limits.outboundBudgetBytes) else {
      return overflow()
    }
    act(action)
    if outbox.waitsForNIO { measure() }
  }

  /// Tells the handler once too much waits.
  private func measure() {
    guard !isBehind, outbox.queuedBytes > connections.limits.conflationBytes, handshake.isOpen else { return }
    isBehind = true
    handler?.fellBehind()
  }

  func close(code: UInt16, reason: String) { act(handshake.close(code: code), reason: reason) }

  @inline(__always)
  private func act(_ action: Outbox.Action) {
    if case .nothing = action { return }
    handOver(action)
  }

  @inline(never)
  private func handOver(_ action: Outbox.Action) {
    switch action {
    case .nothing: break
    case .handOver(let first, let second):
      guard let context else { return }
      let written = context.eventLoop.makePromise(of: Void.self)
      written.futureResult.assumeIsolated().whenComplete { self.wasWritten($0) }
      if let second {
        context.write(wrapOutboundOut(first), promise: nil)
        context.writeAndFlush(wrapOutboundOut(second), promise: written)
      } else {
        context.writeAndFlush(wrapOutboundOut(first), promise: written)
      }
    case .broken:
      // Later, since whoever pushes may be in the middle of a round over all links.
      eventLoop.assumeIsolated().execute { self.cut() }
    }
  }

  private func wasWritten(_ result: Result<Void, any Error>) {
    guard case .success = result else { return outbox.forgetSocket() }
    outbox.wasWritten()
    flush()
    endIfSent()
    guard isBehind, outbox.isEmpty else { return }
    isBehind = false
    handler?.caughtUp()
  }

  /// The peer takes too little of what it is sent.
  private func overflow() {
    outbox.drop()
    let action = handshake.peerFails(code: CloseCode.tryAgainLater)
    eventLoop.assumeIsolated().execute { self.act(action, reason: "too slow") }
  }

  // MARK: Saying goodbye

  private func act(_ action: CloseHandshake.Action, reason: String = "") {
    switch action {
    case .nothing: break
    case .send(let code):
      sendClose(code: code, reason: reason)
      setDeadline(in: connections.ticks.close)
    case .reply(let code):
      sendClose(code: code, reason: "")
      finish(.close)
    case .end:
      finish(.close)
    case .fail(let code):
      sendClose(code: code, reason: reason)
      finish(connections.isTLS ? .close : .linger)
    }
  }

  private func sendClose(code: UInt16?, reason: String) {
    var frame = ByteBuffer()
    WebSocketFraming.appendClose(code: code, reason: reason, to: &frame)
    outbox.append(frame)
    flush()
  }

  private func finish(_ end: End) {
    self.end = end
    setDeadline(in: connections.ticks.close)
    reader = FrameReader()
    endIfSent()
    tellClosed()
  }

  private func endIfSent() {
    guard end == .close || end == .linger, outbox.isEmpty, let context else { return }
    if end == .close { return cut() }
    end = .lingering
    setDeadline(in: connections.ticks.linger)
    context.close(mode: .output, promise: nil)
  }

  private func setDeadline(in ticks: Int32) {
    guard context != nil else { return }
    deadline = connections.now &+ ticks
    connections.move(self, deadline: deadline)
  }

  private func tellClosed() {
    announce()
    guard let handler else { return }
    self.handler = nil
    handler.closed()
  }

  // MARK: Deadlines

  func check(at now: Int32) -> Int32? {
    guard context != nil else { return nil }
    if now >= deadline || now &- heard >= connections.ticks.silence {
      cut()
      // TLS takes a moment to say goodbye.
      return context == nil ? nil : now &+ connections.ticks.close
    }
    guard handshake.isOpen else { return deadline }
    let pingAt = heard &+ connections.ticks.ping
    guard now >= pingAt else { return pingAt }
    if !isPinged {
      isPinged = true
      outbox.append(Self.ping)
      flush()
    }
    return heard &+ connections.ticks.silence
  }

  private static let ping = ByteBuffer(bytes: [0x89, 0])

  func quiesce() { close(code: CloseCode.goingAway, reason: "") }

  func cut() {
    handshake.lost()
    outbox.forgetSocket()
    context?.close(promise: nil)
  }
}

// MARK: - The channel

extension WebSocketLink: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connections.add(self, deadline: heard &+ connections.ticks.ping)
  }

  /// Sends the answer to the handshake, and starts.
  func open(with response: ByteBuffer) {
    outbox.append(response)
    flush()
    handler?.opened(link: self)
    if connections.isQuiescing { quiesce() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var input = unwrapInboundIn(data)
    heard = connections.now
    isPinged = false
    let limits = FrameReader.Limits(
      frameBytes: connections.limits.frameBytes, messageBytes: connections.limits.messageBytes)
    while handshake.isListening,
      let event = reader.next(from: &input, scratch: &connections.scratch, limits: limits)
    {
      act(event)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { readComplete() }

  /// Tells the handler that it has all there is for now.
  private func announce() {
    guard hasNews else { return }
    hasNews = false
    handler?.receivedAll()
  }

  func readComplete() {
    announce()
    if wantsFlush {
      wantsFlush = false
      flush()
    }
    if connections.scratch.capacity > Self.scratchBytes { connections.scratch = ByteBuffer() }
  }

  private static let scratchBytes = 64 * 1024

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent { cut() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { cut() }

  func channelInactive(context: ChannelHandlerContext) { leave() }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  private func leave() {
    guard context != nil else { return }
    handshake.lost()
    outbox.forgetSocket()
    connections.remove(self)
    context = nil
    tellClosed()
  }

  private func act(_ event: FrameReader.Event) {
    switch event {
    case .message(let message, let isText):
      guard handshake.isOpen else { return }
      hasNews = true
      handler?.received(message, isText: isText)
    case .ping(let payload):
      guard handshake.isOpen else { return }
      var pong = ByteBuffer()
      WebSocketFraming.append(.pong, payload: payload, to: &pong)
      append(frames: pong)
      wantsFlush = true
    case .pong:
      break
    case .close(let code):
      announce()
      act(handshake.peerCloses(code: code))
    case .violation(let code):
      announce()
      act(handshake.peerFails(code: code))
    }
  }
}

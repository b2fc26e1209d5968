import NIOCore

// What an exchange says becomes bytes.
extension HTTPConnection: ExchangeSink {
  private static let joinedBytes = 4096

  func send(status: Int, headers: [(String, String)], body: ByteBuffer) {
    guard case .answering = turn else { return }
    write(status: status, headers: headers, body: body)
    finishAnswer()
  }

  func send(_ head: ResponseHead, body: UnsafeRawBufferPointer) {
    guard case .answering = turn else { return }
    let framing = ResponseText.framing(status: head.status, count: body.count)
    var output = ByteBuffer()
    output.reserveCapacity(head.text.count + 64 + body.count)
    output.writeBytes(head.text)
    ResponseText.appendEnd(of: framing, connection: connectionHeader, to: &output)
    if !isHEAD, framing != .none { output.writeBytes(body) }
    outbox.append(output)
    finishAnswer()
  }

  /// Answers without the router.
  func sendError(_ refusal: Refusal) {
    var headers = [("Content-Type", "application/json; charset=utf-8")]
    if refusal.status == 426 { headers.append(("Sec-WebSocket-Version", "13")) }
    let text = "{\"error\":\"" + refusal.text.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline } + "\"}"
    write(status: refusal.status, headers: headers, body: ByteBuffer(string: text))
    finishAnswer()
  }

  private func write(status: Int, headers: [(String, String)], body: ByteBuffer) {
    var output = ByteBuffer()
    let isJoined = body.readableBytes <= Self.joinedBytes
    output.reserveCapacity(256 + (isJoined ? body.readableBytes : 0))
    let framing = ResponseText.framing(status: status, count: body.readableBytes)
    ResponseText.appendHead(
      status: status, headers: headers, framing: framing, connection: connectionHeader, to: &output)
    let isBare = isHEAD || framing == .none
    if !isBare, isJoined { output.writeImmutableBuffer(body) }
    outbox.append(output)
    if !isBare, !isJoined { outbox.append(body) }
  }

  private var connectionHeader: StaticString? {
    if connections.isQuiescing { keepsAlive = false }
    return keepsAlive ? (speaksHTTP11 ? nil : "keep-alive") : "close"
  }

  func startBody(status: Int, headers: [(String, String)]) {
    guard case .answering(let exchange) = turn else { return }
    if !speaksHTTP11 { keepsAlive = false }
    let framing = speaksHTTP11 ? ResponseText.Framing.chunks : .close
    var output = ByteBuffer()
    ResponseText.appendHead(
      status: status, headers: headers, framing: framing, connection: connectionHeader, to: &output)
    outbox.append(output)
    turn = .streaming(exchange, framing)
    flushSoon()
  }

  func writeBody(_ piece: ByteBuffer) {
    guard case .streaming(_, let framing) = turn, !isHEAD else { return }
    var output = piece
    if framing == .chunks {
      output = ByteBuffer()
      output.reserveCapacity(piece.readableBytes + 20)
      EventStreamFraming.append(text: piece, to: &output)
    }
    guard outbox.append(output, budget: connections.limits.outboundBudgetBytes) else { return cutLater() }
    flushSoon()
  }

  func endBody() {
    guard case .streaming(_, let framing) = turn else { return }
    if framing == .chunks, !isHEAD { outbox.append(ResponseText.lastChunk) }
    finishAnswer()
  }

  var isWritable: Bool {
    if outbox.queuedBytes < connections.limits.streamWindowBytes { return true }
    isStarved = true
    return false
  }

  func abort() { cutLater() }

  func startEventStream(headers: [(String, String)]) -> EventStream {
    let stream = EventStream(eventLoop: connections.eventLoop, sink: self)
    keepsAlive = false
    var output = ByteBuffer()
    ResponseText.appendHead(
      status: 200, headers: headers, framing: speaksHTTP11 ? .chunks : .close, connection: "close",
      to: &output)
    outbox.append(output)
    turn = .events(stream, isChunked: speaksHTTP11)
    if isHEAD {
      stream.close()
    } else {
      flushSoon()
    }
    return stream
  }

  /// The answer is complete: the next may begin, or the connection ends.
  private func finishAnswer() {
    if keepsAlive {
      turn = .idle
      restartClock()
      flushSoon()
      advance()
    } else {
      finishConnection()
    }
  }
}

extension HTTPConnection: EventStreamSink {
  func append(frames: ByteBuffer) {
    guard case .events(let stream, let isChunked) = turn else { return }
    let bytes = isChunked ? frames : EventStreamFraming.unchunked(frames)
    if !outbox.append(bytes, budget: connections.limits.outboundBudgetBytes) { return cutLater() }
    if outbox.waitsForNIO { stream.measured(outbox.queuedBytes, limit: connections.limits.conflationBytes) }
  }

  func endEventStream() {
    guard case .events(_, let isChunked) = turn else { return }
    if isChunked, !isHEAD { outbox.append(ResponseText.lastChunk) }
    finishConnection()
  }
}

// MARK: - The outbox

extension HTTPConnection {
  /// Sends now, or with everything else that the present read causes.
  func flushSoon() {
    if isReading { wantsFlush = true } else { flush() }
  }

  func flush() {
    guard let context else { return }
    wantsFlush = false
    // The parser stands before this handler and may speak up while the socket is already closed.
    if !context.channel.isActive { outbox.forgetSocket() }
    switch outbox.flush() {
    case .nothing: break
    case .handOver(let first, let second):
      let written = context.eventLoop.makePromise(of: Void.self)
      written.futureResult.assumeIsolated().whenComplete { self.wasWritten($0) }
      if let second {
        context.write(wrapOutboundOut(first), promise: nil)
        context.writeAndFlush(wrapOutboundOut(second), promise: written)
      } else {
        context.writeAndFlush(wrapOutboundOut(first), promise: written)
      }
      if case .events(let stream, _) = turn {
        stream.measured(outbox.queuedBytes, limit: connections.limits.conflationBytes)
      }
      return
    case .broken: return cutLater()
    }
    drained()
  }

  private func wasWritten(_ result: Result<Void, any Error>) {
    guard case .success = result else { return outbox.forgetSocket() }
    outbox.wasWritten()
    flush()
  }

  /// Fewer bytes wait than before: goes on with what that held up.
  private func drained() {
    let hasRoom = outbox.queuedBytes < connections.limits.streamWindowBytes
    if isStarved, hasRoom, case .streaming(let exchange, _) = turn {
      isStarved = false
      exchange.becameWritable()
    }
    switch turn {
    case .upgrading where outbox.isEmpty: upgrade()
    case .over where outbox.isEmpty: endSocket()
    case .idle: advance()
    case .events(let stream, _):
      stream.measured(outbox.queuedBytes, limit: connections.limits.conflationBytes)
    default: break
    }
  }

  /// Ends the connection after what is queued.
  func finishConnection() {
    turn = .over
    restartClock()
    flushSoon()
  }

  private func endSocket() {
    guard let context, !isLingering else { return }
    guard isDeaf, !connections.isTLS else {
      context.close(promise: nil)
      return
    }
    // Closing with unread input would reset the connection and take the answer with it.
    isLingering = true
    restartClock()
    context.close(mode: .output, promise: nil)
    context.read()
  }

  /// Later, since whoever answers may be in the middle of something.
  func cutLater() {
    connections.eventLoop.assumeIsolated().execute { self.cut() }
  }
}

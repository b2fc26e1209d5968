import Logging
import NIOCore
import NIOHTTP1

/// One connection that speaks HTTP/1.1, until it is closed or becomes a WebSocket.
///
/// Requests are answered one at a time, in order; those that come early wait in a short queue, and while
/// any waits nothing more is read.
final class HTTPConnection: Connection {
  /// Whose turn it is.
  enum Turn {
    case idle
    case answering(Exchange)
    case streaming(Exchange, ResponseText.Framing)
    case events(EventStream, isChunked: Bool)
    /// To be a WebSocket as soon as everything before it is sent.
    case upgrading(any MessageHandler, key: String)
    /// Nothing is answered any more; the socket ends when everything is sent.
    case over
  }

  enum Waiting {
    case request(IncomingRequest)
    case refusal(Refusal)
  }

  let connections: Connections
  let decoder: ByteToMessageHandler<HTTPRequestDecoder>
  var context: ChannelHandlerContext?
  var place = DeadlineWheel.Place.none

  var turn = Turn.idle
  var outbox = Outbox(descriptor: -1)
  /// The exchange's client wants, and may have, another answer on this connection.
  var keepsAlive = true
  var isHEAD = false
  var speaksHTTP11 = true
  /// The application was told that a stream is not writable.
  var isStarved = false
  /// Inside a read: answers leave together at its end.
  var isReading = false
  var wantsFlush = false
  /// A refusal was given: what else comes is not looked at.
  var isDeaf = false
  var isLingering = false

  private let memory = ConnectionMemory()
  private var waiting = CircularBuffer<Waiting>()
  private var assembly = RequestAssembly()
  private var isReadHeld = false
  private var isAdvancing = false
  private var peer: SocketAddress?
  /// The peer has said that it sends nothing more.
  private var isInputClosed = false
  private var clock: RequestClock

  init(connections: Connections) {
    self.connections = connections
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = connections.limits.headBytes
    limits.maxHeaderListSize = connections.limits.headBytes
    limits.maxHeaderFieldCount = connections.limits.headerFields
    decoder = ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
    clock = RequestClock(
      now: connections.now, ticks: connections.ticks, windowBytes: connections.limits.bodyWindowBytes)
  }

  /// Puts the handlers of HTTP into a fresh channel. Call it on the channel's loop.
  static func install(on channel: any Channel, connections: Connections) throws {
    let connection = HTTPConnection(connections: connections)
    try channel.pipeline.syncOperations.addHandlers(connection.decoder, connection)
  }

  // MARK: Requests

  private func read(_ part: HTTPServerRequestPart) {
    clock.partCame()
    if isDeaf { return }
    switch part {
    case .head(let head):
      let head = RequestHead(head, peer: peer, isTLS: connections.isTLS)
      if let refusal = assembly.begin(head, limit: connections.router.bodyLimitBytes(for: head)) {
        refuse(refusal)
      }
    case .body(let piece):
      assembly.answeredExpectation()
      if let refusal = assembly.append(piece) { refuse(refusal) }
    case .end:
      guard let request = assembly.end() else { return }
      guard waiting.count < connections.limits.pipelined else {
        return refuse(Refusal(status: 429, text: "Too many requests at once."))
      }
      waiting.append(.request(request))
    }
    advance()
  }

  private func refuse(_ refusal: Refusal) {
    guard !isDeaf else { return }
    isDeaf = true
    assembly = RequestAssembly()
    waiting.append(.refusal(refusal))
    advance()
  }

  /// Goes on with what waits, as far as that is possible now.
  func advance() {
    guard !isAdvancing, context != nil else { return }
    isAdvancing = true
    while case .idle = turn, outbox.queuedBytes < connections.limits.streamWindowBytes,
      let next = waiting.popFirst()
    {
      start(next)
    }
    isAdvancing = false
    guard case .idle = turn, waiting.isEmpty, context != nil else { return }
    if (isInputClosed || connections.isQuiescing) && !assembly.isReceiving { return finishConnection() }
    if assembly.expectsContinue {
      assembly.answeredExpectation()
      outbox.append(ResponseText.goOn)
      flushSoon()
    }
    if isReadHeld {
      isReadHeld = false
      context?.read()
    }
  }

  private func start(_ next: Waiting) {
    switch next {
    case .refusal(let refusal):
      keepsAlive = false
      isHEAD = false
      sendError(refusal)
    case .request(let request):
      let head = request.head
      isHEAD = head.isHEAD
      speaksHTTP11 = head.isHTTP11
      keepsAlive = head.isKeepAlive
      if request.hasUpgrade {
        // The parser stops at whatever looks like an upgrade, so nothing can follow one that is refused.
        if head.hasToken("upgrade", in: "connection") { keepsAlive = false }
        if WebSocketHandshake.isAsked(by: head) { return startUpgrade(request) }
      }
      let exchange = Exchange(
        head: head, body: request.body, eventLoop: connections.eventLoop, sink: self, memory: memory)
      turn = .answering(exchange)
      connections.router.respond(to: exchange)
    }
  }

  private func startUpgrade(_ request: IncomingRequest) {
    keepsAlive = false
    switch WebSocketHandshake.check(request.head) {
    case .refused(let status, let text):
      sendError(Refusal(status: status, text: text))
    case .lawful where request.body.readableBytes > 0:
      sendError(RequestAssembly.malformed)
    case .lawful where connections.isQuiescing:
      sendError(Refusal(status: 503, text: "The server is shutting down."))
    case .lawful(let key):
      switch connections.router.acceptWebSocket(request.head, on: connections.eventLoop) {
      case .refuse(let status, let text):
        sendError(Refusal(status: status, text: text))
      case .accept(let handler):
        turn = .upgrading(handler, key: key)
        if outbox.isEmpty { upgrade() } else { flushSoon() }
      }
    }
  }

  /// Gives the channel to a WebSocket. Bytes that the parser has not read go to it when the parser leaves.
  func upgrade() {
    guard case .upgrading(let handler, let key) = turn, let context else { return }
    let pipeline = context.pipeline.syncOperations
    let link = WebSocketLink(handler: handler, connections: connections, descriptor: outbox.descriptor)
    do {
      try pipeline.addHandler(link, position: .after(self))
    } catch {
      return cut()
    }
    turn = .over
    if isReadHeld { context.read() }
    let parserLeft = context.eventLoop.makePromise(of: Void.self)
    parserLeft.futureResult.assumeIsolated().whenComplete { _ in link.readComplete() }
    pipeline.removeHandler(decoder, promise: parserLeft)
    pipeline.removeHandler(self, promise: nil)
    link.open(with: WebSocketHandshake.response(key: key))
  }

  private func descriptor(of context: ChannelHandlerContext) -> CInt {
    if connections.isTLS { return -1 }
    let handle = try? context.pipeline.syncOperations
      .withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    return handle ?? -1
  }

  // MARK: Deadlines

  func check(at now: Int32) -> Int32? {
    guard let context else { return nil }
    if outbox.waitsForNIO {
      let buffered = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
      if clock.isStalled(at: now, buffered: buffered ?? 0) { cut() }
    } else {
      clock.moves(at: now)
    }
    switch clock.verdict(at: now, on: expectation, receivedBytes: assembly.receivedBytes) {
    case .fine: break
    case .late: refuse(RequestAssembly.late)
    case .idle: finishConnection()
    case .cut: cut()
    }
    return self.context == nil ? nil : clock.next(after: now, on: expectation)
  }

  private var expectation: RequestClock.Expectation {
    switch turn {
    case .over: isLingering ? .linger : .goodbye
    case .idle where waiting.isEmpty: assembly.isReceiving ? .body : .head
    default: .nothing
    }
  }

  func restartClock() {
    guard context != nil, place != .none else { return }
    clock.restart(at: connections.now, receivedBytes: assembly.receivedBytes)
    connections.move(self, deadline: clock.next(after: connections.now, on: expectation))
  }

  func quiesce() {
    keepsAlive = false
    switch turn {
    case .idle where waiting.isEmpty && !assembly.isReceiving: finishConnection()
    case .events(let stream, _):
      stream.peerLeft()
      endEventStream()
    default: break
    }
  }

  func cut() {
    turn = finishTurn()
    outbox.forgetSocket()
    context?.close(promise: nil)
  }

  /// The peer is gone, or has to go: whoever answers is told.
  private func finishTurn() -> Turn {
    let last = turn
    turn = .over
    switch last {
    case .answering(let exchange), .streaming(let exchange, _): exchange.peerLeft()
    case .events(let stream, _): stream.peerLeft()
    case .idle, .upgrading, .over: break
    }
    return .over
  }
}

// MARK: - The channel

extension HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    outbox = Outbox(descriptor: descriptor(of: context))
    connections.add(self, deadline: clock.next(after: connections.now, on: .head))
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  private func leave() {
    guard context != nil else { return }
    outbox.forgetSocket()
    connections.remove(self)
    context = nil
    waiting.removeAll()
    turn = finishTurn()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if peer == nil { peer = context.remoteAddress }
    isReading = true
    read(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    if clock.readCompleted(isReceiving: assembly.isReceiving) { restartClock() }
    if wantsFlush { flush() }
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    // A refused peer is heard out, so that it reads the answer before the socket goes.
    if case .over = turn { return context.read() }
    if waiting.isEmpty, !isDeaf { context.read() } else { isReadHeld = true }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else { return }
    isInputClosed = true
    switch turn {
    case .idle: advance()
    case .events: cut()
    case .answering(let exchange) where exchange.endsWithInput: cut()
    case .over where isLingering: cut()
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case let error as HTTPParserError: refuse(RequestAssembly.refusal(for: error))
    case is ByteToMessageDecoderError: break  // more input after a refusal
    default:
      connections.logger.debug("connection failed", metadata: ["error": "\(error)"])
      cut()
    }
  }
}

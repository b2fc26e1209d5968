package import NIOCore

/// Where an exchange's answer goes: the connection, or a recorder in a test.
package protocol ExchangeSink: AnyObject {
  /// A whole answer.
  func send(status: Int, headers: [(String, String)], body: ByteBuffer)
  /// A whole answer whose head was made before.
  func send(_ head: ResponseHead, body: UnsafeRawBufferPointer)
  /// The head of an answer whose body follows in pieces.
  func startBody(status: Int, headers: [(String, String)])
  func writeBody(_ piece: ByteBuffer)
  func endBody()
  /// Whether pieces can be sent without piling up.
  var isWritable: Bool { get }
  func startEventStream(headers: [(String, String)]) -> EventStream
  /// Cuts the connection, because the answer cannot be completed.
  func abort()
}

extension ExchangeSink {
  package func send(_ head: ResponseHead, body: UnsafeRawBufferPointer) {
    send(status: head.status, headers: head.headers, body: ByteBuffer(bytes: body))
  }
}

/// What whoever answers the requests of one connection keeps from one to the next. Used on its loop only.
package final class ConnectionMemory {
  package var value: AnyObject?

  package init() {}
}

/// One HTTP request being answered. Used on its loop only.
///
/// Whatever is said after the answer is complete, or after the peer left, is ignored.
package final class Exchange {
  package let head: RequestHead
  /// The whole body, within the router's bound.
  package let body: ByteBuffer
  package let eventLoop: any EventLoop
  package let memory: ConnectionMemory
  /// The peer left before the answer was complete. Not called after a complete answer.
  package var onClose: (() -> Void)?
  /// A streamed answer can go on: `isWritable` became true again.
  package var onWritable: (() -> Void)?

  /// The answer may be long in coming: a peer that closes its side of the connection meanwhile has left.
  package var endsWithInput = false

  private enum State { case waiting, streaming, done }
  private var state = State.waiting
  private let sink: any ExchangeSink

  package init(
    head: RequestHead, body: ByteBuffer, eventLoop: any EventLoop, sink: any ExchangeSink,
    memory: ConnectionMemory = ConnectionMemory()
  ) {
    self.memory = memory
    self.head = head
    self.body = body
    self.eventLoop = eventLoop
    self.sink = sink
  }

  /// Whether only the head of the answer is sent.
  package var isHEAD: Bool { head.isHEAD }
  /// Whether the answer is complete or the peer has left.
  package var isOver: Bool { state == .done }
  /// Whether a streamed answer should go on; if not, wait for `onWritable`.
  package var isWritable: Bool { state == .streaming && sink.isWritable }

  /// Answers with a whole body; its length, keep-alive and HEAD are taken care of.
  package func respond(status: Int, headers: [(String, String)] = [], body: ByteBuffer = ByteBuffer()) {
    guard state == .waiting else { return }
    finish()
    sink.send(status: status, headers: headers, body: body)
  }

  /// Answers with a head that was made before and a whole short body.
  package func respond(_ head: ResponseHead, body: UnsafeRawBufferPointer) {
    guard state == .waiting else { return }
    finish()
    sink.send(head, body: body)
  }

  /// Starts an answer whose body comes in pieces. `write` and `end` follow.
  package func startBody(status: Int, headers: [(String, String)] = []) {
    guard state == .waiting else { return }
    state = .streaming
    sink.startBody(status: status, headers: headers)
  }

  /// Sends a piece of the body. Look at `isWritable` after each.
  package func write(_ piece: ByteBuffer) {
    guard state == .streaming, piece.readableBytes > 0 else { return }
    sink.writeBody(piece)
  }

  /// Completes a streamed answer.
  package func end() {
    guard state == .streaming else { return }
    finish()
    sink.endBody()
  }

  /// Answers with a stream of events that ends when either side closes it; nil if the peer has left.
  package func startEventStream(headers: [(String, String)] = []) -> EventStream? {
    guard state == .waiting else { return nil }
    finish()
    return sink.startEventStream(headers: headers)
  }

  /// Cuts the connection: the answer cannot be completed.
  package func abort() {
    guard state != .done else { return }
    finish()
    sink.abort()
  }

  /// The connection tells that the peer left.
  package func peerLeft() {
    guard state != .done else { return }
    let callback = onClose
    finish()
    callback?()
  }

  /// The connection tells that more pieces can be sent.
  package func becameWritable() {
    if state == .streaming { onWritable?() }
  }

  private func finish() {
    state = .done
    onClose = nil
    onWritable = nil
  }
}

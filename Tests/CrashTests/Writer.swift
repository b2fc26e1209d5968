import NIOCore
import NIOPosix

/// What a writer saw before its connection broke.
struct WriterReport: Sendable {
  /// Writes 0 ..< sent were sent, in order.
  var sent = 0
  /// Writes 0 ..< acknowledged were acknowledged, in order.
  var acknowledged = 0
  /// The first thing that should not have happened.
  var complaint: String?
}

/// Which protocol a writer speaks.
enum WriterKind: String, Sendable {
  case rest, webSocket
}

/// Puts 0, 1, 2, … under `path/0`, `path/1`, …, several under way at a time, until the connection breaks.
final class Writer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Writes that are under way at a time.
  private static let window = 8

  private let kind: WriterKind
  private let path: String
  private let promise: EventLoopPromise<WriterReport>
  private var report = WriterReport()
  private var isReady = false
  private var received = ByteBuffer()

  private init(_ kind: WriterKind, path: String, promise: EventLoopPromise<WriterReport>) {
    self.kind = kind
    self.path = path
    self.promise = promise
  }

  /// Begins to write; the future gives the report when the server is gone.
  static func start(_ kind: WriterKind, path: String, port: Int, on loop: any EventLoop)
    -> EventLoopFuture<WriterReport>
  {
    let promise = loop.makePromise(of: WriterReport.self)
    ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Writer(kind, path: path, promise: promise))
        }
      }
      .connect(host: "127.0.0.1", port: port)
      .whenFailure { _ in promise.succeed(WriterReport()) }
    return promise.futureResult
  }

  func channelActive(context: ChannelHandlerContext) {
    switch kind {
    case .rest:
      isReady = true
      fill(context)
    case .webSocket:
      let head =
        "GET /.ws?v=5 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.writeImmutableBuffer(unwrapInboundIn(data))
    while let isAcknowledgement = nextAnswer() {
      isReady = true
      if isAcknowledgement { report.acknowledged += 1 }
    }
    received.discardReadBytes()
    if isReady { fill(context) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    promise.succeed(report)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func fill(_ context: ChannelHandlerContext) {
    var out = ByteBuffer()
    while report.complaint == nil, report.sent - report.acknowledged < Self.window {
      append(write: report.sent, to: &out)
      report.sent += 1
    }
    if out.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(out), promise: nil) }
  }

  private func append(write number: Int, to out: inout ByteBuffer) {
    switch kind {
    case .rest:
      let body = "\(number)"
      out.writeString(
        "PUT /\(path)/\(number).json?print=silent HTTP/1.1\r\nHost: localhost\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    case .webSocket:
      let text = #"{"t":"d","d":{"r":\#(number),"a":"p","b":{"p":"/\#(path)/\#(number)","d":\#(number)}}}"#
      out.writeInteger(0x81 as UInt8)
      if text.utf8.count < 126 {
        out.writeInteger(0x80 | UInt8(text.utf8.count))
      } else {
        out.writeInteger(0xFE as UInt8)
        out.writeInteger(UInt16(text.utf8.count))
      }
      out.writeInteger(0 as UInt32)  // a mask of zeros leaves the bytes as they are
      out.writeString(text)
    }
  }

  /// Takes one answer off what has arrived: whether it acknowledges the write whose turn it is; nil when
  /// nothing whole is left.
  private func nextAnswer() -> Bool? {
    if kind == .rest || !isReady {
      let bytes = received.readableBytesView
      guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
      let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
      received.moveReaderIndex(to: end.upperBound)
      if kind == .webSocket { return expect(head, toBeginWith: "HTTP/1.1 101") && false }
      return expect(head, toBeginWith: "HTTP/1.1 204")
    }
    guard let message = nextMessage() else { return nil }
    // The hello comes before the first answer.
    if message.hasPrefix(#"{"t":"c""#) { return false }
    return expect(message, toBeginWith: #"{"t":"d","d":{"r":\#(report.acknowledged),"b":{"s":"ok""#)
  }

  private func nextMessage() -> String? {
    var rest = received
    guard rest.readInteger(as: UInt8.self) != nil, let short: UInt8 = rest.readInteger() else { return nil }
    var count = Int(short)
    if short == 126 {
      guard let long: UInt16 = rest.readInteger() else { return nil }
      count = Int(long)
    }
    guard let text = rest.readString(length: count) else { return nil }
    received = rest
    return text
  }

  private func expect(_ text: String, toBeginWith start: String) -> Bool {
    if text.hasPrefix(start) { return true }
    if report.complaint == nil { report.complaint = "\(kind): \(text) instead of \(start)" }
    return false
  }
}

import Glibc
import NIOCore

/// Everybody who subscribed. There is one loop, so one hub.
final class Hub {
  private var listeners: [Broadcaster] = []
  private var frames = ByteBuffer()
  private var isScheduled = false

  func add(_ listener: Broadcaster) { listeners.append(listener) }

  func remove(_ listener: Broadcaster) { listeners.removeAll { $0 === listener } }

  /// Frames published in one tick leave together, one send a listener.
  func publish(_ payload: ByteBufferView, on eventLoop: any EventLoop) {
    Broadcaster.appendFrame(payload, to: &frames)
    if isScheduled { return }
    isScheduled = true
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    eventLoop.execute { bound.value.deliver() }
  }

  private func deliver() {
    isScheduled = false
    let out = frames
    frames = ByteBuffer()
    out.withUnsafeReadableBytes { bytes in
      for listener in listeners { listener.sendDirectly(bytes, of: out) }
    }
  }
}

/// One connection: an HTTP upgrade that is barely looked at, then WebSocket frames read in place.
final class Broadcaster: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private enum Role { case new, listener, publisher, echo }

  private let hub: Hub
  private var role = Role.new
  private var rest: ByteBuffer?
  private var descriptor: CInt = -1
  private var context: ChannelHandlerContext?
  private var isBusy = false

  /// The answer to the key that the load generator always sends (the sample of RFC 6455).
  private static let accepted = ByteBuffer(
    string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")

  init(_ hub: Hub) { self.hub = hub }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    let socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { $0 }
    descriptor = socket ?? -1
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    if role == .listener { hub.remove(self) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var input = unwrapInboundIn(data)
    if var earlier = rest {
      earlier.writeBuffer(&input)
      input = earlier
      rest = nil
    }
    if role == .new { upgrade(context, &input) }
    if role != .new { readFrames(context, &input) }
    if input.readableBytes > 0 { rest = input }
  }

  private func upgrade(_ context: ChannelHandlerContext, _ input: inout ByteBuffer) {
    let bytes = input.readableBytesView
    let blank = Array("\r\n\r\n".utf8)
    let end = bytes.indices.first { bytes[$0...].starts(with: blank) }
    guard let end, bytes.count > 6 else { return }
    switch bytes[bytes.startIndex + 5] {
    case UInt8(ascii: "s"): role = .listener
    case UInt8(ascii: "p"): role = .publisher
    default: role = .echo
    }
    input.moveReaderIndex(to: end + 4)
    if role == .listener { hub.add(self) }
    context.writeAndFlush(wrapOutboundOut(Self.accepted), promise: nil)
  }

  private func readFrames(_ context: ChannelHandlerContext, _ input: inout ByteBuffer) {
    var replies = ByteBuffer()
    while let head: UInt16 = input.getInteger(at: input.readerIndex) {
      var length = Int(head & 127), size = 6
      if length == 126 {
        guard let long: UInt16 = input.getInteger(at: input.readerIndex + 2) else { break }
        length = Int(long)
        size = 8
      }
      guard input.readableBytes >= size + length else { break }
      // The load generator's mask is zero.
      let start = input.readerIndex + size
      let payload = input.viewBytes(at: start, length: length) ?? ByteBufferView()
      switch role {
      case .publisher: hub.publish(payload, on: context.eventLoop)
      case .echo: Self.appendFrame(payload, to: &replies)
      default: break
      }
      input.moveReaderIndex(forwardBy: size + length)
    }
    if replies.readableBytes > 0 { replies.withUnsafeReadableBytes { sendDirectly($0, of: replies) } }
  }

  static func appendFrame(_ payload: ByteBufferView, to out: inout ByteBuffer) {
    out.writeInteger(0x81 as UInt8)
    if payload.count < 126 {
      out.writeInteger(UInt8(payload.count))
    } else {
      out.writeInteger(126 as UInt8)
      out.writeInteger(UInt16(payload.count))
    }
    out.writeBytes(payload)
  }

  /// Past NIO's pipeline, straight to the socket; what it does not take goes through NIO, in order.
  func sendDirectly(_ bytes: UnsafeRawBufferPointer, of buffer: ByteBuffer) {
    var sent = 0
    if !isBusy {
      sent = max(0, Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT)))
      if sent == bytes.count { return }
    }
    guard let context, let left = buffer.getSlice(at: buffer.readerIndex + sent, length: bytes.count - sent)
    else {
      return
    }
    isBusy = true
    let written = context.eventLoop.makePromise(of: Void.self)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    written.futureResult.whenComplete { _ in bound.value.isBusy = false }
    context.writeAndFlush(wrapOutboundOut(left), promise: written)
  }
}

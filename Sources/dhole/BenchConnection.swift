import JSONTree
import NIOCore

/// What a load does on one connection. Everything runs on the connection's loop.
protocol BenchBehaviour: AnyObject {
  /// The session is open and, when there is a credential, signed in.
  func ready(_ connection: BenchConnection)
  /// The server has pushed a change.
  func pushed(_ connection: BenchConnection)
  /// The server has answered request `number`.
  func answered(_ number: Int64, isOK: Bool, on connection: BenchConnection)
  /// The connection is of no more use.
  func failed(_ reason: String)
}

/// One client session in the Firebase protocol, reduced to what a load needs.
final class BenchConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State { case upgrading, greeting, signingIn, ready, closed }
  private let host: String
  private let database: String?
  private let credential: String?
  private let behaviour: any BenchBehaviour
  private var state = State.upgrading
  private var received = ByteBuffer()
  private var context: ChannelHandlerContext?
  private var lastNumber: Int64 = 0

  init(host: String, database: String?, credential: String?, behaviour: any BenchBehaviour) {
    self.host = host
    self.database = database
    self.credential = credential
    self.behaviour = behaviour
  }

  /// Sends a request, and gives the number that its answer will carry.
  @discardableResult
  func request(_ action: String, _ body: String) -> Int64 {
    lastNumber += 1
    send(#"{"t":"d","d":{"r":\#(lastNumber),"a":"\#(action)","b":\#(body)}}"#)
    return lastNumber
  }

  func close() {
    state = .closed
    context?.close(promise: nil)
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    let query = "v=5" + (database.map { "&ns=\($0)" } ?? "")
    let head = """
      GET /.ws?\(query) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZGhvbGUtYmVuY2gtMDAwMA==\r\n\r\n
      """
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.writeImmutableBuffer(unwrapInboundIn(data))
    if state == .upgrading { readUpgrade() }
    while state != .upgrading, state != .closed, let message = nextMessage() { take(message) }
    received.discardReadBytes()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    if state != .closed { fail("the server closed the connection") }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail("\(error)")
    context.close(promise: nil)
  }

  private func fail(_ reason: String) {
    guard state != .closed else { return }
    state = .closed
    behaviour.failed(reason)
  }

  private func readUpgrade() {
    let bytes = received.readableBytesView
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    received.moveReaderIndex(to: end.upperBound)
    guard head.hasPrefix("HTTP/1.1 101") else {
      return fail("no WebSocket there: \(head.prefix { $0 != "\r" && $0 != "\r\n" })")
    }
    state = .greeting
  }

  private func take(_ message: ByteBuffer) {
    switch state {
    case .greeting: signIn()
    case .signingIn:
      guard case .answer(_, let isOK)? = BenchMessage(message) else { return }
      guard isOK else { return fail("the server did not take the credential") }
      state = .ready
      behaviour.ready(self)
    case .ready:
      switch BenchMessage(message) {
      case .answer(let number, let isOK): behaviour.answered(number, isOK: isOK, on: self)
      case .push: behaviour.pushed(self)
      case nil: break
      }
    case .upgrading, .closed: break
    }
  }

  private func signIn() {
    if let credential {
      state = .signingIn
      request("gauth", #"{"cred":\#(Text.quoted(credential))}"#)
    } else {
      state = .ready
      behaviour.ready(self)
    }
  }

  // MARK: Frames

  /// The next whole text message; nil when it has not arrived. Pings are answered on the way.
  private func nextMessage() -> ByteBuffer? {
    while true {
      var rest = received
      guard let first: UInt8 = rest.readInteger(), let short: UInt8 = rest.readInteger() else { return nil }
      var count = Int(short & 0x7f)
      if count == 126 {
        guard let long: UInt16 = rest.readInteger() else { return nil }
        count = Int(long)
      } else if count == 127 {
        guard let long: UInt64 = rest.readInteger(), let exact = Int(exactly: long) else { return nil }
        count = exact
      }
      guard let payload = rest.readSlice(length: count) else { return nil }
      received = rest
      switch first & 0x0f {
      case 1: return payload
      case 8: fail("the server said goodbye")
      case 9: send(payload, opcode: 10)
      default: break
      }
    }
  }

  private func send(_ text: String) {
    send(ByteBuffer(string: text), opcode: 1)
  }

  private func send(_ payload: ByteBuffer, opcode: UInt8) {
    guard let context else { return }
    var frame = context.channel.allocator.buffer(capacity: payload.readableBytes + 14)
    let count = payload.readableBytes
    frame.writeInteger(0x80 | opcode)
    if count < 126 {
      frame.writeInteger(0x80 | UInt8(count))
    } else if count < 65536 {
      frame.writeInteger(0xFE as UInt8)
      frame.writeInteger(UInt16(count))
    } else {
      frame.writeInteger(0xFF as UInt8)
      frame.writeInteger(UInt64(count))
    }
    frame.writeInteger(0 as UInt32)  // a mask of zeros leaves the bytes as they are
    frame.writeImmutableBuffer(payload)
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }
}

/// What a load has to know of a message.
enum BenchMessage {
  case answer(number: Int64, isOK: Bool)
  case push

  init?(_ message: ByteBuffer) {
    let members = Text.members(of: Array(message.readableBytesView))
    guard let data = members?.first(where: { $0.key == "d" })?.value, let inner = Text.members(of: data)
    else {
      return nil
    }
    if inner.contains(where: { $0.key == "a" }) {
      self = .push
      return
    }
    guard let digits = inner.first(where: { $0.key == "r" })?.value,
      let number = Int64(String(decoding: digits, as: UTF8.self)),
      let body = inner.first(where: { $0.key == "b" })?.value
    else { return nil }
    self = .answer(number: number, isOK: Text.member("s", of: body) == "ok")
  }
}

import NIOCore
import Transport

/// Takes what an exchange answers, in place of a connection. On the loop.
final class RecordingSink: ExchangeSink, EventStreamSink {
  struct Recorded: Sendable {
    var status = 0
    var headers: [(String, String)] = []
    var body = ""
    var isComplete = false
    var isStream = false
    var isAborted = false
    var pieces = 0

    /// The values of a header, names compared without case.
    subscript(name: String) -> [String] {
      headers.filter { $0.0.lowercased() == name.lowercased() }.map(\.1)
    }
  }

  private(set) var recorded = Recorded()
  private(set) var stream: EventStream?
  private var queued = ByteBuffer()
  private let eventLoop: any EventLoop
  /// How many more pieces may be written before the peer is slow.
  var room = Int.max

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  var isWritable: Bool { room > 0 }

  func send(status: Int, headers: [(String, String)], body: ByteBuffer) {
    startBody(status: status, headers: headers)
    recorded.body = String(buffer: body)
    recorded.isComplete = true
  }

  func startBody(status: Int, headers: [(String, String)]) {
    recorded.status = status
    recorded.headers = headers
  }

  func writeBody(_ piece: ByteBuffer) {
    recorded.body += String(buffer: piece)
    recorded.pieces += 1
    room -= 1
  }

  func endBody() { recorded.isComplete = true }

  func startEventStream(headers: [(String, String)]) -> EventStream {
    startBody(status: 200, headers: headers)
    recorded.isStream = true
    let stream = EventStream(eventLoop: eventLoop, sink: self)
    self.stream = stream
    return stream
  }

  func abort() { recorded.isAborted = true }

  func append(frames: ByteBuffer) { queued.writeImmutableBuffer(frames) }

  /// What was sent since the last flush, without its chunks.
  func flush() {
    while let line = queued.readableBytesView.firstIndex(of: UInt8(ascii: "\r")),
      let count = Int(queued.readString(length: line - queued.readerIndex) ?? "", radix: 16)
    {
      queued.moveReaderIndex(forwardBy: 2)
      recorded.body += queued.readString(length: count) ?? ""
      queued.moveReaderIndex(forwardBy: 2)
    }
  }

  func endEventStream() {
    flush()
    recorded.isComplete = true
  }

  /// What has come since the last time.
  func takeBody() -> String {
    defer { recorded.body = "" }
    return recorded.body
  }
}

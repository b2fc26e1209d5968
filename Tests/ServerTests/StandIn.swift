import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Somebody else's HTTP server, as far as a test needs it.
final class StandIn: Sendable {
  struct Request: Sendable {
    let uri: String
    let headers: HTTPHeaders
    let body: String
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: String
  }

  private let channel: any Channel
  private let seen = Mutex<[Request]>([])

  private init(_ channel: any Channel) {
    self.channel = channel
  }

  /// Answers every request with what `answer` makes of it.
  static func start(_ answer: @escaping @Sendable (Request) -> Answer) async throws -> StandIn {
    let record = Recorder()
    let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(answer: answer, record: record))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let standIn = StandIn(channel)
    record.standIn.withLock { $0 = standIn }
    return standIn
  }

  var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

  /// What was asked so far.
  var requests: [Request] { seen.withLock { $0 } }

  /// The first request that fits, once it is there.
  func request(where fits: @Sendable (Request) -> Bool) async throws -> Request {
    while true {
      if let found = requests.first(where: fits) { return found }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func stop() async throws { try await channel.close() }

  private final class Recorder: Sendable {
    let standIn = Mutex<StandIn?>(nil)

    func add(_ request: Request) {
      standIn.withLock { $0 }?.seen.withLock { $0.append(request) }
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let answer: @Sendable (Request) -> Answer
    private let record: Recorder
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(answer: @escaping @Sendable (Request) -> Answer, record: Recorder) {
      self.answer = answer
      self.record = record
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): self.head = head
      case .body(let piece): body.writeImmutableBuffer(piece)
      case .end:
        guard let head else { return }
        let request = Request(uri: head.uri, headers: head.headers, body: String(buffer: body))
        body = ByteBuffer()
        record.add(request)
        let answer = self.answer(request)
        var response = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status))
        response.headers = HTTPHeaders(answer.headers)
        response.headers.add(name: "content-length", value: "\(answer.body.utf8.count)")
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}

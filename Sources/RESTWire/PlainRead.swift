import Engine
import JSONTree
import NIOCore
import Rules
import Transport

/// A GET that asks for a value as it is, from whoever may read it: without parameters, credentials and
/// conditions.
///
/// Most requests are like that, so they skip what the others need.
struct PlainRead: Sendable {
  private let path: Path

  /// Nil if the request asks for more.
  init?(_ head: RequestHead) {
    guard head.isGET, head.query.isEmpty, !head.contains(Self.matters), let path = Self.path(head.path) else {
      return nil
    }
    self.path = path
  }

  /// Whether a header could change the answer; true as well for some that do not.
  private static func matters(_ name: Substring.UTF8View, _ value: String) -> Bool {
    switch name.count {
    case 6: value.utf8.count > 3  // accept, unless it is */*
    case 8: true  // if-match
    case 13: true  // authorization, if-none-match
    case 15: name.first.map { $0 | 0x20 } == UInt8(ascii: "x")  // x-firebase-etag, not accept-encoding
    default: false
    }
  }

  private static func path(_ raw: Substring) -> Path? {
    var raw = raw
    return raw.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      guard bytes.count > 5, bytes.suffix(5).elementsEqual(".json".utf8),
        !bytes.starts(with: "/.".utf8), !bytes.contains(UInt8(ascii: "%"))
      else { return nil }
      return try? Path(utf8: UnsafeRawBufferPointer(rebasing: bytes.dropLast(5)))
    }
  }

  /// Answers, now or later. On the exchange's loop.
  func answer(_ exchange: Exchange, site: RESTSite) {
    let name = RESTRequest.database(nil, host: exchange.head.host, baseDomain: site.services.baseDomain)
    guard let id = try? DatabaseID(name) else {
      return RESTAnswer(.unknownDatabase).send(to: exchange, for: nil)
    }
    let loop = exchange.eventLoop
    let asked = NIOLoopBound((exchange, site.services.readLimitBytes), eventLoop: loop)
    site.services.directory.database(named: name, on: loop) { result in
      switch result {
      case .success(let database) where database.eventLoop === loop:
        Self.tell(database.assumeIsolated { $0.read(path, as: .anonymous) }, asked)
      case .success(let database):
        database.enter { database in
          let result = database.read(path, as: .anonymous)
          loop.execute { Self.tell(result, asked) }
        }
      case .failure(let error): RESTAnswer(RESTError(error, database: id)).send(to: asked.value.0, for: nil)
      }
    }
  }

  private static func tell(_ result: Result<Node, EngineError>, _ asked: NIOLoopBound<(Exchange, Int)>) {
    let (exchange, limitBytes) = asked.value
    switch result {
    case .success(let value) where Export.isSmall(value):
      value.withText(.value) { exchange.respond(RESTAnswer.plainValue, body: $0) }
    case .success(let value):
      RESTAnswer(value, .form(.value), limitBytes: limitBytes).send(to: exchange, for: nil)
    case .failure(let error): RESTAnswer(RESTError(error, isRead: true)).send(to: exchange, for: nil)
    }
  }
}

import Engine
import JSONTree
import NIOCore
import Rules
import Transport

/// A GET that asks for a value as it is, without conditions and without parameters but the database's name.
///
/// Most requests are like that, so they skip what the others need.
struct PlainRead: Sendable {
  private let path: Path
  /// The database's name, lower-cased and otherwise unchecked.
  private let database: String
  /// The header that proves who asks.
  private let authorization: String?

  /// Nil if the request asks for more; `baseDomain` as for `RESTRequest`.
  init?(_ head: RequestHead, baseDomain: String? = nil) {
    guard head.isGET else { return nil }
    var authorization: String?
    let asksMore = head.contains { name, value in
      switch name.count {
      case 6: value.utf8.count > 3  // accept, unless it is */*
      case 8: true  // if-match
      case 13: !Self.isPlain(name, value, &authorization)  // authorization, if-none-match
      case 15, 16: name.first.map { $0 | 0x20 } == UInt8(ascii: "x")  // x-firebase-etag, x-dhole-snapshot
      default: false
      }
    }
    guard !asksMore, let name = Self.name(head.query), let path = Self.path(head.path) else { return nil }
    self.path = path
    self.authorization = authorization
    database = RESTRequest.database(name, host: head.host, baseDomain: baseDomain)
  }

  /// Takes a bearer's header, once; whatever else has a name of this length is not plain.
  private static func isPlain(_ name: Substring.UTF8View, _ value: String, _ bearer: inout String?) -> Bool {
    guard bearer == nil, name.first.map({ $0 | 0x20 }) == UInt8(ascii: "a"), RESTRequest.isBearer(value)
    else { return false }
    bearer = value
    return true
  }

  /// The name in a query of nothing else, empty without a query; nil if there is more to it.
  private static func name(_ query: Substring) -> String? {
    if query.isEmpty { return "" }
    guard query.utf8.starts(with: "ns=".utf8) else { return nil }
    let name = query.utf8.dropFirst(3)
    let isPlain = name.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return isPlain ? String(query.dropFirst(3)) : nil
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
    guard let id = try? DatabaseID(database) else {
      return RESTAnswer(.unknownDatabase).send(to: exchange, for: nil)
    }
    guard let authorization else { return read(in: id, as: .anonymous, exchange, site) }
    let (loop, authenticator) = (exchange.eventLoop, site.services.authenticator)
    let now = site.services.clock.nowMilliseconds() / 1000
    let generation = authenticator.generation
    // Who asks again over the same connection has most often the same to show.
    if let known = exchange.memory.value as? KnownCaller,
      known.isStill(authorization, in: id, generation: generation, nowSeconds: now)
    {
      return read(in: id, as: known.caller, exchange, site)
    }
    let asked = NIOLoopBound(exchange, eventLoop: loop)
    let credential = RESTRequest.bearer(authorization) ?? ""
    let found = authenticator.authenticate(credential, database: id, nowSeconds: now) { result in
      loop.execute { read(in: id, by: result, asked.value, site) }
    }
    guard let found else { return }
    if case .success(let authentication) = found, let generation {
      exchange.memory.value = KnownCaller(
        authorization: authorization, database: id, caller: authentication.caller, generation: generation)
    }
    read(in: id, by: found, exchange, site)
  }

  private func read(
    in id: DatabaseID, by result: Result<Authentication, AuthenticationError>, _ exchange: Exchange,
    _ site: RESTSite
  ) {
    switch result {
    case .success(let authentication): read(in: id, as: authentication.caller, exchange, site)
    case .failure(let error): RESTAnswer(RESTError(error)).send(to: exchange, for: nil)
    }
  }

  private func read(in id: DatabaseID, as caller: Caller, _ exchange: Exchange, _ site: RESTSite) {
    let loop = exchange.eventLoop
    // Operators are shown everything.
    let limit = caller.isAdmin ? .max : site.services.readLimitBytes
    let asked = NIOLoopBound((exchange, limit, site.services.longWork), eventLoop: loop)
    site.services.directory.database(named: id.name, on: loop) { result in
      switch result {
      case .success(let database) where database.eventLoop === loop:
        Self.tell(database.assumeIsolated { $0.read(path, as: caller) }, asked)
      case .success(let database):
        database.enter { database in
          let result = database.read(path, as: caller)
          loop.execute { Self.tell(result, asked) }
        }
      case .failure(let error): RESTAnswer(RESTError(error, database: id)).send(to: asked.value.0, for: nil)
      }
    }
  }

  private static func tell(
    _ result: Result<Node, EngineError>, _ asked: NIOLoopBound<(Exchange, Int, LongWork)>
  ) {
    let (exchange, limitBytes, longWork) = asked.value
    switch result {
    case .success(let value) where Export.isSmall(value):
      value.withText(.value) { exchange.respond(RESTAnswer.plainValue, body: $0) }
    case .success(let value):
      let reading = RESTReading(style: .form(.value), limitBytes: limitBytes)
      reading.answer(value, exchange, longWork) { $0.send(to: asked.value.0, for: nil) }
    case .failure(let error): RESTAnswer(RESTError(error, isRead: true)).send(to: exchange, for: nil)
    }
  }
}

/// Who asked last over a connection, and what was shown for it.
private final class KnownCaller {
  let caller: Caller
  private let authorization: String
  private let database: DatabaseID
  private let generation: UInt64

  init(authorization: String, database: DatabaseID, caller: Caller, generation: UInt64) {
    self.authorization = authorization
    self.database = database
    self.caller = caller
    self.generation = generation
  }

  /// Whether the same is shown again, and would be accepted again.
  func isStill(
    _ authorization: String, in database: DatabaseID, generation: UInt64?, nowSeconds: Int64
  ) -> Bool {
    self.generation == generation && self.authorization == authorization && self.database == database
      && caller.expiresAtSeconds.map { $0 > nowSeconds } ?? true
  }
}

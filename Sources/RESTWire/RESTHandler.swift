package import Engine
import JSONTree
package import NIOCore
import Synchronization
package import Transport

/// Names the databases of this server, for clients that ask which there are.
package protocol DatabaseLister: Sendable {
  /// Calls `completion` on `eventLoop` with the names in any order.
  func databaseNames(
    on eventLoop: any EventLoop, completion: @escaping @Sendable (Result<[String], DirectoryError>) -> Void)
}

/// What the REST interface needs from the server around it.
package struct RESTServices: Sendable {
  package var directory: any DatabaseDirectory
  package var authenticator: any Authenticator
  package var lister: any DatabaseLister
  package var clock: any Clock
  /// The domain below which the first label of the host names the database; nil if hosts name none.
  package var baseDomain: String?
  /// The largest body of a write.
  package var bodyLimitBytes = 256 * 1024 * 1024
  /// The largest value, about, that a GET of anybody but an operator is shown.
  package var readLimitBytes = 256 * 1024 * 1024
  /// How many bytes may wait for an event stream behind a large value that is being made into text.
  package var backlogBytes = 64 * 1024 * 1024
  /// How often an event stream that has nothing to tell shows that it is alive.
  package var keepAlive = TimeAmount.seconds(30)
  /// How large values are made into text, measured and read.
  package var longWork = LongWork.beside
  /// Told of each change to rules and settings that was made: in which database, what, and from where.
  package var settingsChanged: (@Sendable (DatabaseID, String, String?) -> Void)?

  package init(
    directory: any DatabaseDirectory, authenticator: any Authenticator, lister: any DatabaseLister,
    clock: any Clock = SystemClock(), baseDomain: String? = nil
  ) {
    self.directory = directory
    self.authenticator = authenticator
    self.lister = lister
    self.clock = clock
    self.baseDomain = baseDomain
  }
}

/// Answers the requests of the REST interface: data, event streams, rules and settings. Asked last of all
/// routes, so that it also tells what an unknown address is.
package struct RESTHandler: Sendable {
  private let site: RESTSite

  package init(_ services: RESTServices) {
    site = RESTSite(services)
  }

  /// Answers a request, now or later. Called on the connection's loop.
  package func respond(to exchange: Exchange) {
    if exchange.head.method == "OPTIONS" {
      let requested = exchange.head.header("access-control-request-headers")
      return exchange.respond(status: 200, headers: RESTAnswer.preflight(requestedHeaders: requested))
    }
    if let read = PlainRead(exchange.head, baseDomain: site.services.baseDomain) {
      return read.answer(exchange, site: site)
    }
    do throws(RESTError) {
      let request = try RESTRequest(exchange.head, baseDomain: site.services.baseDomain)
      guard exchange.body.readableBytes > LongWork.shortBytes else {
        let operation = try RESTOperation(request, body: exchange.body) { site.nextKey() }
        return RESTCall(operation, request, exchange: exchange, site: site).start()
      }
      readLong(request, exchange)
    } catch {
      RESTAnswer(error).send(to: exchange, for: nil)
    }
  }

  /// A long body is read beside the loop.
  private func readLong(_ request: RESTRequest, _ exchange: Exchange) {
    let body = exchange.body
    let bound = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
    site.services.longWork.run(for: exchange.eventLoop) {
      Result { () throws(RESTError) in try RESTOperation(request, body: body) { site.nextKey() } }
    } then: { operation in
      switch operation {
      case .success(let operation): RESTCall(operation, request, exchange: bound.value, site: site).start()
      case .failure(let error): RESTAnswer(error).send(to: bound.value, for: nil)
      }
    }
  }

  /// The largest body that a request may bring.
  package func bodyLimitBytes(for head: RequestHead) -> Int {
    switch head.method {
    case "PUT", "POST", "PATCH": site.services.bodyLimitBytes
    default: 64 * 1024
    }
  }
}

/// What all requests share.
final class RESTSite: Sendable {
  let services: RESTServices
  let snapshots = Snapshots()
  private let keys = Mutex(PushIDGenerator())

  init(_ services: RESTServices) {
    self.services = services
  }

  /// The key of a push: in the order of time, whichever loop asks.
  func nextKey() -> ChildKey {
    let now = services.clock.nowMilliseconds()
    return keys.withLock { keys in
      var random = SystemRandomNumberGenerator()
      return keys.next(nowMilliseconds: now, using: &random)
    }
  }
}

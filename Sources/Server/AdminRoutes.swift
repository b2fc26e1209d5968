import Engine
import NIOCore
import Rules
import Transport

/// The endpoints that manage whole databases; every one needs the operator's credential.
///
///     GET    /.admin/databases.json         every database
///     PUT    /.admin/databases/NAME.json    make one
///     DELETE /.admin/databases/NAME.json    remove one with all its data
struct AdminRoutes: Sendable {
  let databases: Databases
  let authenticator: any Authenticator
  let clock: any Clock

  private static let folder = "/.admin/databases/"

  static func isAdmin(path: Substring) -> Bool {
    path == "/.admin/databases.json" || path.hasPrefix(folder)
  }

  func respond(to exchange: Exchange) {
    guard isOperator(exchange.head) else {
      return exchange.respond(status: 401, error: "Permission denied")
    }
    let path = exchange.head.path
    guard path.hasPrefix(Self.folder) else {
      guard exchange.head.method == "GET" else {
        return exchange.respond(status: 405, error: "Only GET is supported here.")
      }
      return run(for: exchange) { .names(try await databases.names()) }
    }
    guard path.hasSuffix(".json"),
      let id = try? DatabaseID(String(path.dropFirst(Self.folder.count).dropLast(5)))
    else {
      return exchange.respond(
        status: 400, error: "A database name is 1 to 63 of a-z, 0-9, - and _, followed by .json here.")
    }
    switch exchange.head.method {
    case "PUT": run(for: exchange) { .created(id, isNew: try await databases.create(id)) }
    case "DELETE": run(for: exchange) { .deleted(id, wasThere: try await databases.delete(id)) }
    default: exchange.respond(status: 405, error: "Only PUT and DELETE are supported here.")
    }
  }

  /// Whether a request carries the operator's credential, in its header only: a web page can't make a browser
  /// add it.
  func isOperator(_ head: RequestHead) -> Bool {
    guard let header = head.header("authorization"), header.lowercased().hasPrefix("bearer ") else {
      return false
    }
    guard let id = try? DatabaseID("default") else { return false }
    let credential = String(header.dropFirst("bearer ".count))
    let answer = authenticator.authenticate(
      credential, database: id, nowSeconds: clock.nowMilliseconds() / 1000)
    return (try? answer.get())?.caller.isAdmin == true
  }

  private enum Result: Sendable {
    case names([String])
    case created(DatabaseID, isNew: Bool)
    case deleted(DatabaseID, wasThere: Bool)
  }

  private func run(for exchange: Exchange, _ work: @escaping @Sendable () async throws -> Result) {
    let bound = NIOLoopBound(exchange, eventLoop: exchange.eventLoop)
    let eventLoop = exchange.eventLoop
    Task {
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      eventLoop.execute { Self.answer(result, to: bound.value) }
    }
  }

  private static func answer(_ result: Swift.Result<Result, any Error>, to exchange: Exchange) {
    switch result {
    case .success(.names(let names)):
      let items = names.map { #"{"name":\#(Exchange.quoted($0))}"# }
      exchange.respond(json: "[\(items.joined(separator: ","))]")
    case .success(.created(let id, let isNew)):
      exchange.respond(status: isNew ? 201 : 200, json: #"{"name":"\#(id)","created":\#(isNew)}"#)
    case .success(.deleted(let id, let wasThere)):
      if wasThere {
        exchange.respond(json: #"{"name":"\#(id)","deleted":true}"#)
      } else {
        exchange.respond(status: 404, error: "There is no database `\(id)`.")
      }
    case .failure(Databases.AdminError.busy):
      exchange.respond(status: 503, error: "The database is being opened or closed: try again.")
    case .failure(let error):
      exchange.respond(status: 500, error: "\(error)")
    }
  }
}

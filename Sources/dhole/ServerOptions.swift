import ArgumentParser

/// Which server and database a command talks to, and as whom.
struct ServerOptions: ParsableArguments {
  @Option(name: .long, help: "Where the server is; else DHOLE_URL, else http://127.0.0.1:9000.")
  var url: String?

  @Option(name: .long, help: "The database; else DHOLE_DB, else the one the host names, else `default`.")
  var db: String?

  @Option(
    name: .long, help: "The admin secret, a token, or `owner` with --dev; else DHOLE_AUTH, else nobody.")
  var auth: String?

  /// The server's address, from the command line or the environment.
  var base: String { url ?? environment("DHOLE_URL") ?? "http://127.0.0.1:9000" }

  func validate() throws {
    guard base.hasPrefix("http://") || base.hasPrefix("https://") else {
      throw ValidationError("--url must begin with http:// or https://, such as http://127.0.0.1:9000")
    }
  }

  var databaseName: String? { db ?? environment("DHOLE_DB") }
  var credential: String? { auth ?? environment("DHOLE_AUTH") }

  var client: RESTClient { RESTClient(base: base, database: databaseName, credential: credential) }
}

/// A place in the tree as people type it: `/rooms/a`, `rooms/a`, `/`.
struct TreePath: ExpressibleByArgument {
  let text: String

  init(argument: String) {
    var trimmed = argument.drop { $0 == "/" }
    while trimmed.last == "/" { trimmed.removeLast() }
    if trimmed.hasSuffix(".json") { trimmed.removeLast(5) }
    text = String(trimmed)
  }

  static let root = TreePath(argument: "/")

  var defaultValueDescription: String { "/" + text }
}

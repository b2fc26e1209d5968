import ArgumentParser
import AsyncHTTPClient

/// A database's secrets.
struct Secrets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secret", abstract: "List, add, rotate or revoke the secrets of a database.",
    discussion: """
      Whoever has a secret of a database is its operator, and makes tokens for its users. A database has up \
      to 10 at a time, so that one can be replaced without anybody being locked out: add, change your \
      services, revoke. These commands ask the server at --url, with the admin secret.
      """,
    subcommands: [ListSecrets.self, AddSecret.self, RotateSecrets.self, RevokeSecret.self])
}

/// The server that an operator's command is about.
struct OperatorOptions: ParsableArguments {
  @Option(name: .long, help: "Where the server is; else DHOLE_URL, else http://127.0.0.1:9000.")
  var url: String?
  @Option(name: .long, help: "The admin secret, or `owner` with --dev; else DHOLE_AUTH.") var auth: String?
  @Flag(name: .long, help: "Print JSON.") var json = false

  var base: String { url ?? environment("DHOLE_URL") ?? "http://127.0.0.1:9000" }

  var client: RESTClient {
    RESTClient(base: base, database: nil, credential: auth ?? environment("DHOLE_AUTH"))
  }

  /// Asks for something with a JSON body.
  func ask(
    _ method: RESTClient.Method, _ path: String, _ members: [(String, String)] = []
  ) async throws -> RESTClient.Answer {
    let body = "{" + members.map { "\(Text.quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    return try await client.answer(
      to: .init(
        method: method.http, path: ".admin/" + path,
        body: method == .post ? .bytes(Array(body.utf8)) : nil))
  }
}

struct ListSecrets: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Name a database's secrets; the secrets themselves are never shown again.")

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String

  func run() async throws {
    let answer = try await options.ask(.get, "databases/\(database)/secrets.json")
    if options.json { return Terminal.line(answer.text) }
    guard let ids = Text.members("id", ofEach: answer.body),
      let notes = Text.members("note", ofEach: answer.body)
    else { throw Failure(.serverFailed, "the server's answer is not a list: \(answer.text)") }
    for (id, note) in zip(ids, notes) { Terminal.line(note.isEmpty ? id : "\(id)  \(note)") }
  }
}

struct AddSecret: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Make another secret, and print it once.")

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String
  @Option(name: .long, help: "What it is for.") var note = ""

  func run() async throws {
    let answer = try await options.ask(
      .post, "databases/\(database)/secrets.json", [("note", Text.quoted(note))])
    try Self.show(answer, options)
  }

  static func show(_ answer: RESTClient.Answer, _ options: OperatorOptions) throws {
    if options.json { return Terminal.line(answer.text) }
    guard let secret = Text.member("secret", of: answer.body), let id = Text.member("id", of: answer.body)
    else { throw Failure(.serverFailed, "the server's answer has no secret: \(answer.text)") }
    Terminal.line("secret \(id), shown only now: \(secret)")
  }
}

struct RotateSecrets: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Make a new secret and revoke all others, at once.",
    discussion: "Tokens made with the others are refused from then on. `add` and `revoke` do it gently.")

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String

  func run() async throws {
    let answer = try await options.ask(
      .post, "databases/\(database)/secrets.json", [("revokeOthers", "true")])
    try AddSecret.show(answer, options)
  }
}

struct RevokeSecret: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Make a secret useless, and every token made with it.")

  @OptionGroup var options: OperatorOptions
  @Argument(help: "The database.") var database: String
  @Argument(help: "The secret's id, as `list` shows it.") var id: String

  func run() async throws {
    let answer = try await options.ask(
      .delete, "databases/\(database)/secrets/\(RESTClient.escaped(id)).json")
    Terminal.line(options.json ? answer.text : "revoked \(id)")
  }
}

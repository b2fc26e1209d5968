import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

struct Set: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Replace the value at a path.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "Where in the tree, such as /rooms/a.") var path: TreePath
  @Argument(help: "The value as JSON; `-` or nothing reads it from standard input.") var value: String?
  @Option(name: .long, help: "Only if the value still has this ETag (`null_etag`: only if there is none).")
  var ifMatch: String?
  @Flag(name: .long, help: "Print what was written.") var json = false

  func run() async throws {
    let headers = ifMatch.map { [("if-match", $0)] } ?? []
    try await write(.PUT, path, value, headers: headers, server: server, echo: json)
  }
}

struct Update: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replace several children at once.",
    discussion: #"The keys may be paths: dhole update /rooms '{"a/name":"Ann","b":null}'"#)

  @OptionGroup var server: ServerOptions
  @Argument(help: "Where in the tree, such as /rooms.") var path: TreePath
  @Argument(help: "A JSON object; `-` or nothing reads it from standard input.") var value: String?
  @Flag(name: .long, help: "Print what was written.") var json = false

  func run() async throws {
    try await write(.PATCH, path, value, server: server, echo: json)
  }
}

struct Push: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Add a child under a new key, and print the key.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "The parent, such as /messages.") var path: TreePath
  @Argument(help: "The value as JSON; `-` or nothing reads it from standard input.") var value: String?
  @Flag(name: .long, help: #"Print {"name":KEY} instead of the bare key."#) var json = false

  func run() async throws {
    let body = try Input.value(value)
    let answer = try await server.client.answer(
      to: .init(method: .POST, path: path.text, body: .bytes(ByteBuffer(bytes: body))))
    guard let name = Text.member("name", of: answer.body) else {
      throw Failure(.serverFailed, "the server's answer has no name: \(answer.text)")
    }
    Terminal.line(json ? answer.text : name)
  }
}

struct Remove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Delete the value at a path.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "Where in the tree, such as /rooms/a; `/` deletes everything.") var path: TreePath
  @Option(name: .long, help: "Only if the value still has this ETag.") var ifMatch: String?
  @Flag(name: .long, help: "Print `null` when done.") var json = false

  func run() async throws {
    let headers = ifMatch.map { [("if-match", $0)] } ?? []
    let answer = try await server.client.answer(
      to: .init(method: .DELETE, path: path.text, headers: headers))
    if json { Terminal.line(answer.text) }
  }
}

private func write(
  _ method: HTTPMethod, _ path: TreePath, _ value: String?, headers: [(String, String)] = [],
  server: ServerOptions, echo: Bool
) async throws {
  let body = try Input.value(value)
  let answer = try await server.client.answer(
    to: .init(
      method: method, path: path.text, query: echo || !headers.isEmpty ? [] : [("print", "silent")],
      headers: headers,
      body: .bytes(ByteBuffer(bytes: body))))
  if echo { Terminal.line(answer.text) }
}

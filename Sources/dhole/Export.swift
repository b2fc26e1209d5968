import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the value at a path to a file, priorities included.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "Where in the tree it is.") var path = TreePath.root
  @Argument(help: "The file; `-` writes to standard output.") var file = "-"
  @Flag(name: .long, help: "Print a JSON object when done.") var json = false

  func run() async throws {
    let response = try await server.client.open(.init(path: path.text, query: [("format", "export")]))
    let total = response.headers.first(name: "content-length").flatMap { Int64($0) }
    let meter = Meter(verb: "received", total: total)
    let output = try OutputFile.create(file)
    do {
      for try await piece in response.body {
        try output.append(piece)
        meter.add(piece.readableBytes)
      }
      try output.finish()
    } catch {
      output.abandon()
      throw error as? Failure
        ?? Failure(
          .unreachable, "the answer broke off: \(RESTClient.reason(of: error))", advice: "Try again.")
    }
    meter.finish()
    guard file != "-" else { return }
    if json {
      Terminal.line(#"{"exported":\#(meter.bytes),"file":\#(Text.quoted(file))}"#)
    } else {
      Terminal.line("exported \(meter.text) to \(file)")
    }
  }
}

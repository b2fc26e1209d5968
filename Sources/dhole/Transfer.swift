import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replace the value at a path by the JSON of a file.",
    discussion: "Priorities (`.priority`, `.value`) are read. The file goes over in one request.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "A JSON file; `-` reads standard input.") var file: String
  @Argument(help: "Where in the tree it goes.") var path = TreePath.root
  @Flag(name: .long, help: "Print a JSON object when done.") var json = false

  func run() async throws {
    let input = try InputFile.open(file)
    let meter = Meter(verb: "sent", total: input.byteCount)
    let pieces = AsyncThrowingStream<ByteBuffer, any Error>(unfolding: {
      guard let piece = try input.next() else { return nil }
      meter.add(piece.readableBytes)
      return piece
    })
    let length: HTTPClientRequest.Body.Length = input.byteCount.map { .known($0) } ?? .unknown
    let query = [("print", "silent"), ("writeSizeLimit", "unlimited"), ("disableTriggers", "true")]
    _ = try await server.client.answer(
      to: .init(method: .PUT, path: path.text, query: query, body: .stream(pieces, length: length)))
    meter.finish()
    if json {
      Terminal.line(#"{"imported":\#(meter.bytes),"path":\#(Text.quoted("/" + path.text))}"#)
    } else {
      Terminal.line("imported \(meter.text) to /\(path.text)")
    }
  }
}

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

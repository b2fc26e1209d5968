import ArgumentParser
import AsyncHTTPClient
import NIOCore

struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print each change at a path as it arrives.",
    discussion: """
      The first line is the value as it is now. When the connection breaks, it is made again and the value \
      printed anew. Ends with code 3 when the server takes the permission away.
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var filter: FilterOptions
  @Argument(help: "Where in the tree, such as /rooms/a.") var path = TreePath.root
  @Flag(name: .long, help: #"One JSON object a line: {"event":…,"path":…,"data":…}."#) var json = false
  @Option(name: .long, help: "Stop after this many changes; the value at the start counts as one.")
  var count: Int?

  func run() async throws {
    var left = count ?? .max
    var connections = 0
    var reported = 0
    while left > 0 {
      do {
        try await follow(left: &left, connections: &connections)
      } catch let failure as Failure where failure.code == .unreachable && connections > 0 {
        if reported < connections { Terminal.errorLine("dhole: \(failure.message); trying again") }
        reported = connections
        try await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func follow(left: inout Int, connections: inout Int) async throws {
    let response = try await server.client.open(
      .init(path: path.text, query: filter.query, headers: [("Accept", "text/event-stream")]),
      timeoutSeconds: 100 * 365 * 24 * 3600)
    connections += 1
    var parser = EventStreamParser()
    do {
      for try await piece in response.body {
        for event in parser.events(in: piece) {
          guard try show(event) else { continue }
          left -= 1
          if left == 0 { return }
        }
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.unreachable, "the connection broke: \(RESTClient.reason(of: error))")
    }
    throw Failure(.unreachable, "the server closed the connection")
  }

  /// Prints an event; false when it is none of the watcher's business.
  private func show(_ event: EventStreamParser.Event) throws -> Bool {
    switch event.name {
    case "put", "patch":
      let members = Text.members(of: event.data) ?? []
      let data = members.first { $0.key == "data" }?.value ?? Array("null".utf8)
      let place = Text.member("path", of: event.data) ?? "/"
      if json {
        let text = String(decoding: data, as: UTF8.self)
        Terminal.line(#"{"event":"\#(event.name)","path":\#(Text.quoted(place)),"data":\#(text)}"#)
      } else {
        DiffText.lines(event: event.name, path: place, data: data).forEach(Terminal.line)
      }
      return true
    case "cancel":
      throw Failure(.refused, "the server ended the stream: \(String(decoding: event.data, as: UTF8.self))")
    case "auth_revoked":
      throw Failure(.refused, "the credential is no longer valid", advice: "Pass a fresh one with --auth.")
    default:
      return false
    }
  }
}

/// How one change reads on a terminal: a sign, the path and the value, one line for each path that was
/// written.
enum DiffText {
  static func lines(event: String, path: String, data: [UInt8]) -> [String] {
    guard event == "patch", let members = Text.members(of: data) else {
      return [line(path: path, value: data)]
    }
    let prefix = path == "/" ? "" : path
    return members.map { line(path: prefix + "/" + $0.key, value: $0.value) }
  }

  private static func line(path: String, value: [UInt8]) -> String {
    let text = String(decoding: value, as: UTF8.self)
    guard text != "null" else {
      return Terminal.coloured("- \(path)", .red)
    }
    return Terminal.coloured("= ", .green) + Terminal.coloured(path, .bold) + " "
      + Terminal.coloured(text, .green)
  }
}

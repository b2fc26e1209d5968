import ArgumentParser

struct Get: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the value at a path as JSON.",
    discussion: """
      Bounds are JSON: --start-at 3, --equal-to '"ann"'. --order-by takes a child path, $key, $value or \
      $priority.
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var filter: FilterOptions
  @Argument(help: "Where in the tree, such as /rooms/a.") var path = TreePath.root
  @Flag(name: .long, help: "Only the keys, with true for each child.") var shallow = false
  @Flag(name: .long, help: "With priorities, in export form.") var export = false
  @Flag(name: .long, help: "Compact JSON on one line, also on a terminal.") var json = false

  func run() async throws {
    var query = filter.query
    if shallow { query.append(("shallow", "true")) }
    if export { query.append(("format", "export")) }
    if Terminal.isInteractive && !json { query.append(("print", "pretty")) }
    let answer = try await server.client.answer(to: .init(path: path.text, query: query))
    Terminal.bytes(answer.body.last == UInt8(ascii: "\n") ? answer.body : answer.body + [UInt8(ascii: "\n")])
  }
}

/// The constraints of a query, as REST takes them.
struct FilterOptions: ParsableArguments {
  @Option(name: .long, help: "Order by a child path, $key, $value or $priority.") var orderBy: String?
  @Option(name: .long, help: "First value, as JSON.") var startAt: String?
  @Option(name: .long, help: "The value just before the first, as JSON.") var startAfter: String?
  @Option(name: .long, help: "Last value, as JSON.") var endAt: String?
  @Option(name: .long, help: "The value just after the last, as JSON.") var endBefore: String?
  @Option(name: .long, help: "The only value, as JSON.") var equalTo: String?
  @Option(name: .long, help: "At most this many, from the first.") var limitToFirst: Int?
  @Option(name: .long, help: "At most this many, up to the last.") var limitToLast: Int?

  var query: [(String, String)] {
    var query: [(String, String)] = []
    if let orderBy { query.append(("orderBy", Self.quoted(orderBy))) }
    let bounds = [
      ("startAt", startAt), ("startAfter", startAfter), ("endAt", endAt), ("endBefore", endBefore),
      ("equalTo", equalTo), ("limitToFirst", limitToFirst.map(String.init)),
      ("limitToLast", limitToLast.map(String.init)),
    ]
    for case (let name, let value?) in bounds { query.append((name, value)) }
    return query
  }

  /// `orderBy` is JSON on the wire; people may leave out the quotes.
  private static func quoted(_ text: String) -> String {
    text.hasPrefix("\"") ? text : "\"\(text)\""
  }
}

import ArgumentParser
import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the value at a path to a file, priorities included.",
    discussion: """
      The file holds the value as it was at one moment, however long it takes. With an operator's \
      credential the server keeps that moment for ten minutes: when the connection breaks, the export goes \
      on by itself, and after a stop `--resume` goes on where it was; FILE.export remembers.
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var background: BackgroundOptions
  @Argument(help: "Where in the tree it is.") var path = TreePath.root
  @Argument(help: "The file; `-` writes to standard output.") var file = "-"
  @Flag(name: .long, help: "Go on with an export to this file that has stopped.") var resume = false
  @Flag(name: .long, help: "Print a JSON object when done.") var json = false

  func validate() throws {
    if resume, file == "-" { throw ValidationError("standard output can't be resumed: export to a file") }
  }

  func run() async throws {
    background.apply()
    let note = ExportNote(file: file, subject: "\(server.databaseName ?? "") /\(path.text)")
    var receiver = resume ? try ExportReceiver(resuming: note) : try ExportReceiver(note)
    do {
      try await receiver.receive(from: server.client, path: path.text)
    } catch {
      let failure = receiver.stop(error)
      guard failure.code == .wrongInput, server.credential == nil else { throw failure }
      throw Failure(
        failure.code, failure.message,
        advice: "Operators are shown values of any size: pass --auth SECRET (or set DHOLE_AUTH).")
    }
    let meter = receiver.meter
    guard file != "-" else { return }
    if json {
      Terminal.line(#"{"exported":\#(meter.bytes),"file":\#(Text.quoted(file))}"#)
    } else {
      Terminal.line("exported \(meter.text) to \(file)")
    }
  }
}

/// Takes an export's text into its file, over as many connections as that needs.
struct ExportReceiver {
  private static let pausesMilliseconds: [Int64] = [250, 500, 1000, 2000, 4000]

  private(set) var meter: Meter
  private let note: ExportNote
  private let output: OutputFile
  /// The name of the server's snapshot, if it keeps one.
  private var snapshot: String?
  private var received: Int64 = 0

  init(_ note: ExportNote) throws {
    self.note = note
    output = try OutputFile.create(note.file)
    meter = Meter(verb: "received", total: nil)
  }

  init(resuming note: ExportNote) throws {
    guard let snapshot = try note.read() else {
      throw Failure(
        .wrongInput, "there is no export to \(note.file) to go on with",
        advice: "It must be the same file, path and database. Leave --resume away to start over.")
    }
    self.note = note
    self.snapshot = snapshot
    (output, received) = try OutputFile.reopen(note.file)
    meter = Meter(verb: "received", total: nil)
    meter.add(Int(received))
  }

  mutating func receive(from client: RESTClient, path: String) async throws {
    var failures = 0
    while true {
      let before = received
      do {
        try await receiveOnce(from: client, path: path)
        try output.finish()
        note.remove()
        return meter.finish()
      } catch {
        // What the server refuses is refused the next time too.
        if let failure = error as? Failure, failure.code != .unreachable { throw failure }
        failures = received > before ? 0 : failures + 1
        guard snapshot != nil, failures < Self.pausesMilliseconds.count else { throw error }
        try await Task.sleep(for: .milliseconds(Self.pausesMilliseconds[failures]))
      }
    }
  }

  private mutating func receiveOnce(from client: RESTClient, path: String) async throws {
    let headers =
      snapshot.map { [("X-Dhole-Snapshot", $0), ("X-Dhole-From", "\(received)")] }
      ?? [("X-Dhole-Snapshot", "keep")]
    let response = try await client.open(.init(path: path, query: [("format", "export")], headers: headers))
    if snapshot == nil, let name = response.headers.first(name: "X-Dhole-Snapshot") {
      snapshot = name
      try note.remember(name)
    }
    if received == 0, let total = response.headers.first(name: "content-length").flatMap({ Int64($0) }) {
      meter = Meter(verb: "received", total: total)
    }
    for try await piece in response.body {
      try output.append(piece)
      received += Int64(piece.readableBytes)
      meter.add(piece.readableBytes)
    }
  }

  /// What to say when it cannot go on; what has come is left for another time if there can be one.
  func stop(_ error: any Error) -> Failure {
    let failure =
      error as? Failure
      ?? Failure(.unreachable, "the answer broke off: \(RESTClient.reason(of: error))", advice: "Try again.")
    guard snapshot != nil, note.file != "-", failure.code == .unreachable || failure.code == .failed else {
      output.abandon()
      note.remove()
      return failure
    }
    output.leave()
    return Failure(
      failure.code, failure.message,
      advice: "The same command with --resume goes on where this stopped, for about ten minutes.")
  }
}

/// Which snapshot an unfinished file is of, in a small file beside it.
struct ExportNote {
  let file: String
  /// What is exported: a note about anything else does not count.
  let subject: String

  private var name: String { file + ".export" }

  /// The snapshot's name, if there is a note about this very export.
  func read() throws -> String? {
    guard access(name, F_OK) == 0, access(file + ".part", F_OK) == 0 else { return nil }
    let input = try InputFile.open(name)
    defer { close(input.descriptor) }
    guard let piece = try input.next() else { return nil }
    let lines = String(buffer: piece).split(separator: "\n", omittingEmptySubsequences: false)
    return lines.count == 2 && lines[0] == subject[...] ? String(lines[1]) : nil
  }

  func remember(_ snapshot: String) throws {
    guard file != "-" else { return }
    let output = try OutputFile.create(name)
    try output.append(ByteBuffer(string: "\(subject)\n\(snapshot)"))
    try output.finish()
  }

  func remove() {
    if file != "-" { unlink(name) }
  }
}

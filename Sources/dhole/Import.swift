import ArgumentParser
import AsyncHTTPClient
import Glibc
import JSONTree
import NIOCore
import NIOHTTP1

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replace the value at a path by the JSON of a file.",
    discussion: """
      Priorities (`.priority`, `.value`) are read. A file of up to 8 MB goes over in one request, all or \
      nothing. A larger one, and standard input, goes over in many small updates, so that the server stays \
      free for others and neither side holds much of it: the old value is removed first, and listeners see \
      the new one grow. Others come first: it takes the cores that they leave, and rests a little after each \
      update; `--foreground` makes it faster. If such an import stops, `--resume` goes on where it was; \
      FILE.import remembers.
      """)

  @OptionGroup var server: ServerOptions
  @OptionGroup var background: BackgroundOptions
  @Argument(help: "A JSON file; `-` reads standard input.") var file: String
  @Argument(help: "Where in the tree it goes.") var path = TreePath.root
  @Option(name: .long, help: "About how many bytes one update has, 1000 to 16000000.")
  var batchBytes = 32 * 1024
  @Flag(name: .long, help: "Go on with an import of this file that has stopped.") var resume = false
  @Flag(name: .long, help: "Print a JSON object when done.") var json = false

  private static let wholeBytes: Int64 = 8_000_000

  func validate() throws {
    guard (1000...16_000_000).contains(batchBytes) else {
      throw ValidationError("--batch-bytes must be from 1000 to 16000000")
    }
    if resume, file == "-" { throw ValidationError("standard input can't be resumed: import from a file") }
  }

  func run() async throws {
    background.apply()
    let input = try InputFile.open(file)
    let meter = Meter(verb: "sent", total: input.byteCount)
    let isWhole = input.byteCount.map { $0 <= Self.wholeBytes } ?? false
    var splitter = UpdateSplitter(updateBytes: isWhole ? Int(Self.wholeBytes) + 1 : batchBytes)
    var sender = ImportSender(
      client: server.client, path: path.text, note: try note(input), rests: !background.foreground)
    do {
      while let bytes = try input.next() {
        try bytes.withUnsafeReadableBytes { bytes in
          Result { () throws(JSONSyntaxError) in try splitter.receive(bytes) }
        }.get()
        while let piece = splitter.takePiece() { try await sender.send(piece) }
        meter.add(bytes.readableBytes)
      }
      try splitter.finish()
      while let piece = splitter.takePiece() { try await sender.send(piece) }
    } catch {
      try sender.stop()
      throw explained(error, sender)
    }
    sender.finish()
    meter.finish()
    if json {
      Terminal.line(#"{"imported":\#(meter.bytes),"path":\#(Text.quoted("/" + path.text))}"#)
    } else {
      Terminal.line("imported \(meter.text) to /\(path.text)")
    }
  }

  /// Where the progress is kept; what is there already counts only for `--resume`.
  private func note(_ input: InputFile) throws -> ImportNote? {
    guard file != "-", let size = input.byteCount else { return nil }
    let target = "\(server.base) \(server.databaseName ?? "") /\(path.text)"
    let source = "\(size) bytes of \(input.modified) in updates of \(batchBytes)"
    var note = ImportNote(file: file + ".import", subject: "\(target)\n\(source)")
    let found = try note.read()
    guard resume else {
      if found { Terminal.errorLine("an earlier import of \(file) stopped; starting over (see --resume)") }
      return note
    }
    guard found else {
      throw Failure(
        .wrongInput, "there is no import of \(file) to go on with",
        advice: "It must be the same file, path, server and --batch-bytes. Leave --resume away to start over."
      )
    }
    note.isResumed = true
    return note
  }

  private func explained(_ error: any Error, _ sender: ImportSender) -> Failure {
    let advice = sender.canResume ? "The same command with --resume goes on where this stopped." : ""
    switch error {
    case let error as JSONSyntaxError where error.reason == .duplicateKey:
      return Failure(
        .wrongInput, "\(file): the key at byte \(error.offset) stands in its object a second time",
        advice: "A file this large is sent in parts, which can't tell which of the two is meant: remove one.")
    case let error as JSONSyntaxError:
      return Failure(
        .wrongInput, "\(file) is not JSON that a tree can hold: \(error.reason) at byte \(error.offset)",
        advice: sender.canResume ? "What came before that byte is in the tree." : "")
    case let error as Failure where !advice.isEmpty:
      return Failure(error.code, error.message, advice: advice)
    default: return Failure(rewording: error)
    }
  }
}

/// Sends the pieces of a file, one after the other.
struct ImportSender {
  let client: RESTClient
  let path: String
  var note: ImportNote?
  /// After each update the server is left to others for a third of the time that it took, up to a second.
  let rests: Bool
  private var sent = 0
  private var skipped = 0

  init(client: RESTClient, path: String, note: ImportNote?, rests: Bool) {
    self.client = client
    self.rests = rests
    self.path = path
    self.note = note
    if let note, note.isResumed { skipped = note.updates }
  }

  /// Some of the file is in the tree, and the rest may follow.
  var canResume: Bool { note != nil && sent > 0 }

  mutating func send(_ piece: UpdateSplitter.Piece) async throws {
    switch piece {
    case .whole(let text): try await send(.PUT, text)
    case .update(let text):
      var rest = Duration.zero
      if sent >= skipped {
        if sent == 0 { try await send(.PUT, Array("null".utf8)) }
        let begun = ContinuousClock.now
        try await send(.PATCH, text)
        rest = min((ContinuousClock.now - begun) / 3, .seconds(1))
      }
      sent += 1
      if sent > skipped { try note?.remember(sent) }
      if rests { try await Task.sleep(for: rest) }
    }
  }

  private func send(_ method: HTTPMethod, _ text: [UInt8]) async throws {
    let query = [("print", "silent"), ("writeSizeLimit", "unlimited"), ("disableTriggers", "true")]
    let body = HTTPClientRequest.Body.bytes(ByteBuffer(bytes: text))
    _ = try await client.answer(to: .init(method: method, path: path, query: query, body: body))
  }

  mutating func stop() throws {
    if sent > skipped { try note?.remember(sent, now: true) }
  }

  func finish() { note?.remove() }
}

/// How far an import has come, in a small file beside its own.
struct ImportNote {
  let file: String
  /// What is imported where: a note about anything else does not count.
  let subject: String
  var isResumed = false
  private(set) var updates = 0
  private var written: ContinuousClock.Instant?

  init(file: String, subject: String) {
    self.file = file
    self.subject = subject
  }

  /// Whether there is a note about this very import.
  mutating func read() throws -> Bool {
    guard access(file, F_OK) == 0 else { return false }
    let input = try InputFile.open(file)
    defer { close(input.descriptor) }
    var bytes: [UInt8] = []
    while let piece = try input.next(), bytes.count < 1 << 16 { bytes += Array(piece.readableBytesView) }
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.hasPrefix(subject + "\n"), let updates = Int(text.dropFirst(subject.count + 1)), updates > 0
    else { return false }
    self.updates = updates
    return true
  }

  /// Writes down how many updates have been answered, some times a second at most.
  mutating func remember(_ updates: Int, now: Bool = false) throws {
    if !now, let written, ContinuousClock.now - written < .milliseconds(300) { return }
    let output = try OutputFile.create(file)
    try output.append(ByteBuffer(string: "\(subject)\n\(updates)"))
    try output.finish()
    written = .now
  }

  func remove() { unlink(file) }
}

import Glibc
import NIOCore

/// What a command reads: an argument, standard input, or a file.
enum Input {
  /// The JSON given on the command line, or all of standard input.
  static func value(_ argument: String?) throws -> [UInt8] {
    if let argument, argument != "-" { return Array(argument.utf8) }
    if argument == nil && isatty(STDIN_FILENO) == 1 {
      throw Failure(
        .wrongInput, "no value", advice: #"Give it as an argument, such as '{"a":1}', or pipe it in."#)
    }
    let file = InputFile(descriptor: STDIN_FILENO, byteCount: nil)
    var all: [UInt8] = []
    while let chunk = try file.next() { all.append(contentsOf: chunk.readableBytesView) }
    return all
  }
}

/// A file that is read once, from its beginning to its end.
struct InputFile: Sendable {
  let descriptor: Int32
  /// Its size, when it is a regular file.
  let byteCount: Int64?
  /// When it was last changed, as text that only serves to tell another version.
  var modified = ""

  static func open(_ name: String) throws -> InputFile {
    if name == "-" { return InputFile(descriptor: STDIN_FILENO, byteCount: nil) }
    let descriptor = Glibc.open(name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("cannot read \(name)") }
    var facts = stat()
    let isRegular = fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    return InputFile(
      descriptor: descriptor, byteCount: isRegular ? Int64(facts.st_size) : nil,
      modified: "\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)")
  }

  /// The next piece; nil at the end.
  func next() throws -> ByteBuffer? {
    var piece = ByteBuffer()
    let count = try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: 256 * 1024) { space in
      while true {
        let count = read(descriptor, space.baseAddress, space.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw Failure.system("reading failed") }
        return count
      }
    }
    return count == 0 ? nil : piece
  }
}

/// A file that appears under its name only when it is whole.
struct OutputFile {
  private let name: String
  private let descriptor: Int32

  private var temporaryName: String { name + ".part" }

  /// `-` is standard output.
  static func create(_ name: String) throws -> OutputFile {
    if name == "-" { return OutputFile(name: name, descriptor: STDOUT_FILENO) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    let descriptor = Glibc.open(name + ".part", flags, 0o600)
    guard descriptor >= 0 else { throw Failure.system("cannot write \(name)") }
    return OutputFile(name: name, descriptor: descriptor)
  }

  /// Goes on with a file that was left unfinished.
  static func reopen(_ name: String) throws -> (file: OutputFile, byteCount: Int64) {
    let descriptor = Glibc.open(name + ".part", O_WRONLY | O_APPEND | O_CLOEXEC)
    var facts = stat()
    guard descriptor >= 0, fstat(descriptor, &facts) == 0 else {
      throw Failure.system("cannot go on with \(name).part")
    }
    return (OutputFile(name: name, descriptor: descriptor), Int64(facts.st_size))
  }

  func append(_ piece: ByteBuffer) throws {
    try piece.withUnsafeReadableBytes { raw in
      var rest = raw[...]
      while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw Failure.system("cannot write \(name)") }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// Makes the whole file durable and gives it its name.
  func finish() throws {
    guard name != "-" else { return }
    guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporaryName, name) == 0 else {
      throw Failure.system("cannot finish \(name)")
    }
  }

  /// Leaves what there is for another time.
  func leave() {
    guard name != "-" else { return }
    close(descriptor)
  }

  /// Leaves nothing behind.
  func abandon() {
    guard name != "-" else { return }
    close(descriptor)
    unlink(temporaryName)
  }
}

extension Failure {
  /// What the operating system said about the last call.
  static func system(_ what: String, advice: String = "") -> Failure {
    Failure(.failed, "\(what): \(String(cString: strerror(errno)))", advice: advice)
  }
}

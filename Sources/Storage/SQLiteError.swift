import CSQLite
import Engine

/// What SQLite refused to do, and in which file.
struct SQLiteError: Error, Equatable {
  /// SQLite's extended result code.
  let code: Int32
  let message: String
  /// The file's name without its folder.
  let file: String

  init(code: Int32, message: String, file: String) {
    self.code = code
    self.message = message
    self.file = file
  }

  /// A place that does not hold what was written, although SQLite sees nothing wrong.
  static func damage(_ place: String, in file: String) -> SQLiteError {
    SQLiteError(code: SQLITE_CORRUPT, message: place, file: file)
  }

  var primaryCode: Int32 { code & 0xff }

  /// The file's contents are not what SQLite wrote.
  var isCorruption: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

  /// The commit's frames may all be in the log although the call failed.
  var leavesCommitInDoubt: Bool { primaryCode == SQLITE_IOERR && code != Self.writeFailed }

  private static let writeFailed: Int32 = SQLITE_IOERR | (3 << 8)

  /// The same for those who only know the commit log.
  var asLogError: CommitLogError {
    let text = "\(file): \(message) (SQLite code \(code))"
    if isCorruption { return .corrupt(text) }
    return primaryCode == SQLITE_FULL ? .diskFull(text) : .io(text)
  }

  /// For a commit that may have taken place.
  var asUnknownOutcome: CommitLogError {
    .outcomeUnknown("\(file): \(message) (SQLite code \(code)) while committing")
  }
}

import Engine
import Synchronization

@testable import Storage

extension DatabaseID {
  static let chat = known("chat")
  static let shop = known("shop")

  static func known(_ name: String) -> DatabaseID {
    guard let id = try? DatabaseID(name) else { preconditionFailure("\(name) is no name") }
    return id
  }
}

extension CommitLog {
  /// Appends and waits.
  func append(
    _ text: String, to database: DatabaseID, after: LogPosition, epoch: UInt64 = 1
  ) async throws(CommitLogError) -> AppendResult {
    let result: Result<AppendResult, CommitLogError> = await withCheckedContinuation { continuation in
      append(Array(text.utf8), kind: .writes, epoch: epoch, to: database, after: after) {
        continuation.resume(returning: $0)
      }
    }
    return try result.get()
  }

  /// Appends and waits; the new tail.
  @discardableResult
  func add(
    _ text: String, to database: DatabaseID, epoch: UInt64 = 1
  ) async throws(CommitLogError) -> LogPosition {
    let tail = try await tail(of: database)
    guard case .committed(let position) = try await append(text, to: database, after: tail, epoch: epoch)
    else {
      throw .io("superseded")
    }
    return position
  }

  /// The payloads after a place, up to the tail.
  func texts(of database: DatabaseID, after: LogPosition = .start) async throws -> [String] {
    var texts: [String] = []
    for try await entry in entries(of: database, after: after, follow: false) {
      texts.append(String(decoding: entry.payload, as: UTF8.self))
    }
    return texts
  }
}

/// What completions said, in the order they ran.
final class Answers: Sendable {
  typealias Answer = (tag: String, result: Result<AppendResult, CommitLogError>)
  private let answers = Mutex<[Answer]>([])

  func add(_ tag: String, _ result: Result<AppendResult, CommitLogError>) {
    answers.withLock { $0.append((tag, result)) }
  }

  var all: [Answer] { answers.withLock { $0 } }
}

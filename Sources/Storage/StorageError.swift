import Engine

/// Why a data folder could not be opened.
package struct StorageError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Equatable, Sendable {
    /// Another process serves this folder.
    case inUse(process: Int?)
    /// A newer version of the program wrote the file.
    case newerSchema(found: Int, known: Int)
    /// The file and the place that do not hold what was written.
    case corrupt
    case diskFull
    case io
  }
  package let reason: Reason
  /// What is wrong, where, and what to do about it.
  package let description: String

  init(_ reason: Reason, _ description: String) {
    self.reason = reason
    self.description = description
  }

  init(_ error: CommitLogError) {
    switch error {
    case .corrupt(let text): self.init(.corrupt, text)
    case .diskFull(let text): self.init(.diskFull, text)
    case .io(let text), .outcomeUnknown(let text): self.init(.io, text)
    case .closed: self.init(.io, "the storage is closed")
    }
  }

  init(_ error: SQLiteError) {
    self.init(error.asLogError)
  }

  /// The same for those who only know the commit log.
  var asLogError: CommitLogError {
    switch reason {
    case .corrupt: .corrupt(description)
    case .diskFull: .diskFull(description)
    case .inUse, .newerSchema, .io: .io(description)
    }
  }

  /// Runs `body` and makes every error one of these.
  static func wrapping<R>(_ file: String, _ body: () throws -> R) throws(StorageError) -> R {
    do {
      return try body()
    } catch let error as StorageError {
      throw error
    } catch let error as SQLiteError {
      throw StorageError(error)
    } catch let error as CommitLogError {
      throw StorageError(error)
    } catch {
      throw StorageError(.io, "\(file): \(error)")
    }
  }
}

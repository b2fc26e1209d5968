import CSQLite
import Engine
package import NIOCore

/// A change of one record, made only if the record holds what is expected.
package struct RecordChange: Sendable {
  /// The database that the record belongs to; empty for the server itself.
  package var realm: String
  package var kind: String
  package var key: String
  /// What must be there; nil when nothing must be.
  package var expected: [UInt8]?
  /// What is there from then on; nil removes it.
  package var value: [UInt8]?

  package init(realm: String, kind: String, key: String, expected: [UInt8]?, value: [UInt8]?) {
    self.realm = realm
    self.kind = kind
    self.key = key
    self.expected = expected
    self.value = value
  }
}

/// A record as it is stored.
package struct StoredRecord: Sendable, Equatable {
  package let realm: String
  package let key: String
  package let value: [UInt8]
}

/// Small records that are no part of any tree: accounts, secrets, keys. In the data folder's
/// `identity.sqlite`, which its owner alone may read.
///
/// Everything happens on an event loop's thread of its own, which waits for the disk. What is changed is
/// durable when the call returns.
package actor Records {
  private let path: String
  private nonisolated let executor: any SerialExecutor
  private var file: RecordFile?

  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// The records of a data folder that this process serves; the loop must have a thread of its own.
  package init(folder: String, eventLoop: any EventLoop) {
    path = folder + "/identity.sqlite"
    executor = eventLoop.executor
  }

  /// What a record holds, nil when there is none.
  package func value(realm: String, kind: String, key: String) throws(StorageError) -> [UInt8]? {
    try run { (file) throws(SQLiteError) in try file.value(realm, kind, key) }
  }

  /// The records of a kind in the order of their keys: those of one realm, or of all when it is nil. At most
  /// `limit`, from the last one on when `reversed`; with `after`, of one realm those behind that key alone.
  package func all(
    realm: String?, kind: String, after key: String? = nil, limit: Int = .max, reversed: Bool = false
  ) throws(StorageError) -> [StoredRecord] {
    try run { (file) throws(SQLiteError) in
      try file.all(realm, kind, after: key, limit: Int64(clamping: limit), reversed: reversed)
    }
  }

  /// Makes all these changes, or none and says false when a record does not hold what is expected.
  package func apply(_ changes: [RecordChange]) throws(StorageError) -> Bool {
    try run { (file) throws(SQLiteError) in try file.apply(changes) }
  }

  /// Removes everything of a realm.
  package func removeAll(realm: String) throws(StorageError) {
    try run { (file) throws(SQLiteError) in try file.removeAll(realm) }
  }

  /// Lets go of the file.
  package func close() {
    file = nil
  }

  private func run<R>(_ work: (RecordFile) throws(SQLiteError) -> R) throws(StorageError) -> R {
    if file == nil { file = try RecordFile.open(path) }
    guard let file else { throw StorageError(.io, "\(path) is not open") }
    do throws(SQLiteError) {
      return try work(file)
    } catch {
      throw StorageError(error)
    }
  }
}

import Engine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The folder that one process serves, held by a lock for as long as this value lives.
///
///     journal.sqlite    the log of all databases
///     db/NAME.sqlite    the checkpoint of one database
///     identity.sqlite   accounts, secrets and keys
///     lock              the process that serves the folder
struct DataFolder: ~Copyable {
  let path: String
  private let lock: Int32

  /// Makes what is missing and takes the lock.
  init(path: String) throws(StorageError) {
    self.path = path
    try Self.make(path)
    let lockPath = path + "/lock"
    let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure("can't open \(lockPath)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let owner = Self.process(in: descriptor)
      close(descriptor)
      let who = owner.map { "process \($0)" } ?? "another process"
      throw StorageError(
        .inUse(process: owner), "\(path) is in use by \(who): stop it, or choose another data folder")
    }
    let text = "\(getpid())\n"
    ftruncate(descriptor, 0)
    pwrite(descriptor, text, text.utf8.count, 0)
    lock = descriptor
  }

  // A child that was just forked has the descriptor too until it becomes another program, and with it the
  // lock: closing ours would not give it back.
  deinit {
    flock(lock, LOCK_UN)
    close(lock)
  }

  static func journalPath(in folder: String) -> String { folder + "/journal.sqlite" }

  static func checkpointPath(of database: DatabaseID, in folder: String) -> String {
    folder + "/db/\(database.name).sqlite"
  }

  /// The names of the checkpoint files that are there.
  static func checkpointNames(in folder: String) throws(StorageError) -> [String] {
    guard let listing = opendir(folder + "/db") else { throw failure("can't list \(folder)/db") }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".sqlite") { names.append(String(name.dropLast(".sqlite".utf8.count))) }
    }
    return names.sorted()
  }

  static func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Removes a file if it is there.
  static func removeFile(_ path: String) throws(StorageError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw failure("can't remove \(path)") }
  }

  /// Gives a complete file another's name: durable when this returns, and never anything in between.
  static func replace(_ path: String, by draft: String) throws(StorageError) {
    try synchronize(draft)
    guard rename(draft, path) == 0 else { throw failure("can't rename \(draft)") }
    try synchronize(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
  }

  /// Makes a file's contents, or a folder's list of names, durable.
  static func synchronize(_ path: String) throws(StorageError) {
    try FileSync(path)()
  }

  /// Makes the folders, where they are missing.
  static func make(_ path: String) throws(StorageError) {
    try makeFolder(path)
    try makeFolder(path + "/db")
  }

  private static func makeFolder(_ path: String) throws(StorageError) {
    if mkdir(path, 0o755) == 0 {
      let slash = path.lastIndex(of: "/")
      let parent = slash.map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
      return try synchronize(parent)
    }
    guard errno == EEXIST else { throw failure("can't make the folder \(path)") }
  }

  private static func process(in descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 24)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self))
  }

  fileprivate static func failure(_ action: String) -> StorageError {
    let full = errno == ENOSPC || errno == EDQUOT
    return StorageError(full ? .diskFull : .io, "\(action): \(String(cString: strerror(errno)))")
  }
}

/// A file or folder held open to be made durable, again and again.
///
/// SQLite's locks on a file go when this process closes any descriptor of it: keep this one for as long as
/// the connection.
final class FileSync {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws(StorageError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataFolder.failure("can't open \(path)") }
  }

  deinit { close(descriptor) }

  /// Makes a file's contents, or a folder's list of names, durable.
  func callAsFunction() throws(StorageError) {
    guard fsync(descriptor) == 0 else { throw DataFolder.failure("can't sync \(path)") }
  }
}

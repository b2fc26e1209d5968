import Engine
import JSONTree
import NIOCore

/// The checkpoint files, one for each database, open only while they are read or written.
///
/// Everything happens on an event loop's thread of its own, which waits for the disk.
actor Checkpoints {
  let folder: String
  private nonisolated let executor: any SerialExecutor
  /// Databases whose file was found sound in its structure, as it must be before it is written to.
  private var inspected: Set<DatabaseID> = []
  /// What was found to be damaged and mended.
  private(set) var notices: [String] = []
  /// Databases that were deleted: a save that was on its way must not bring the file back.
  private var removed: Set<DatabaseID> = []

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(folder: String, eventLoop: any EventLoop) {
    self.folder = folder
    executor = eventLoop.executor
  }

  /// The state that was saved last, nil when there is none. Every row is checked.
  func load(_ database: DatabaseID) throws(StorageError) -> Checkpoint? {
    let path = DataFolder.checkpointPath(of: database, in: folder)
    guard DataFolder.fileExists(path) else { return nil }
    let file = try CheckpointFile.open(path, for: .use)
    return try StorageError.wrapping(path) {
      guard let state = try file.state() else {
        try checkNoRows(in: file)
        return nil
      }
      guard state.name == database.name else {
        throw SQLiteError.damage("it belongs to the database \(state.name)", in: file.connection.file)
      }
      return Checkpoint(root: try readTree(file, state), position: state.position)
    }
  }

  /// Makes a state, and where it stands, what `load` gives from now on; durable when this returns.
  ///
  /// What differs from `old` is written in one transaction if the file holds that, otherwise a new file
  /// replaces it.
  func save(
    _ database: DatabaseID, from old: Checkpoint?, to new: Checkpoint, salt: UInt64
  ) throws(StorageError) {
    guard !removed.contains(database) else {
      throw StorageError(.io, "there is no database \(database.name)")
    }
    let path = DataFolder.checkpointPath(of: database, in: folder)
    if let old, old.root.isObject, new.root.isObject, DataFolder.fileExists(path) {
      if try update(database, path, from: old, to: new) { return }
    }
    try build(database, path, new, salt: salt)
    inspected.insert(database)
  }

  /// False when the file does not hold the old state, whatever the reason.
  private func update(
    _ database: DatabaseID, _ path: String, from old: Checkpoint, to new: Checkpoint
  ) throws(StorageError) -> Bool {
    do throws(StorageError) {
      return try StorageError.wrapping(path) {
        let file = try CheckpointFile.open(path, for: .use)
        if !inspected.contains(database), let damage = try file.connection.structuralDamage() {
          throw SQLiteError.damage(damage, in: file.connection.file)
        }
        inspected.insert(database)
        guard let state = try file.state(), state.position.isSamePlace(as: old.position) else { return false }
        // A transaction that is open when the file closes is rolled back.
        try file.connection.execute("BEGIN IMMEDIATE")
        var writer = CheckpointWriter(file, state: state, isNew: false)
        try writer.update(from: old.root, to: new.root)
        try finish(writer, file, at: new.position)
        return true
      }
    } catch {
      guard error.reason == .corrupt else { throw error }
      notices.append("\(error.description); it is written anew from memory")
      return false
    }
  }

  /// Writes a whole file under another name and puts it in place once the disk has it.
  private func build(
    _ database: DatabaseID, _ path: String, _ checkpoint: Checkpoint, salt: UInt64
  ) throws(StorageError) {
    let draft = path + ".new"
    try DataFolder.removeFile(draft)
    try StorageError.wrapping(draft) {
      let file = try CheckpointFile.open(draft, for: .build)
      let state = CheckpointState(name: database.name, position: .start, salt: salt)
      try file.connection.execute("BEGIN IMMEDIATE")
      var writer = CheckpointWriter(file, state: state, isNew: true)
      try writer.insert(checkpoint.root)
      try finish(writer, file, at: checkpoint.position)
    }
    // Left by a crash in the middle of a change to the file that goes.
    try DataFolder.removeFile(path + "-journal")
    try DataFolder.replace(path, by: draft)
  }

  private func finish(_ writer: CheckpointWriter, _ file: CheckpointFile, at position: LogPosition) throws {
    var state = writer.state
    state.position = position
    try file.write(state)
    try file.connection.execute("COMMIT")
  }

  /// Removes a database's file for good.
  func remove(_ database: DatabaseID) throws(StorageError) {
    inspected.remove(database)
    removed.insert(database)
    let path = DataFolder.checkpointPath(of: database, in: folder)
    try DataFolder.removeFile(path)
    try DataFolder.removeFile(path + "-journal")
    try DataFolder.removeFile(path + ".new")
    try DataFolder.synchronize(folder + "/db")
  }

  /// A database of this name is there again.
  func allow(_ database: DatabaseID) {
    removed.remove(database)
  }

  private func checkNoRows(in file: CheckpointFile) throws {
    try file.forEachRow { _ in
      throw SQLiteError.damage("it has rows but no state", in: file.connection.file)
    }
  }

  private func readTree(_ file: CheckpointFile, _ state: CheckpointState) throws -> Node {
    var builder = TreeBuilder()
    var count: UInt64 = 0
    var seals: UInt64 = 0
    try file.forEachRow { row in
      guard row.isSound, (try? builder.add(row)) != nil else {
        let block = String(decoding: row.block, as: UTF8.self)
        throw SQLiteError.damage(
          "the row of \(RowPath.text(row.path)), block '\(block)', is not as it was written",
          in: file.connection.file)
      }
      count += 1
      seals &+= row.seal
    }
    guard count == state.rowCount, seals == state.rowSeals else {
      throw SQLiteError.damage(
        "it has \(count) rows where \(state.rowCount) were written, or others than those",
        in: file.connection.file)
    }
    return builder.finish()
  }
}

import Foundation
import NIOCore
import NIOPosix

@testable import Storage

/// A folder of a test's own, removed with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "dhole-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The files as they are now, as after a `kill -9`.
  func copy() throws -> TemporaryFolder {
    let copy = try TemporaryFolder()
    try FileManager.default.removeItem(atPath: copy.path)
    try FileManager.default.copyItem(atPath: path, toPath: copy.path)
    return copy
  }

  func bytes(of file: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "/" + file)))
  }

  func write(_ bytes: [UInt8], to file: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + file))
  }

  func exists(_ file: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + file)
  }

  func size(of file: String) throws -> Int {
    try bytes(of: file).count
  }
}

/// Two loops for all tests: one for journals, one for checkpoints.
enum Loops {
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  private static let both = Array(group.makeIterator())
  static var journal: any EventLoop { both[0] }
  static var checkpoint: any EventLoop { both[1] }
}

extension TemporaryFolder {
  func open(
    durability: Durability = .full, faults: FaultHook? = nil
  ) async throws(StorageError) -> SQLiteStore {
    try await SQLiteStore.open(
      folder: path, durability: durability, journalLoop: Loops.journal, checkpointLoop: Loops.checkpoint,
      faults: faults)
  }
}

/// How many descriptors of this process lead to files below a folder.
func openFiles(below folder: String) throws -> Int {
  let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
  return descriptors.count { descriptor in
    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
    return target?.hasPrefix(folder) ?? false
  }
}

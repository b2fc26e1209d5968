import NIOCore
import NIOPosix
import Storage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The storage of this process and the three threads that it waits for the disk on.
struct StorageNode: Sendable {
  let store: SQLiteStore
  /// Accounts, secrets and keys.
  let records: Records
  private let journalGroup: MultiThreadedEventLoopGroup
  private let checkpointGroup: MultiThreadedEventLoopGroup
  private let recordGroup: MultiThreadedEventLoopGroup

  init(_ configuration: Configuration) async throws {
    try Self.makeFolder(configuration.dataFolder)
    journalGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    checkpointGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    recordGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    checkpointGroup.next().execute { Self.stepBack() }
    records = Records(folder: configuration.dataFolder, eventLoop: recordGroup.next())
    do throws(StorageError) {
      store = try await SQLiteStore.open(
        folder: configuration.dataFolder, durability: configuration.durability == .full ? .full : .relaxed,
        journalLoop: journalGroup.next(), checkpointLoop: checkpointGroup.next())
    } catch {
      try? await journalGroup.shutdownGracefully()
      try? await checkpointGroup.shutdownGracefully()
      try? await recordGroup.shutdownGracefully()
      throw ServerError(error.description, advice: "")
    }
  }

  /// Lets others have a core first: nobody waits for a checkpoint, and everybody for the loops.
  private static func stepBack() {
    #if os(Linux)
      // 0 is the thread that asks. It may always step back, so nothing can go wrong.
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
    #endif
  }

  /// Makes the folder and those above it; only its owner may look inside.
  private static func makeFolder(_ path: String) throws(ServerError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
        throw .system("can't make the folder \(made)")
      }
    }
  }

  func close() async {
    await records.close()
    await store.close()
    try? await recordGroup.shutdownGracefully()
    try? await journalGroup.shutdownGracefully()
    try? await checkpointGroup.shutdownGracefully()
  }
}

package import Engine
package import Logging
package import NIOCore
import Synchronization

/// The databases of this server by name: each is opened once, on first use, and closed when nobody has used
/// it for a while.
package final class Databases: DatabaseDirectory {
  struct Waiter: Sendable {
    let eventLoop: any EventLoop
    let completion: @Sendable (Result<Database, DirectoryError>) -> Void

    func answer(_ result: Result<Database, DirectoryError>) {
      eventLoop.execute { completion(result) }
    }
  }

  enum Entry {
    case opening([Waiter])
    case open(Database, lastUse: NIODeadline)
    /// Those who come now wait for it to be opened again.
    case closing(Database?, [Waiter])
    /// Opening failed: those who come before the deadline get the same answer.
    case failed(DirectoryError, until: NIODeadline)
  }

  struct State {
    var entries: [String: Entry] = [:]
    var isStopping = false
    /// What databases that are closed by now have done.
    var retired = Counters()
    /// Called once the server is stopping and nothing is open any more.
    var whenEmpty: CheckedContinuation<Void, Never>?
  }

  private let log: any CommitLog
  let checkpoints: any CheckpointStore
  private let group: any EventLoopGroup
  private let options: DatabaseOptions
  private let createsOnUse: Bool
  /// How long a failure to open is repeated without trying again.
  private let failureMemory: TimeAmount
  let logger: Logger
  let state = Mutex(State())

  static let stopping = DirectoryError.failed("the server is stopping")

  package init(
    log: any CommitLog, checkpoints: any CheckpointStore, group: any EventLoopGroup, options: DatabaseOptions,
    createsOnUse: Bool, failureMemory: TimeAmount = .seconds(1), logger: Logger
  ) {
    self.log = log
    self.checkpoints = checkpoints
    self.group = group
    self.options = options
    self.createsOnUse = createsOnUse
    self.failureMemory = failureMemory
    self.logger = logger
  }

  package func database(
    named name: String, on eventLoop: any EventLoop,
    completion: @escaping @Sendable (Result<Database, DirectoryError>) -> Void
  ) {
    enum Step { case answer(Result<Database, DirectoryError>), open, wait }
    let name = Self.lowercased(name)
    let now = NIODeadline.now()
    let step = state.withLock { state -> Step in
      if state.isStopping { return .answer(.failure(Self.stopping)) }
      let waiter = Waiter(eventLoop: eventLoop, completion: completion)
      switch state.entries[name] {
      case .open(let database, _):
        state.entries[name] = .open(database, lastUse: now)
        return .answer(.success(database))
      case .opening(let waiters):
        state.entries[name] = .opening(waiters + [waiter])
        return .wait
      case .closing(let database, let waiters):
        state.entries[name] = .closing(database, waiters + [waiter])
        return .wait
      case .failed(let error, let until) where now < until: return .answer(.failure(error))
      case .failed, nil:
        guard (try? DatabaseID(name)) != nil else { return .answer(.failure(.unknown)) }
        state.entries[name] = .opening([waiter])
        return .open
      }
    }
    switch step {
    case .answer(let result) where eventLoop.inEventLoop: completion(result)
    case .answer(let result): eventLoop.execute { completion(result) }
    case .open: beginOpening(name)
    case .wait: break
    }
  }

  /// Lowers A to Z only: other letters name no database, also those whose lower case would.
  private static func lowercased(_ name: String) -> String {
    let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
    guard name.utf8.contains(where: { capitals.contains($0) }) else { return name }
    return String(decoding: name.utf8.map { capitals.contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  func beginOpening(_ name: String) {
    Task { finishOpening(name, with: await open(name)) }
  }

  private func open(_ name: String) async -> Result<Database, DirectoryError> {
    do {
      let id = try DatabaseID(name)
      if try await !checkpoints.exists(id) {
        guard createsOnUse else { return .failure(.unknown) }
        try await checkpoints.create(id)
        logger.info("database created on first use", metadata: ["database": "\(name)"])
      }
      let database = try await Database.open(
        id, on: group.next(), log: log, checkpoints: checkpoints, options: options)
      logger.debug("database opened", metadata: ["database": "\(name)"])
      return .success(database)
    } catch is DatabaseNameError {
      return .failure(.unknown)
    } catch {
      logger.critical("database can't be opened", metadata: ["database": "\(name)", "error": "\(error)"])
      return .failure(.failed("\(error)"))
    }
  }

  private func finishOpening(_ name: String, with result: Result<Database, DirectoryError>) {
    let (waiters, isStopping) = state.withLock { state -> ([Waiter], Bool) in
      guard case .opening(let waiters) = state.entries[name] else { return ([], state.isStopping) }
      switch result {
      case .success(let database) where state.isStopping: state.entries[name] = .closing(database, [])
      case .success(let database): state.entries[name] = .open(database, lastUse: .now())
      case .failure(let error) where error != .unknown && !state.isStopping:
        state.entries[name] = .failed(error, until: .now() + failureMemory)
      case .failure: state.entries[name] = nil
      }
      return (waiters, state.isStopping)
    }
    for waiter in waiters { waiter.answer(isStopping ? .failure(Self.stopping) : result) }
    guard isStopping else { return }
    switch result {
    case .success(let database): close(database)
    case .failure: resumeWhenEmpty()
    }
  }
}

package import Engine
import Logging
package import NIOCore
import Synchronization

extension Databases {
  /// Those that are open now.
  package var open: [Database] {
    state.withLock { state in
      state.entries.values.compactMap { entry in
        if case .open(let database, _) = entry { database } else { nil }
      }
    }
  }

  /// Closes those that nobody has asked for since the deadline and that have no clients.
  package func closeIdle(unusedSince deadline: NIODeadline) {
    for database in open {
      database.enter { [self] inside in
        guard inside.counters.clients == 0, beginClosing(database, unusedSince: deadline) else { return }
        close(database)
      }
    }
  }

  private func beginClosing(_ database: Database, unusedSince deadline: NIODeadline) -> Bool {
    state.withLock { state in
      let name = database.id.name
      guard case .open(_, let lastUse) = state.entries[name], lastUse <= deadline else { return false }
      state.entries[name] = .closing([])
      return true
    }
  }

  /// Closes every database, those included that are still being opened; whoever asks from now on is refused.
  package func closeAll() async {
    let open = state.withLock { state -> [Database] in
      state.isStopping = true
      var open: [Database] = []
      for (name, entry) in state.entries {
        switch entry {
        case .open(let database, _):
          open.append(database)
          state.entries[name] = .closing([])
        case .failed: state.entries[name] = nil
        case .opening, .closing: break
        }
      }
      return open
    }
    for database in open { close(database) }
    await withCheckedContinuation { continuation in
      state.withLock { $0.whenEmpty = continuation }
      resumeWhenEmpty()
    }
  }

  /// Closes a database whose entry says `closing`.
  func close(_ database: Database) {
    database.enter { inside in
      inside.close { [self] in
        database.enter { [self] inside in
          let counters = inside.counters
          state.withLock { $0.retired.add(counters) }
          finishClosing(database.id.name)
        }
      }
    }
  }

  /// Forgets a database that is closed; opens it again for those who have asked meanwhile.
  func finishClosing(_ name: String) {
    logger.debug("database closed", metadata: ["database": "\(name)"])
    let (waiters, isStopping) = state.withLock { state -> ([Waiter], Bool) in
      guard case .closing(let waiters) = state.entries[name] else { return ([], state.isStopping) }
      let opensAgain = !waiters.isEmpty && !state.isStopping
      state.entries[name] = opensAgain ? .opening(waiters) : nil
      return (waiters, state.isStopping)
    }
    if isStopping {
      for waiter in waiters { waiter.answer(.failure(Self.stopping)) }
      resumeWhenEmpty()
    } else if !waiters.isEmpty {
      beginOpening(name)
    }
  }

  func resumeWhenEmpty() {
    let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.isStopping, state.entries.isEmpty else { return nil }
      defer { state.whenEmpty = nil }
      return state.whenEmpty
    }
    continuation?.resume()
  }
}

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

  /// Enters the open database of a name, or all that are open for nil.
  func forEachOpen(named name: String?, _ work: @escaping @Sendable (isolated Database) -> Void) {
    for database in open where name == nil || name == database.id.name { database.enter(work) }
  }

  /// What all databases have done that are closed, and those that can still be asked.
  var totals: (retired: Counters, living: [Database]) {
    state.withLock { state in
      let living = state.entries.values.compactMap { entry -> Database? in
        switch entry {
        case .open(let database, _): database
        case .closing(let database, _): database
        case .opening, .failed: nil
        }
      }
      return (state.retired, living)
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
      state.entries[name] = .closing(database, [])
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
          state.entries[name] = .closing(database, [])
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

  /// Closes a database whose entry says `closing`, and forgets it.
  func close(_ database: Database) {
    close(database) { self.finishClosing(database.id.name) }
  }

  /// Closes a database whose entry says `closing`; what it has done is remembered.
  func close(_ database: Database, _ completion: @escaping @Sendable () -> Void) {
    database.enter { inside in
      inside.close {
        database.enter { [self] inside in
          let counters = inside.counters
          let name = database.id.name
          state.withLock { state in
            state.retired.add(counters)
            if case .closing(_, let waiters) = state.entries[name] {
              state.entries[name] = .closing(nil, waiters)
            }
          }
          completion()
        }
      }
    }
  }

  /// Forgets a database that is closed; opens it again for those who have asked meanwhile.
  func finishClosing(_ name: String) {
    logger.debug("database closed", metadata: ["database": "\(name)"])
    let (waiters, isStopping) = state.withLock { state -> ([Waiter], Bool) in
      guard case .closing(_, let waiters) = state.entries[name] else { return ([], state.isStopping) }
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

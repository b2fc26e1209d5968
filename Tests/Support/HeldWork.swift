package import Engine
import Synchronization

/// Long work that is done when a test says so.
package final class HeldWork: Sendable {
  private let jobs = Mutex<[@Sendable () -> Void]>([])

  package init() {}

  /// For whoever has long work to do.
  package var longWork: LongWork {
    LongWork { job in self.jobs.withLock { $0.append(job) } }
  }

  /// How many jobs wait.
  package var count: Int { jobs.withLock(\.count) }

  /// Does what waits; what follows from it is for the loops.
  package func run() {
    let jobs = jobs.withLock { jobs in
      defer { jobs = [] }
      return jobs
    }
    for job in jobs { job() }
  }
}

extension LongWork {
  /// At once, on the loop that asks.
  package static let atOnce = LongWork { job in job() }
}

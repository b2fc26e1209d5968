import Engine
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: Clock, Sendable {
  private let now: Mutex<Int64>

  package init(_ milliseconds: Int64 = 1_700_000_000_000) {
    now = Mutex(milliseconds)
  }

  package func nowMilliseconds() -> Int64 { now.withLock { $0 } }

  package func advance(milliseconds: Int64) {
    now.withLock { $0 += milliseconds }
  }
}

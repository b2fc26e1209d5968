#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the time comes from.
package protocol Clock: Sendable {
  /// Milliseconds since 1970, as server timestamps show it.
  func nowMilliseconds() -> Int64
}

/// The machine's own time.
package struct SystemClock: Clock {
  package init() {}

  package func nowMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

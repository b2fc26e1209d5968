import Glibc

/// What to measure, against which server.
struct Options {
  enum Mode: String { case fanout, listen, echo, put, get, idle }
  enum Dialect: String { case firebase, plain, redis, http }

  var mode = Mode.fanout
  var dialect = Dialect.firebase
  var port: UInt16 = 9000
  /// The server's process, whose CPU time and memory are read.
  var processID: Int32 = 0
  var connections = 1000
  /// Messages under way at once (for `put`, `get` and `echo`: on all connections together).
  var window = 1
  /// A whole window leaves in one write, and the next follows when all of it has arrived.
  var isBurst = false
  var warmupSeconds = 0.5
  var measureSeconds = 2.0
  var valueBytes = 100
  var database = "bench"
  var path = "bench"
  /// Puts go to a field of one of so many users, all over the tree; 0: to a place of each connection's own.
  var users = 0
  /// What requests over HTTP carry to say who asks; empty for nothing.
  var credential = ""

  static let usage = """
    usage: LoadGenerator --mode fanout|listen|echo|put|get|idle --dialect firebase|plain|redis|http --port P
                         [--pid SERVER] [--conns N] [--window W] [--burst] [--warmup S] [--seconds S]
                         [--size BYTES] [--auth TOKEN] [--users N]
    Loads a server on 127.0.0.1 for a bounded time and prints one line of JSON. Exit status 1: a delivery was
    lost, repeated or out of order, or the server refused.
    """

  init(_ arguments: [String]) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      if name == "--burst" {
        isBurst = true
        continue
      }
      guard let value = rest.popFirst() else { quit(Self.usage) }
      switch name {
      case "--mode": mode = Mode(rawValue: value) ?? { quit(Self.usage) }()
      case "--dialect": dialect = Dialect(rawValue: value) ?? { quit(Self.usage) }()
      case "--port": port = UInt16(value) ?? { quit(Self.usage) }()
      case "--pid": processID = Int32(value) ?? { quit(Self.usage) }()
      case "--conns": connections = max(1, Int(value) ?? 1)
      case "--window": window = max(1, Int(value) ?? 1)
      case "--warmup": warmupSeconds = Double(value) ?? 0.5
      case "--seconds": measureSeconds = min(60, Double(value) ?? 2)
      case "--size": valueBytes = min(10_000, max(16, Int(value) ?? 100))
      case "--auth": credential = value
      case "--users": users = max(0, Int(value) ?? 0)
      default: quit(Self.usage)
      }
    }
  }
}

/// Says why and ends the program.
func quit(_ reason: String) -> Never {
  let line = Array((reason + "\n").utf8)
  _ = write(2, line, line.count)
  exit(1)
}

/// Nanoseconds on the monotonic clock.
@inline(__always)
func nanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

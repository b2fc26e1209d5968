import Glibc

/// CPU time of this thread or process, in seconds.
enum Stopwatch {
  static func processorSeconds(_ clock: clockid_t = CLOCK_PROCESS_CPUTIME_ID) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func wallSeconds() -> Double { processorSeconds(CLOCK_MONOTONIC) }

  /// CPU seconds of the whole process that `body` takes.
  static func measure(_ body: () throws -> Void) rethrows -> Double {
    let start = processorSeconds()
    try body()
    return processorSeconds() - start
  }

  static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// Prints the one line that the table reads.
func report(ratio: Double, note: String) {
  let digits = Double(Int(ratio * 1000)) / 1000
  print(#"{"ratio":\#(digits),"note":"(\#(note))"}"#)
}

/// A number with one digit after the point.
func short(_ value: Double) -> String { String(Double(Int(value * 10)) / 10) }

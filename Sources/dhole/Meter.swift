import Synchronization

/// Counts the bytes of a transfer and shows them on standard error, some times a second at most.
final class Meter: Sendable {
  private struct State {
    var bytes: Int64 = 0
    var shown: ContinuousClock.Instant?
  }

  private static let barWidth: Int64 = 24

  private let verb: String
  private let total: Int64?
  private let state = Mutex(State())

  init(verb: String, total: Int64?) {
    self.verb = verb
    self.total = total
  }

  var bytes: Int64 { state.withLock { $0.bytes } }
  var text: String { Self.text(bytes) }

  func add(_ count: Int) {
    let isDue = state.withLock { state in
      state.bytes += Int64(count)
      let now = ContinuousClock.now
      if let shown = state.shown, now - shown < .milliseconds(200) { return false }
      state.shown = now
      return true
    }
    if isDue { Terminal.progress(line) }
  }

  func finish() {
    Terminal.progress(line, isLast: true)
  }

  private var line: String {
    guard let total, total > 0 else { return "\(verb) \(text)" }
    let filled = Int(bytes * Self.barWidth / total)
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "░", count: Int(Self.barWidth) - filled)
    return "\(bar) \(verb) \(text) of \(Self.text(total)) (\(bytes * 100 / total) %)"
  }

  /// `1.5 MB`, in powers of ten.
  static func text(_ bytes: Int64) -> String {
    guard bytes >= 1000 else { return "\(bytes) bytes" }
    let (size, unit) = bytes >= 1_000_000 ? (bytes / 100_000, "MB") : (bytes / 100, "kB")
    return "\(size / 10).\(size % 10) \(unit)"
  }
}

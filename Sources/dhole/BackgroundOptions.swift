import ArgumentParser
import Glibc

/// Whether a command that runs for long lets others go first.
struct BackgroundOptions: ParsableArguments {
  @Flag(
    name: .long,
    help: """
      As fast as it goes, at others' cost. By default the machine's other programs come first, a server on \
      it above all.
      """)
  var foreground = false

  /// Linux's `SCHED_IDLE`, which its C library shows to C only.
  private static let idlePolicy: Int32 = 5

  /// Lets everybody else have a core first, unless told otherwise.
  func apply() {
    guard !foreground else { return }
    // Each thread has a policy of its own, and hands it on to those that it starts. A thread that is gone by
    // now needs none, and giving way is always allowed.
    var lowest = sched_param()
    sched_setscheduler(0, Self.idlePolicy, &lowest)
    guard let folder = opendir("/proc/self/task") else { return }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let thread = pid_t(name) { sched_setscheduler(thread, Self.idlePolicy, &lowest) }
    }
  }
}

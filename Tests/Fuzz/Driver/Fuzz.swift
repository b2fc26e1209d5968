import CFuzz
import FuzzTargets
import Glibc

/// Runs one target under libFuzzer: `Fuzz NAME [corpus folder …] [-max_total_time=60 …]`.
@main
enum Fuzz {
  private static let target = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.named)

  static func main() {
    guard target != nil else {
      print("usage: Fuzz NAME [libFuzzer's arguments]")
      for target in FuzzTarget.all { print("  \(target.name)") }
      exit(64)
    }
    // The target's name stands where libFuzzer looks for the program's.
    var count = CommandLine.argc - 1
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
    let status = LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
      Fuzz.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
      return 0
    }
    exit(status)
  }

  private static func check(_ bytes: [UInt8]) {
    do {
      try target?.check(bytes)
    } catch {
      print(error)
      fflush(nil)
      abort()
    }
  }
}

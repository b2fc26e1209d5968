import Glibc

/// CPU seconds that a process has used, user and system, from /proc.
func processorSeconds(_ processID: Int32) -> Double {
  guard processID > 0, let text = contents("/proc/\(processID)/stat"), let close = text.lastIndex(of: ")")
  else {
    return 0
  }
  let fields = text[text.index(after: close)...].split(separator: " ")
  guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
  return (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
}

/// Resident memory of a process, in bytes.
func residentBytes(_ processID: Int32) -> Int {
  guard processID > 0, let text = contents("/proc/\(processID)/statm") else { return 0 }
  let fields = text.split(separator: " ")
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(CInt(_SC_PAGESIZE)) : 0
}

private func contents(_ path: String) -> String? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = fread(&bytes, 1, bytes.count, file)
  return String(decoding: bytes[..<count], as: UTF8.self)
}

/// Latencies in microseconds, to about 3 %.
struct Latencies {
  private var counts = [Int](repeating: 0, count: 1024)
  private var total = 0

  mutating func add(nanoseconds: UInt64) {
    let scaled = max(1.0, Double(nanoseconds) / 1000)
    counts[min(1023, Int(log2(scaled) * 32))] += 1
    total += 1
  }

  mutating func clear() { self = Latencies() }

  func percentile(_ share: Double) -> Double {
    var left = Int(Double(total) * share)
    for (index, count) in counts.enumerated() {
      left -= count
      if left < 0 { return exp2((Double(index) + 0.5) / 32) }
    }
    return 0
  }
}

import Foundation
import Testing

/// Random clients on a log with faults, against a model; `SIMULATION_SEEDS` says how many seeds,
/// `SIMULATION_FIRST` from which on, `SIMULATION_SEED` runs one.
struct SimulationTests {
  private static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["SIMULATION_SEED"].flatMap(UInt64.init) { return [seed] }
    let usual: UInt64 = environment["SOAK"] == nil ? 200 : 5_000
    let count = environment["SIMULATION_SEEDS"].flatMap(UInt64.init) ?? usual
    let first = environment["SIMULATION_FIRST"].flatMap(UInt64.init) ?? 1
    return Array(first..<first + max(1, count))
  }()

  @Test func `whatever fails and whoever leaves, everybody ends up seeing the tree that was acknowledged`()
    async throws
  {
    for seed in SimulationTests.seeds {
      do {
        let simulation = try await Simulation(seed: seed)
        for _ in 0..<120 { try await simulation.step() }
        try await simulation.rest()
      } catch {
        Issue.record("seed \(seed): \(error)")
        return
      }
    }
  }
}

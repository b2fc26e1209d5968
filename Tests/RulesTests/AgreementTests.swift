import Foundation
import JSONTree
import Rules
import Testing

/// A second evaluator, slow and plain, must come to the same decisions: rules, data, claims and writes are
/// made up.
struct AgreementTests {
  private struct Tally {
    var allowed = 0
    var denied = 0
    var unjudged = 0
    var sure = 0
  }

  @Test func `a plain evaluator agrees with the compiled one on rules that are made up`() throws {
    let isSoaking = ProcessInfo.processInfo.environment["SOAK"] == "1"
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = RuleGenerator(seed: seed)
    var tally = Tally()
    for round in 0..<(isSoaking ? 200_000 : 1500) {
      guard try agree(&generator, &tally) else {
        Issue.record("seed \(seed), round \(round)")
        return
      }
    }
    // What is never allowed or never denied would prove nothing.
    let all = tally.allowed + tally.denied
    #expect(tally.allowed > all / 10 && tally.denied > all / 10, "seed \(seed): \(tally)")
    #expect(tally.unjudged < all / 20, "seed \(seed): \(tally)")
    #expect(tally.sure > all / 500, "seed \(seed): \(tally)")
  }

  private func agree(_ generator: inout RuleGenerator, _ tally: inout Tally) throws -> Bool {
    generator.isWilddog = generator.random.once(in: 3)
    let naive = generator.rules(depth: generator.random.once(in: 4) ? 3 : 2)
    let dialect = generator.isWilddog ? "wilddog" : "firebase"
    let text = "{\"dialect\":\"\(dialect)\",\"rules\":\(naive.json)}"
    let rules: RuleSet
    do {
      rules = try RuleSet(text: text)
    } catch {
      Issue.record("refused: \(error.text)\n\(text)")
      return false
    }
    let before = generator.tree(depth: 3)
    for _ in 0..<3 {
      let isRead = generator.random.once(in: 3)
      let decided =
        isRead ? try read(naive, rules, before, &generator) : try write(naive, rules, before, &generator)
      guard let decided else {
        tally.unjudged += 1
        continue
      }
      if decided.expected { tally.allowed += 1 } else { tally.denied += 1 }
      if decided.isSure { tally.sure += 1 }
      guard decided.actual == decided.expected, decided.traced == decided.expected,
        decided.expected || !decided.isSure
      else {
        Issue.record(
          """
          allowed: expected \(decided.expected), was \(decided.actual), traced \(decided.traced), \
          without a look at the tree \(decided.isSure)
          \(text)\nbefore \(before.json)\n\(decided.what)
          """)
        return false
      }
    }
    return true
  }

  private struct Decided {
    var expected: Bool
    var actual: Bool
    var traced: Bool
    /// Said to be allowed before anything is known of the tree.
    var isSure = false
    var what: String
  }

  private static let now: Int64 = 1000

  private func node(_ tree: NaiveTree) throws -> Node { try Node.parse(tree.json) }

  /// Claims may have names that keys may not.
  private func claims(_ tree: NaiveTree) throws -> Node {
    try Array(tree.json.utf8).withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      return try reader.readFreeValue()
    }
  }

  private func judged(_ body: () throws -> Bool) throws -> Bool? {
    do {
      return try body()
    } catch is NaiveEvaluator.Unjudged {
      return nil
    }
  }

  private func read(
    _ naive: NaiveRules, _ rules: RuleSet, _ before: NaiveTree, _ generator: inout RuleGenerator
  ) throws -> Decided? {
    let auth = generator.claims(), keys = generator.path(), query = generator.query()
    let evaluator = NaiveEvaluator(
      auth: auth, now: Double(Self.now), before: before, after: before, query: query)
    guard let expected = try judged({ try naive.grants(".read", at: keys, evaluator) }) else { return nil }
    let caller = Caller(auth: try claims(auth)), root = try node(before)
    let path = Path(keys.map { ChildKey(unchecked: $0) })
    let actual = rules.read(at: path, caller: caller, root: root, nowMilliseconds: Self.now, query: query)
    let trace = rules.trace(
      readAt: path, caller: caller, root: root, nowMilliseconds: Self.now, query: query)
    return Decided(
      expected: expected, actual: actual.isAllowed, traced: trace.isAllowed,
      what: "read \(keys) by \(auth.json) query \(String(describing: query))")
  }

  private func write(
    _ naive: NaiveRules, _ rules: RuleSet, _ before: NaiveTree, _ generator: inout RuleGenerator
  ) throws -> Decided? {
    let auth = generator.claims()
    var paths: [[String]] = [], after = before
    for _ in 0...(generator.random.once(in: 3) ? 1 : 0) {
      let keys = generator.path()
      // The paths of one update never lie one inside another.
      if paths.contains(where: { $0.starts(with: keys) || keys.starts(with: $0) }) { continue }
      paths.append(keys)
      after = after.replacing(keys, with: generator.random.once(in: 4) ? .null : generator.tree(depth: 2))
    }
    let evaluator = NaiveEvaluator(
      auth: auth, now: Double(Self.now), before: before, after: after, query: nil)
    guard let expected = try judged({ try naive.allows(writing: paths, evaluator) }) else { return nil }
    let caller = Caller(auth: try claims(auth))
    let (old, new) = (try node(before), try node(after))
    let places = paths.map { Path($0.map { ChildKey(unchecked: $0) }) }
    let actual = rules.write(
      at: places, caller: caller, before: old, after: new, nowMilliseconds: Self.now)
    let trace = rules.trace(
      writeAt: places, caller: caller, before: old, after: new, nowMilliseconds: Self.now)
    let isSure = places.allSatisfy { rules.surelyAllows(writing: $0, caller, Self.now) }
    return Decided(
      expected: expected, actual: actual.isAllowed, traced: trace.isAllowed, isSure: isSure,
      what: "write \(paths) by \(auth.json)\nafter \(after.json)")
  }
}

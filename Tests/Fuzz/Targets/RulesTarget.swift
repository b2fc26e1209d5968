import JSONTree
import Rules

extension FuzzTarget {
  /// Rules texts: refused with places that exist, or taken; then they decide, explain themselves, and keep
  /// their meaning when they are laid out anew. The same bytes are read as a file of cases.
  static let rules = FuzzTarget("rules") { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    do {
      let rules = try RuleSet(text: text)
      try checkDecisions(rules)
      try checkLayout(rules, text)
      _ = rules.lints
    } catch let refused as RulesErrors {
      try checkPlaces(refused, text)
    }
    guard let cases = try? RuleCases(text: text) else { return }
    for outcome in cases.run(.closed) { _ = outcome.failure }
  }

  private static func checkPlaces(_ refused: RulesErrors, _ text: String) throws {
    let lines = text.utf8.count { $0 == 10 } + 1
    try Finding.check(!refused.errors.isEmpty, "refused without a reason")
    for error in refused.errors {
      try Finding.check((1...lines).contains(error.line), "\(error.text): there is no such line")
      try Finding.check(error.column >= 1 && !error.message.isEmpty, "\(error.text): no place or no reason")
    }
  }

  private static let before = Result {
    try Node.parse(
      #"{"a":{"b":{"c":1,"d":"text"},"e":true},"rooms":{"r":{"members":{"mia":true},"n":-2.5}},"x":"ä漢😀"}"#)
  }

  private static func checkDecisions(_ rules: RuleSet) throws {
    let before = try Self.before.get()
    let token = Node(children: [(ChildKey(unchecked: "role"), Node("cook"))])
    let auth = Node(children: [
      (ChildKey(unchecked: "uid"), Node("mia")), (ChildKey(unchecked: "token"), token),
    ])
    var query = QueryFacts()
    query.orderByChild = "c"
    query.limitToFirst = 3
    for caller in [Caller.anonymous, Caller(auth: auth)] {
      for place in ["", "a", "a/b/c", "rooms/r", "x/y/z"] {
        let path = try Path(place)
        let read = rules.read(at: path, caller: caller, root: before, nowMilliseconds: 7, query: query)
        let readTrace = rules.trace(
          readAt: path, caller: caller, root: before, nowMilliseconds: 7, query: query)
        try Finding.check(read.isAllowed == readTrace.isAllowed, "reading /\(place) is traced otherwise")
        _ = readTrace.refusal
        for value in [Node.null, Node("new"), before] {
          var after = before
          after.set(value, at: path)
          let write = rules.write(
            at: [path], caller: caller, before: before, after: after, nowMilliseconds: 7)
          let trace = rules.trace(
            writeAt: [path], caller: caller, before: before, after: after, nowMilliseconds: 7)
          try Finding.check(write.isAllowed == trace.isAllowed, "writing /\(place) is traced otherwise")
        }
      }
    }
  }

  private static func checkLayout(_ rules: RuleSet, _ text: String) throws {
    let tidy = try RuleFormat.format(text)
    let again = try RuleSet(text: tidy)
    try Finding.check(again.strictText == rules.strictText, "laid out, the rules are others:\n\(tidy)")
    try Finding.check(try RuleFormat.format(tidy) == tidy, "laid out twice, the text changes:\n\(tidy)")
    try Finding.check(
      try RuleSet(text: rules.strictText).strictText == rules.strictText, "the strict text is not strict")
  }
}

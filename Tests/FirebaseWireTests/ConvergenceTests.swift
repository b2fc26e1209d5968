import JSONTree
import TestSupport
import Testing

@Suite struct ConvergenceTests {
  private static let rules =
    #"{"rules":{".read":true,".write":true,"p":{".indexOn":["pts",".value","deep/v"]},"#
    + #""q":{".indexOn":["pts",".value","deep/v"]}}}"#
  private static let keys = [
    "a", "b", "7", "10", "007", "é", #"quo\"te"#, "a key of more than twenty-two bytes",
  ]

  @Test(arguments: 0..<4) func `clients that follow the pushes hold what the server holds`(round: Int)
    async throws
  {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SeededNumbers(seed: seed)
    let room = try await FirebaseRoom(rules: ConvergenceTests.rules)
    var writer = MirrorClient(try await room.connect())
    var near = MirrorClient(try await room.connect())
    var far = MirrorClient(try await room.connect(onOtherLoop: true))
    for step in 0..<120 {
      if step % 10 == 0 {
        try await ConvergenceTests.listen(&near, &random)
        try await ConvergenceTests.listen(&far, &random)
      }
      let (action, body) = ConvergenceTests.write(&random)
      #expect(try await writer.ask(action, body) == #"{"s":"ok","d":""}"#, "\(action) \(body)")
      guard step % 10 == 9 else { continue }
      try await ConvergenceTests.check(&near, seed)
      try await ConvergenceTests.check(&far, seed)
    }
  }

  private static func check(_ client: inout MirrorClient, _ seed: UInt64) async throws {
    try client.take()
    for mirror in client.mirrors {
      let shown = try await client.shown(mirror)
      #expect(mirror.value == shown, "\(mirror.path) \(mirror.query ?? "whole"), seed \(seed)")
    }
  }

  private static func listen(_ client: inout MirrorClient, _ random: inout SeededNumbers) async throws {
    if Int.random(in: 0..<4, using: &random) == 0 {
      let path = ["", "p", "q/a", "p/7/deep"].randomElement(using: &random) ?? ""
      if !client.mirrors.contains(where: { $0.path == path && $0.tag == nil }) {
        try await client.listen(path)
      }
    } else {
      try await client.listen(Bool.random(using: &random) ? "p" : "q", query: query(&random))
    }
  }

  // MARK: What clients may send

  private static func pick(_ choices: [String], _ random: inout SeededNumbers) -> String {
    choices.randomElement(using: &random) ?? ""
  }

  private static func chance(_ percent: Int, _ random: inout SeededNumbers) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }

  private static func key(_ random: inout SeededNumbers) -> String { pick(keys, &random) }

  private static func query(_ random: inout SeededNumbers) -> String {
    let index = pick([".key", ".value", "pts", "deep/v", ".priority"], &random)
    func bound(_ random: inout SeededNumbers) -> String {
      switch index {
      case ".key": "\"\(key(&random))\""
      case ".priority": pick(["null", "1", "2", #""p""#], &random)
      default: pick(["null", "true", "0", "1", "2.5", #""x""#, #""é""#], &random)
      }
    }
    var parts = [#""i":"\#(index)""#]
    for side in ["s", "e"] where chance(40, &random) {
      parts.append("\"\(side)p\":" + bound(&random))
      if index != ".key", chance(50, &random) {
        let name = chance(30, &random) ? (side == "s" ? "[MAX_NAME]" : "[MIN_NAME]") : key(&random)
        parts.append(#""\#(side)n":"\#(name)""#)
      }
      if chance(30, &random) { parts.append("\"\(side)in\":false") }
    }
    if parts.count == 1 || chance(60, &random) {
      parts.append(#""l":\#(Int.random(in: 1...4, using: &random)),"vf":"\#(pick(["l", "r"], &random))""#)
    }
    return "{" + parts.joined(separator: ",") + "}"
  }

  private static func leaf(_ random: inout SeededNumbers) -> String {
    let leaf = pick(["null", "true", "false", "0", "1", "2", "2.5", "-1", #""""#, #""x""#, #""é""#], &random)
    if leaf == "null" || chance(85, &random) { return leaf }
    return #"{".value":\#(leaf),".priority":\#(pick(["1", "2", #""p""#], &random))}"#
  }

  private static func child(_ random: inout SeededNumbers) -> String {
    if chance(30, &random) { return leaf(&random) }
    var parts: [String] = []
    if chance(60, &random) { parts.append("\"pts\":" + leaf(&random)) }
    if chance(60, &random) { parts.append("\"name\":" + leaf(&random)) }
    if chance(60, &random) { parts.append(#""deep":{"v":\#(leaf(&random)),"w":\#(leaf(&random))}"#) }
    if chance(30, &random) { parts.append("\".priority\":" + pick(["1", "2", #""p""#, "null"], &random)) }
    return "{" + parts.joined(separator: ",") + "}"
  }

  private static func children(_ random: inout SeededNumbers) -> String {
    let names = keys.shuffled(using: &random).prefix(Int.random(in: 1...5, using: &random))
    return "{" + names.map { "\"\($0)\":" + child(&random) }.joined(separator: ",") + "}"
  }

  /// An action and its body.
  private static func write(_ random: inout SeededNumbers) -> (String, String) {
    let base = Bool.random(using: &random) ? "p" : "q"
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<6: return ("p", #"{"p":"\#(base)/\#(key(&random))","d":\#(child(&random))}"#)
    case 6..<10:
      let part = pick(["pts", "name", "deep/v", "deep"], &random)
      return ("p", #"{"p":"\#(base)/\#(key(&random))/\#(part)","d":\#(leaf(&random))}"#)
    case 10:
      let priority = pick(["null", "1", "2", #""p""#], &random)
      return ("p", #"{"p":"\#(base)/\#(key(&random))/.priority","d":\#(priority)}"#)
    case 11..<15: return ("m", #"{"p":"\#(base)","d":\#(children(&random))}"#)
    case 15..<17:
      let inner = #""p/\#(key(&random))/pts":\#(leaf(&random)),"q/\#(key(&random))":\#(child(&random))"#
      return ("m", #"{"p":"/","d":{\#(inner)}}"#)
    case 17: return ("p", #"{"p":"\#(base)","d":\#(children(&random))}"#)
    case 18: return ("p", #"{"p":"\#(base)","d":\#(leaf(&random))}"#)
    default: return ("p", #"{"p":"/","d":{"p":\#(children(&random)),"q":\#(children(&random))}}"#)
    }
  }
}

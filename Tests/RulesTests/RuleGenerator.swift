import JSONTree
import TestSupport
import Rules

extension SeededNumbers {
  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
  mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
  /// True once in so many times.
  mutating func once(in count: Int) -> Bool { below(count) == 0 }
}

/// Makes trees, claims and expressions that are well typed, from few enough words that they often meet.
struct RuleGenerator {
  var random: SeededNumbers
  /// The expressions also use what Wilddog's are written with.
  var isWilddog = false
  static let keys = ["a", "b", "c", "mia", "1"]
  static let texts = [
    "", "a", "b", "mia", "leo", "aab", "ab", "1", "3", "Ab1", "é", "e\u{301}", "😀", "\u{FF5E}", "a/b", "x.y",
    "it's\n",
  ]

  init(seed: UInt64) {
    random = SeededNumbers(seed: seed)
  }

  // MARK: Data

  mutating func leaf() -> NaiveTree.Leaf {
    switch random.below(4) {
    case 0: .bool(random.once(in: 2))
    case 1: .number(random.pick([0, 1, 2, 3, -1, 2.5, 1000]))
    default: .text(random.pick(Self.texts))
    }
  }

  mutating func tree(depth: Int, hasPriorities: Bool = true) -> NaiveTree {
    if depth == 0 || random.once(in: 4) {
      var tree = NaiveTree(leaf: random.once(in: 8) ? .null : leaf())
      if tree.exists, hasPriorities, random.once(in: 5) {
        tree.priority = random.once(in: 2) ? .number(7) : .text("p")
      }
      return tree
    }
    var tree = NaiveTree.null
    for key in Self.keys where random.once(in: 2) {
      let child = self.tree(depth: depth - 1, hasPriorities: hasPriorities)
      if child.exists { tree.children[key] = child }
    }
    return tree
  }

  mutating func claims() -> NaiveTree {
    if random.once(in: 4) { return .null }
    var token = NaiveTree.null
    token.children = [
      "a": NaiveTree(leaf: leaf()), "b": tree(depth: 1, hasPriorities: false), "x.y": NaiveTree(leaf: leaf()),
    ]
    token.children = token.children.filter { $0.value.exists }
    let uid = NaiveTree(leaf: .text(random.pick(["mia", "a", "leo"])))
    return NaiveTree(children: ["uid": uid, "token": token].filter { $0.value.exists })
  }

  mutating func path() -> [String] {
    (0..<random.below(4)).map { _ in random.pick(Self.keys) }
  }

  mutating func query() -> QueryFacts? {
    if random.once(in: 3) { return nil }
    var facts = QueryFacts()
    facts.orderByKey = random.once(in: 2)
    facts.orderByValue = random.once(in: 3)
    if random.once(in: 2) { facts.orderByChild = random.pick(["a", "b"]) }
    if random.once(in: 2) { facts.limitToFirst = random.pick([1, 3]) }
    if random.once(in: 2) { facts.startAt = Node(random.pick(["a", "mia"])) }
    if random.once(in: 2) { facts.equalTo = Node(random.pick(["a", "mia"])) }
    return facts
  }

  // MARK: Rules

  mutating func rules(depth: Int, scope: [String] = []) -> NaiveRules {
    var rules = NaiveRules()
    for name in [".read", ".write", ".validate"] where random.once(in: 2) {
      if name == ".write", random.once(in: 2) {
        rules.rules[name] = .bool(true)
        continue
      }
      var maker = ExpressionMaker(
        random: random, isRead: name == ".read", isWilddog: isWilddog, wildcards: scope)
      rules.rules[name] = maker.flag(1 + random.below(3))
      random = maker.random
    }
    guard depth > 0 else { return rules }
    for key in Self.keys where random.once(in: 4) {
      rules.children[key] = self.rules(depth: depth - 1, scope: scope)
    }
    if random.once(in: 2) {
      let name = "$w\(depth)"
      rules.wildcard = (name, [self.rules(depth: depth - 1, scope: scope + [name])])
    }
    return rules
  }
}

/// Makes one expression: for each static type, one of the forms that have it.
struct ExpressionMaker {
  var random: SeededNumbers
  let isRead: Bool
  let isWilddog: Bool
  let wildcards: [String]

  mutating func flag(_ depth: Int) -> NaiveExpression {
    guard depth > 0 else { return random.once(in: 3) ? .bool(true) : simpleFlag() }
    switch random.below(16) {
    case 0: return .unary("!", flag(depth - 1))
    case 1, 2, 3: return .binary("&&", flag(depth - 1), flag(depth - 1))
    case 4, 5, 6: return .binary("||", flag(depth - 1), flag(depth - 1))
    case 7, 8, 9:
      return .binary(random.pick(["==", "!=", "===", "!=="]), comparable(depth - 1), comparable(depth - 1))
    case 10, 11: return .binary(random.pick(["<", "<=", ">", ">="]), ordered(depth - 1), ordered(depth - 1))
    case 12: return .choice(flag(depth - 1), flag(depth - 1), flag(depth - 1))
    case 13:
      let start = isWilddog && random.once(in: 2) ? "startsWith" : "beginsWith"
      return .call(receiver(depth - 1), random.pick(["contains", start, "endsWith"]), [text(depth - 1)])
    case 14:
      let pattern = self.pattern()
      let isQuoted = isWilddog && !pattern.ignoresCase
      return .call(receiver(depth - 1), "matches", [isQuoted ? .quotedPattern(pattern) : .pattern(pattern)])
    default: return simpleFlag(depth - 1)
    }
  }

  private mutating func simpleFlag(_ depth: Int = 0) -> NaiveExpression {
    let place = place(depth)
    switch random.below(7) {
    case 0: return .call(place, "hasChild", [text(depth)])
    case 1: return .call(place, "hasChildren", [])
    case 2: return .call(place, "hasChildren", [.array((0..<random.below(3)).map { _ in name(depth) })])
    case 3: return .member(.name("query"), random.pick(["orderByKey", "orderByValue", "orderByPriority"]))
    default: return .call(place, random.pick(["exists", "isString", "isNumber", "isBoolean"]), [])
    }
  }

  private mutating func comparable(_ depth: Int) -> NaiveExpression {
    switch random.below(5) {
    case 0: .null
    case 1: flag(depth)
    default: ordered(depth)
    }
  }

  private mutating func ordered(_ depth: Int) -> NaiveExpression {
    switch random.below(6) {
    case 0: number(depth)
    case 1: text(depth)
    case 2: auth(depth)
    case 3: .member(.name("query"), random.pick(["limitToFirst", "startAt", "equalTo"]))
    default: value(depth)
    }
  }

  private mutating func numeric(_ depth: Int) -> NaiveExpression {
    switch random.below(4) {
    case 0: value(depth)
    case 1: auth(depth)
    default: number(depth)
    }
  }

  private mutating func number(_ depth: Int) -> NaiveExpression {
    guard depth > 0 else {
      return random.once(in: 5) ? .name("now") : .number(random.pick([0, 1, 2, 3, 2.5]))
    }
    switch random.below(4) {
    case 0: return .unary("-", numeric(depth - 1))
    case 1:
      let receiver = receiver(depth - 1)
      return isWilddog && random.once(in: 2)
        ? .call(receiver, "length", []) : .member(receiver, "length")
    case 2: return .binary(random.pick(["-", "*", "/", "%"]), numeric(depth - 1), numeric(depth - 1))
    default: return number(0)
    }
  }

  /// What string methods may be called on.
  private mutating func receiver(_ depth: Int) -> NaiveExpression {
    switch random.below(4) {
    case 0: value(depth)
    case 1: auth(depth)
    default: text(depth)
    }
  }

  /// An argument that names a child.
  private mutating func name(_ depth: Int) -> NaiveExpression {
    random.once(in: 5)
      ? .member(.name("auth"), "uid") : .text(random.pick(RuleGenerator.keys + ["a/b", "x.y", "/a/"]))
  }

  private mutating func text(_ depth: Int) -> NaiveExpression {
    guard depth > 0 else {
      if let name = wildcards.randomElement(using: &random), random.once(in: 2) { return .name(name) }
      return .text(random.pick(RuleGenerator.texts))
    }
    switch random.below(6) {
    case 0: return .binary("+", text(depth - 1), ordered(depth - 1))
    case 1: return .binary("+", ordered(depth - 1), text(depth - 1))
    case 2: return .call(receiver(depth - 1), "replace", [text(depth - 1), text(depth - 1)])
    case 3: return .call(receiver(depth - 1), random.pick(["toLowerCase", "toUpperCase"]), [])
    default: return text(0)
    }
  }

  private mutating func value(_ depth: Int) -> NaiveExpression {
    switch random.below(8) {
    case 0: .call(place(depth), "getPriority", [])
    default: .call(place(depth), "val", [])
    }
  }

  private mutating func auth(_ depth: Int) -> NaiveExpression {
    let token = NaiveExpression.member(.name("auth"), "token")
    switch random.below(6) {
    case 0: return .member(token, random.pick(["a", "b", "gone"]))
    case 1: return .index(token, .text("x.y"))
    case 2: return .member(.member(token, "b"), random.pick(["a", "c"]))
    case 3 where depth > 0: return .index(token, .call(place(depth - 1), "val", []))
    default: return .member(.name("auth"), "uid")
    }
  }

  private mutating func place(_ depth: Int) -> NaiveExpression {
    guard depth > 0, !random.once(in: 4) else {
      return .name(random.pick(isRead ? ["root", "data"] : ["root", "data", "newData", "newData"]))
    }
    switch random.below(6) {
    case 0: return .call(place(depth - 1), "parent", [])
    case 1: return .call(place(depth - 1), "child", [text(depth - 1)])
    case 2: return .choice(flag(depth - 1), place(depth - 1), place(depth - 1))
    default: return .call(place(depth - 1), "child", [name(depth - 1)])
    }
  }

  // MARK: Patterns

  private mutating func pattern() -> NaivePattern {
    NaivePattern(
      alternatives: alternatives(2), startsAtStart: random.once(in: 2), endsAtEnd: random.once(in: 2),
      ignoresCase: random.once(in: 3))
  }

  private mutating func alternatives(_ depth: Int) -> [[NaivePattern.Piece]] {
    (0...random.below(2)).map { _ in (0...random.below(3)).map { _ in piece(depth) } }
  }

  private mutating func piece(_ depth: Int) -> NaivePattern.Piece {
    guard random.once(in: 3) else { return single(depth) }
    let least = random.below(3)
    return .repetition(
      single(depth), least: least, most: random.once(in: 2) ? nil : max(1, least + random.below(2)))
  }

  private mutating func single(_ depth: Int) -> NaivePattern.Piece {
    switch random.below(8) {
    case 0: .any
    case 1: .kind(random.pick(["d", "D", "w", "W", "s", "S"]))
    case 2:
      .set(
        [random.pick(["a"..."b", "0"..."9", "A"..."Z", "é"..."é"]), "i"..."m"], isNegated: random.once(in: 3))
    case 3 where depth > 0: .group(alternatives(depth - 1))
    default: .character(random.pick(["a", "b", "1", "é", "/", ".", "m", "i"]))
    }
  }
}

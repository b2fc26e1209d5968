/// A piece of a regular expression.
indirect enum PatternPiece: Sendable {
  case set(CharacterSet)
  case sequence([PatternPiece])
  case alternatives([PatternPiece])
  case repetition(PatternPiece, least: Int, most: Int?)
  case start
  case end
}

/// Reads the documented dialect: `^` only as the very first character, `$` only as the very last; no
/// look-around, back-references, lazy or possessive quantifiers.
struct PatternParser {
  static let nestingLimit = 50
  static let repetitionLimit = 1000

  private let text: [Unicode.Scalar]
  private var at = 0
  private var depth = 0

  static func parse(_ text: String) throws(PatternFault) -> PatternPiece {
    var parser = PatternParser(text: Array(text.unicodeScalars))
    let piece = try parser.alternatives()
    guard parser.at == parser.text.count else { throw PatternFault("unmatched ) in regular expression") }
    return piece
  }

  private init(text: [Unicode.Scalar]) {
    self.text = text
  }

  private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  private mutating func alternatives() throws(PatternFault) -> PatternPiece {
    var all = [try sequence()]
    while next == "|" {
      at += 1
      all.append(try sequence())
    }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence() throws(PatternFault) -> PatternPiece {
    var pieces: [PatternPiece] = []
    // A metacharacter that leads a group is taken as it stands.
    var isLeading = depth > 0 && at > 0 && text[at - 1] == "("
    while let character = next, character != "|", character != ")" {
      let piece = try atom(isLeading: isLeading)
      isLeading = false
      switch piece {
      case .start, .end: pieces.append(piece)
      default: pieces.append(try quantified(piece))
      }
    }
    if pieces.isEmpty, depth > 0 || at < text.count || at > 0 {
      throw PatternFault("empty alternative in regular expression")
    }
    return pieces.count == 1 ? pieces[0] : .sequence(pieces)
  }

  private mutating func atom(isLeading: Bool) throws(PatternFault) -> PatternPiece {
    let character = text[at]
    at += 1
    switch character {
    case "^":
      if at == 1 { return .start }
      if isLeading { break }
      throw PatternFault("^ must be the first character of a regular expression")
    case "$":
      if at == text.count, depth == 0 { return .end }
      if isLeading { break }
      throw PatternFault("$ must be the last character of a regular expression")
    case ".": return .set(.any)
    case "(":
      depth += 1
      guard depth <= Self.nestingLimit else { throw PatternFault("regular expression is nested too deeply") }
      let inner = try alternatives()
      guard next == ")" else { throw PatternFault("unmatched ( in regular expression") }
      at += 1
      depth -= 1
      return inner
    case "[": return .set(try set())
    case "\\": return .set(try escape())
    case "*", "+", "?", "{":
      if isLeading { break }
      throw PatternFault("nothing to repeat in regular expression")
    default: break
    }
    return .set(CharacterSet(character))
  }

  // MARK: Quantifiers

  private mutating func quantified(_ piece: PatternPiece) throws(PatternFault) -> PatternPiece {
    let least: Int, most: Int?
    switch next {
    case "*": (least, most) = (0, nil)
    case "+": (least, most) = (1, nil)
    case "?": (least, most) = (0, 1)
    case "{":
      at += 1
      (least, most) = try bounds()
      at -= 1
    default: return piece
    }
    at += 1
    if next == "*" || next == "+" || next == "?" || next == "{" {
      throw PatternFault("nothing to repeat in regular expression")
    }
    return .repetition(piece, least: least, most: most)
  }

  /// `n}`, `n,}` or `n,m}`, the brace included.
  private mutating func bounds() throws(PatternFault) -> (Int, Int?) {
    let fault = PatternFault("invalid repetition in regular expression; write \\{ for a brace")
    guard let least = count() else { throw fault }
    var most: Int? = least
    if next == "," {
      at += 1
      most = next == "}" ? nil : count()
      if most == nil, next != "}" { throw fault }
    }
    guard next == "}", most ?? least >= least else { throw fault }
    at += 1
    guard max(least, most ?? 0) <= Self.repetitionLimit else {
      throw PatternFault("repetition of more than \(Self.repetitionLimit) in regular expression")
    }
    return (least, most)
  }

  private mutating func count() -> Int? {
    var value: Int?
    while let digit = next, ("0"..."9").contains(digit) {
      value = min(1_000_000, (value ?? 0) * 10 + Int(digit.value - 48))
      at += 1
    }
    return value
  }

  // MARK: Sets

  private mutating func escape() throws(PatternFault) -> CharacterSet {
    guard let letter = next else { throw PatternFault("trailing backslash in regular expression") }
    at += 1
    switch letter {
    case "s": return .space
    case "S": return CharacterSet.space.inverted
    case "w": return .word
    case "W": return CharacterSet.word.inverted
    case "d": return .digits
    case "D": return CharacterSet.digits.inverted
    default: return CharacterSet(letter)
    }
  }

  private mutating func set() throws(PatternFault) -> CharacterSet {
    let isNegated = next == "^"
    if isNegated { at += 1 }
    var members = CharacterSet([])
    while let character = next, character != "]" {
      at += 1
      let low = character == "\\" ? try escape() : CharacterSet(character)
      if next == "-", at + 1 < text.count, text[at + 1] != "]" {
        at += 1
        let end = text[at]
        at += 1
        let high = end == "\\" ? try escape() : CharacterSet(end)
        guard let from = Self.only(low), let to = Self.only(high), from <= to else {
          throw PatternFault("invalid range in regular expression")
        }
        members = members.union(CharacterSet([from...to]))
      } else {
        members = members.union(low)
      }
    }
    guard next == "]" else { throw PatternFault("unterminated set in regular expression") }
    at += 1
    return isNegated ? members.inverted : members
  }

  private static func only(_ set: CharacterSet) -> UInt32? {
    guard set.ranges.count == 1, set.ranges[0].count == 1 else { return nil }
    return set.ranges[0].lowerBound
  }
}

/// What is wrong with a regular expression.
struct PatternFault: Error, Equatable {
  let message: String

  init(_ message: String) {
    self.message = message
  }
}

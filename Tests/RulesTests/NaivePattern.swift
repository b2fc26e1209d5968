/// A regular expression of the documented dialect, matched by definition: for each piece, the set of all
/// places at which it may end.
struct NaivePattern {
  indirect enum Piece {
    case character(Unicode.Scalar)
    case any
    /// `\d`, `\w`, `\s` and their opposites.
    case kind(Unicode.Scalar)
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    case group([[Piece]])
    case repetition(Piece, least: Int, most: Int?)
  }

  var alternatives: [[Piece]]
  /// `^` before the first alternative.
  var startsAtStart: Bool
  /// `$` after the last one.
  var endsAtEnd: Bool
  var ignoresCase: Bool

  func matches(_ text: String) -> Bool {
    let subject = Array(text.unicodeScalars)
    for start in 0...subject.count {
      for (index, alternative) in alternatives.enumerated() {
        if index == 0, startsAtStart, start > 0 { continue }
        let ends = self.ends(alternative, subject, [start])
        let mustEnd = endsAtEnd && index == alternatives.count - 1
        if mustEnd ? ends.contains(subject.count) : !ends.isEmpty { return true }
      }
    }
    return false
  }

  private func ends(_ pieces: [Piece], _ subject: [Unicode.Scalar], _ starts: Set<Int>) -> Set<Int> {
    pieces.reduce(starts) { reached, piece in
      reached.reduce(into: []) { $0.formUnion(ends(piece, subject, $1)) }
    }
  }

  private func ends(_ piece: Piece, _ subject: [Unicode.Scalar], _ start: Int) -> Set<Int> {
    switch piece {
    case .group(let alternatives):
      return alternatives.reduce(into: []) { $0.formUnion(ends($1, subject, [start])) }
    case .repetition(let inner, let least, let most):
      var reached: Set<Int> = [start], all: Set<Int> = least == 0 ? [start] : []
      for round in 1...(most ?? least + subject.count + 1) where !reached.isEmpty {
        reached = reached.reduce(into: []) { $0.formUnion(ends(inner, subject, $1)) }
        if round >= least { all.formUnion(reached) }
      }
      return all
    default:
      guard start < subject.count, takes(piece, subject[start]) else { return [] }
      return [start + 1]
    }
  }

  private func takes(_ piece: Piece, _ character: Unicode.Scalar) -> Bool {
    guard ignoresCase else { return takesExactly(piece, character) }
    let others = character.properties.lowercaseMapping + character.properties.uppercaseMapping
    return ([character] + others.unicodeScalars).contains { takesExactly(piece, $0) }
  }

  private func takesExactly(_ piece: Piece, _ character: Unicode.Scalar) -> Bool {
    switch piece {
    case .character(let own): own == character
    case .any: character != "\n" && character != "\r"
    case .kind(let letter): Self.isKind(letter, character)
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
    case .group, .repetition: false
    }
  }

  private static func isKind(_ letter: Unicode.Scalar, _ character: Unicode.Scalar) -> Bool {
    let isDigit = ("0"..."9").contains(character)
    let isLetter = ("a"..."z").contains(character) || ("A"..."Z").contains(character)
    switch letter {
    case "d": return isDigit
    case "D": return !isDigit
    case "w": return isDigit || isLetter || character == "_"
    case "W": return !(isDigit || isLetter || character == "_")
    case "s": return character == " " || character == "\n" || character == "\t"
    default: return !(character == " " || character == "\n" || character == "\t")
    }
  }

  var text: String {
    let inner = Self.text(alternatives)
    return "/\(startsAtStart ? "^" : "")\(inner)\(endsAtEnd ? "$" : "")/\(ignoresCase ? "i" : "")"
  }

  private static func text(_ alternatives: [[Piece]]) -> String {
    alternatives.map { $0.map(text).joined() }.joined(separator: "|")
  }

  private static func text(_ piece: Piece) -> String {
    switch piece {
    case .character(let own): return ".*+?()[]{}|/\\^$-".unicodeScalars.contains(own) ? "\\\(own)" : "\(own)"
    case .any: return "."
    case .kind(let letter): return "\\\(letter)"
    case .set(let ranges, let isNegated):
      let inner = ranges.map {
        $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
      }
      return "[\(isNegated ? "^" : "")\(inner.joined())]"
    case .group(let alternatives): return "(\(text(alternatives)))"
    case .repetition(let inner, let least, let most):
      switch (least, most) {
      case (0, nil): return text(inner) + "*"
      case (1, nil): return text(inner) + "+"
      case (0, 1): return text(inner) + "?"
      case (_, nil): return text(inner) + "{\(least),}"
      case (_, let most?): return text(inner) + (least == most ? "{\(least)}" : "{\(least),\(most)}")
      }
    }
  }
}

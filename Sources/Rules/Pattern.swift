/// A compiled regular expression. Matching takes time that is linear in the subject: all ways through the
/// expression are followed at once, and sets of ways that were seen before are remembered while one subject
/// is read.
package struct Pattern: Sendable {
  /// Most instructions of one expression; repetitions are written out.
  static let sizeLimit = 20_000

  enum Instruction: Sendable {
    case take(CharacterSet)
    case split(Int, Int)
    case jump(Int)
    case atStart
    case match
    case matchAtEnd
  }

  let program: [Instruction]
  let ignoresCase: Bool

  init(_ text: String, ignoresCase: Bool) throws(PatternFault) {
    let piece = try PatternParser.parse(text)
    var writer = PatternWriter()
    try writer.write(piece)
    writer.append(.match)
    program = writer.program
    self.ignoresCase = ignoresCase
  }

  /// Does the expression match anywhere in the subject, which is UTF-8?
  func matches(_ subject: UnsafeRawBufferPointer) -> Bool {
    var run = PatternRun(self)
    return run.matches(subject)
  }
}

/// Writes a parsed expression as a program.
struct PatternWriter {
  private(set) var program: [Pattern.Instruction] = []

  mutating func append(_ instruction: Pattern.Instruction) {
    program.append(instruction)
  }

  mutating func write(_ piece: PatternPiece) throws(PatternFault) {
    guard program.count < Pattern.sizeLimit else { throw PatternFault("regular expression is too large") }
    switch piece {
    case .set(let set): append(.take(set))
    case .start: append(.atStart)
    case .end: append(.matchAtEnd)
    case .sequence(let pieces): for piece in pieces { try write(piece) }
    case .alternatives(let pieces): try writeAlternatives(pieces)
    case .repetition(let piece, let least, let most): try writeRepetition(piece, least, most)
    }
  }

  private mutating func writeAlternatives(_ pieces: [PatternPiece]) throws(PatternFault) {
    var ends: [Int] = []
    for (index, piece) in pieces.enumerated() {
      guard index < pieces.count - 1 else {
        try write(piece)
        break
      }
      let split = program.count
      append(.jump(0))
      try write(piece)
      ends.append(program.count)
      append(.jump(0))
      program[split] = .split(split + 1, program.count)
    }
    for end in ends { program[end] = .jump(program.count) }
  }

  private mutating func writeRepetition(_ piece: PatternPiece, _ least: Int, _ most: Int?)
    throws(PatternFault)
  {
    for _ in 0..<least { try write(piece) }
    guard let most else {
      let split = program.count
      append(.jump(0))
      try write(piece)
      append(.jump(split))
      program[split] = .split(split + 1, program.count)
      return
    }
    var splits: [Int] = []
    for _ in least..<max(least, most) {
      splits.append(program.count)
      append(.jump(0))
      try write(piece)
    }
    for split in splits { program[split] = .split(split + 1, program.count) }
  }
}

/// One pass of a pattern over one subject.
struct PatternRun {
  /// Sets of ways to remember; when there are more, all are forgotten and found again.
  private static let memoryLimit = 512
  private static let unknown: Int32 = -1

  private let program: [Pattern.Instruction]
  private let ignoresCase: Bool
  /// The instructions that each remembered set waits at.
  private var sets: [[Int]] = []
  private var numbers: [[Int]: Int] = [:]
  /// Where an ASCII character leads from each set.
  private var table: [Int32] = []
  private var isAccepting: [Bool] = []
  private var isAcceptingAtEnd: [Bool] = []
  /// Characters read and instructions followed so far: what bounds the time.
  private(set) var steps = 0
  // Marks of the closure under way.
  private var seen: [Int]
  private var round = 0

  init(_ pattern: Pattern) {
    program = pattern.program
    ignoresCase = pattern.ignoresCase
    seen = [Int](repeating: 0, count: pattern.program.count)
  }

  mutating func matches(_ subject: UnsafeRawBufferPointer) -> Bool {
    var set = number(of: closure([0], isAtStart: true))
    var at = 0
    while at < subject.count {
      if isAccepting[set] {
        steps += at
        return true
      }
      let byte = subject[at]
      if byte < 128 {
        at += 1
        let known = table[set << 7 | Int(byte)]
        if known != Self.unknown {
          set = Int(known)
        } else {
          let next = step(set, UInt32(byte))
          // Making `next` may have cleared the table, and `set` with it.
          if !wasCleared { table[set << 7 | Int(byte)] = Int32(next) }
          set = next
        }
      } else {
        let (character, length) = Self.decode(subject, at)
        at += length
        set = step(set, character)
      }
    }
    steps += at
    return isAccepting[set] || isAcceptingAtEnd[set]
  }

  private var wasCleared = false

  /// The set after one character; the search begins anew at every character.
  private mutating func step(_ set: Int, _ character: UInt32) -> Int {
    let cases = ignoresCase ? CharacterSet.otherCases(of: character) : (character, character)
    var next: [Int] = []
    for index in sets[set] {
      guard case .take(let members) = program[index] else { continue }
      if members.contains(cases.0) || (cases.1 != cases.0 && members.contains(cases.1)) {
        next.append(index + 1)
      }
    }
    next.append(0)
    return number(of: closure(next, isAtStart: false))
  }

  /// Everything that is reached without taking a character, in order.
  private mutating func closure(_ starts: [Int], isAtStart: Bool) -> [Int] {
    round += 1
    var stack = starts
    var reached: [Int] = []
    while let index = stack.popLast() {
      steps += 1
      if seen[index] == round { continue }
      seen[index] = round
      switch program[index] {
      case .split(let first, let second):
        stack.append(first)
        stack.append(second)
      case .jump(let target): stack.append(target)
      case .atStart: if isAtStart { stack.append(index + 1) }
      case .take, .match, .matchAtEnd: reached.append(index)
      }
    }
    return reached.sorted()
  }

  private mutating func number(of set: [Int]) -> Int {
    wasCleared = false
    if let known = numbers[set] { return known }
    if sets.count >= Self.memoryLimit {
      sets.removeAll(keepingCapacity: true)
      numbers.removeAll(keepingCapacity: true)
      table.removeAll(keepingCapacity: true)
      isAccepting.removeAll(keepingCapacity: true)
      isAcceptingAtEnd.removeAll(keepingCapacity: true)
      wasCleared = true
    }
    let number = sets.count
    numbers[set] = number
    sets.append(set)
    table.append(contentsOf: repeatElement(Self.unknown, count: 128))
    var accepts = false, acceptsAtEnd = false
    for index in set {
      switch program[index] {
      case .match: accepts = true
      case .matchAtEnd: acceptsAtEnd = true
      default: break
      }
    }
    isAccepting.append(accepts)
    isAcceptingAtEnd.append(acceptsAtEnd)
    return number
  }

  /// The character at a place in valid UTF-8, and how many bytes it takes.
  private static func decode(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> (UInt32, Int) {
    let lead = bytes[at]
    let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
    guard at + length <= bytes.count else { return (0xFFFD, bytes.count - at) }
    var value = UInt32(lead) & (0xFF >> UInt32(length + 1))
    for index in 1..<length { value = value << 6 | UInt32(bytes[at + index] & 0x3F) }
    return (value, length)
  }
}

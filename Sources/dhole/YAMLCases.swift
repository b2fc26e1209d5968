import Rules
import Yams

/// A file of cases in YAML, read as the same file in JSON would be.
///
/// Plain scalars mean what YAML's JSON schema says (`null` and `~`, `true`, `false`, numbers as JSON writes
/// them); every other scalar is text, so `yes` and `0x10` are no surprises. Anchors and aliases may be used,
/// but few of them: a few dozen aliases of aliases would stand for more than any machine can hold.
enum YAMLCases {
  /// Longest text that is taken, in bytes.
  static let textLimitBytes = 1024 * 1024
  /// Most aliases (`*name`) in one file.
  static let aliasLimit = 16
  /// Most values in one file, those that aliases repeat counted each time.
  static let valueLimit = 200_000

  static func isYAML(_ file: String) -> Bool {
    file.hasSuffix(".yaml") || file.hasSuffix(".yml")
  }

  static func read(_ text: String) throws(RulesError) -> RuleCases {
    let bytes = Array(text.utf8)
    let places = SourcePlaces(bytes)
    guard bytes.count <= textLimitBytes else {
      throw places.error(at: 0, "A file of cases in YAML is at most \(textLimitBytes) bytes long.")
    }
    // Before the parser sees them: it compares mapping keys, aliases followed.
    if let excess = excessAlias(bytes) {
      throw places.error(at: excess, "More than \(aliasLimit) aliases (*name).")
    }
    let root: Node?
    do {
      root = try Parser(yaml: text, resolver: .basic).singleRoot()
    } catch {
      throw fault(error, places)
    }
    guard let root else { throw places.error(at: 0, "Expected 'cases', an array of cases.") }
    var reader = YAMLReader(places: places)
    return try RuleCases(document: try reader.value(root, depth: 0), places: places)
  }

  /// Where the first alias past the limit stands. Texts that look like aliases count as well.
  private static func excessAlias(_ bytes: [UInt8]) -> Int? {
    var count = 0
    var previous = UInt8(ascii: " ")
    for (offset, byte) in bytes.enumerated() {
      if byte == UInt8(ascii: "*"), " \t\r\n[{,:?-".utf8.contains(previous), offset + 1 < bytes.count,
        !" \t\r\n*".utf8.contains(bytes[offset + 1])
      {
        count += 1
        if count > aliasLimit { return offset }
      }
      previous = byte
    }
    return nil
  }

  private static func fault(_ error: any Error, _ places: SourcePlaces) -> RulesError {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return places.error(at: places.offset(line: mark.line, column: mark.column), "YAML: \(problem).")
    case .duplicatedKeysInMapping(let names, let context):
      let at = places.offset(line: context.mark.line, column: context.mark.column)
      return places.error(at: at, "Duplicate key '\(names.first ?? "")'.")
    case .reader(let problem, let offset, _, _):
      return places.error(at: offset ?? 0, "YAML: \(problem).")
    default: return places.error(at: 0, "YAML: \(error).")
    }
  }
}

/// Turns YAML's nodes into the values of a file, within bounds.
private struct YAMLReader {
  let places: SourcePlaces
  private var count = 0
  /// The place that was sought last; what follows it on its line is found from there.
  private var last = (line: 0, column: 0, offset: 0)

  init(places: SourcePlaces) {
    self.places = places
  }

  mutating func value(_ node: Node, depth: Int) throws(RulesError) -> FileValue {
    let offset = offset(node)
    count += 1
    guard count <= YAMLCases.valueLimit else {
      throw places.error(at: offset, "More than \(YAMLCases.valueLimit) values, aliases followed.")
    }
    guard depth < FileValue.nestingLimit else { throw places.error(at: offset, "Nested too deeply.") }
    switch node {
    case .scalar(let scalar): return FileValue(content: content(scalar, offset), offset: offset)
    case .sequence(let sequence):
      var elements: [FileValue] = []
      for element in sequence { elements.append(try value(element, depth: depth + 1)) }
      return FileValue(content: .array(elements), offset: offset)
    case .mapping(let mapping):
      var members: [FileValue.Member] = []
      for (key, element) in mapping {
        guard case .scalar(let name) = key else {
          throw places.error(at: self.offset(key), "A key is a text.")
        }
        let string = FileString(text: name.string, offset: self.offset(key))
        members.append(FileValue.Member(key: string, value: try value(element, depth: depth + 1)))
      }
      return FileValue(content: .object(members), offset: offset)
    case .alias: throw places.error(at: offset, "An alias without an anchor.")
    }
  }

  private mutating func offset(_ node: Node) -> Int {
    guard let mark = node.mark else { return 0 }
    let isAfter = mark.line == last.line && mark.column >= last.column
    let offset =
      isAfter
      ? places.offset(last.offset, plus: mark.column - last.column)
      : places.offset(line: mark.line, column: mark.column)
    last = (mark.line, mark.column, offset)
    return offset
  }

  private func content(_ scalar: Node.Scalar, _ offset: Int) -> FileValue.Content {
    let text = scalar.string
    guard scalar.style == .plain else { return .string(FileString(text: text, offset: offset)) }
    switch text {
    case "", "~", "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    default:
      return isNumber(text) ? .number(text) : .string(FileString(text: text, offset: offset))
    }
  }

  /// Is it a number as JSON writes them?
  private func isNumber(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func digits() -> Int {
      let run = rest.prefix { $0 >= 48 && $0 <= 57 }
      rest = rest[run.endIndex...]
      return run.count
    }
    func take(_ bytes: String) -> Bool {
      guard let byte = rest.first, bytes.utf8.contains(byte) else { return false }
      rest = rest.dropFirst()
      return true
    }
    _ = take("-")
    let startsWithZero = rest.first == 48
    let whole = digits()
    guard whole > 0, !startsWithZero || whole == 1 else { return false }
    if take("."), digits() == 0 { return false }
    if take("eE") {
      _ = take("+-")
      guard digits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}

import Foundation
import Testing

/// Runs the cases of Tests/Corpora/rest: requests in order, each with the answer that it must get.
///
/// A case starts with the file's rules and data. A step is `{VERB: target}` with `headers`, a `body` (JSON)
/// or `text` (raw), `as` (a bearer credential), and the expected `status` (200), `is` (JSON), `reads` (exact
/// text), `matches` (pattern), `with` (headers) and `without` (names). `keep` remembers headers as variables,
/// `{name}` puts them in.
struct CorpusTests {
  struct Corpus: Decodable, Sendable {
    let about: String
    let rules: JSONValue?
    let data: JSONValue?
    let cases: [Case]
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [[String: JSONValue]]
    var testDescription: String { name }
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Corpora/rest").standardized

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".json") }.sorted()
  }()

  @Test func `the corpus is there`() {
    #expect(Self.files.count >= 7)
  }

  @Test(arguments: files) func `every case is answered as it must be`(file: String) async throws {
    let text = try Data(contentsOf: Self.folder.appending(path: file))
    let corpus = try JSONDecoder().decode(Corpus.self, from: text)
    for item in corpus.cases {
      let site = try await Site(rules: corpus.rules?.text, data: corpus.data?.text ?? "null")
      var kept: [String: String] = [:]
      for step in item.steps {
        try await run(step, site, &kept, "\(file): \(item.name): \(JSONValue.object(step).text)")
      }
      await site.close()
    }
  }

  private func run(
    _ step: [String: JSONValue], _ site: Site, _ kept: inout [String: String], _ place: String
  ) async throws {
    let verb = try #require(step.keys.first { $0 == $0.uppercased() }, "\(place)")
    let target = try #require(step[verb]?.string, "\(place)")
    var headers = (step["headers"]?.object ?? [:]).map { ($0, Self.filled($1.string ?? "", kept)) }
    if let credential = step["as"]?.string { headers.append(("Authorization", "Bearer \(credential)")) }
    let body = step["text"]?.string ?? step["body"]?.text ?? ""
    let answer = await site.send(verb, target, headers, body: body)
    #expect(answer.isComplete, "\(place)")
    #expect(answer.status == step["status"]?.integer ?? 200, "\(place) gave \(answer.body)")
    if let text = step["reads"]?.string { #expect(answer.body == text, "\(place)") }
    if let pattern = step["matches"]?.string {
      let regex = try Regex(pattern)
      #expect(answer.body.wholeMatch(of: regex) != nil, "\(place) gave \(answer.body)")
    }
    if let value = step["is"] {
      let given = try? JSONDecoder().decode(JSONValue.self, from: Data(answer.body.utf8))
      #expect(given == value, "\(place) gave \(answer.body)")
    }
    for (name, value) in step["with"]?.object ?? [:] {
      #expect(answer[name] == [Self.filled(value.string ?? "", kept)], "\(place)")
    }
    for name in step["without"]?.array ?? [] { #expect(answer[name.string ?? ""].isEmpty, "\(place)") }
    for (name, variable) in step["keep"]?.object ?? [:] {
      let value: String = try #require(answer[name].first, "\(place) has no \(name)")
      kept[variable.string ?? ""] = value
    }
  }

  private static func filled(_ text: String, _ kept: [String: String]) -> String {
    kept.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
  }
}

/// JSON as it is written: arrays are not objects, and nulls stay.
enum JSONValue: Decodable, Equatable, Sendable {
  case null, bool(Bool), number(Double), string(String), array([JSONValue]), object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSONValue].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSONValue].self))
    }
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
  var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
  var object: [String: JSONValue]? { if case .object(let object) = self { object } else { nil } }

  var text: String {
    switch self {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
    case .string(let text): Self.quoted(text)
    case .array(let array): "[" + array.map(\.text).joined(separator: ",") + "]"
    case .object(let object):
      "{" + object.map { Self.quoted($0) + ":" + $1.text }.sorted().joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let encoded = (try? JSONEncoder().encode(text)) ?? Data()
    return String(decoding: encoded, as: UTF8.self)
  }
}

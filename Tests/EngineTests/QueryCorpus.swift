import Engine
import Foundation
import JSONTree

/// Cases from `Tests/Corpora`, read as nodes: an absent member and null are the same.
enum QueryCorpus {
  static func cases(_ file: String, from here: StaticString = #filePath) throws -> [Node] {
    let folder = URL(filePath: "\(here)").deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appending(path: "Corpora").appending(path: file), encoding: .utf8)
    let cases = try elements(of: Node.parse(text))
    precondition(!cases.isEmpty, "no cases in \(file)")
    return cases
  }

  static func elements(of list: Node) -> [Node] {
    var elements: [Node] = []
    list.forEachChild { _, element in
      elements.append(element)
      return true
    }
    return elements
  }

  /// A query as on the wire, except that a bound of null is written `{"null":true}`.
  static func query(_ q: Node) throws -> Query {
    let start = bound(q["sp"]).map { Bound(start: $0, key: name(q["sn"]), inclusive: q["sin"].bool ?? true) }
    let end = bound(q["ep"]).map { Bound(end: $0, key: name(q["en"]), inclusive: q["ein"].bool ?? true) }
    return try Query(
      index: q["i"].string.map { try Query.Index($0) } ?? .priority, start: start, end: end,
      limit: q["l"].integer.map(Int.init), fromEnd: q["vf"].string.map { $0 == "r" })
  }

  private static func bound(_ value: Node) -> Node? {
    if value.isNull { return nil }
    return value.isObject ? .null : value
  }

  private static func name(_ value: Node) -> QueryKey? {
    value.string.map { QueryKey($0) }
  }

  /// Pairs of a path and a value, which may be missing.
  static func entries(_ list: Node) throws -> [MergeEntry] {
    try elements(of: list).map {
      MergeEntry(try Path($0["0"].string ?? "", allowsPriority: true), $0["1"])
    }
  }
}

extension Node {
  /// A member of a case.
  subscript(name: String) -> Node { self[ChildKey(unchecked: name)] }
}

extension Path {
  /// The path as a view of a location is told it; nil for one that lies elsewhere.
  func seen(from location: Path) -> Path? {
    if contains(location) { return .root }
    return location.contains(self) ? relative(to: location) : nil
  }
}

import Engine
import JSONTree

/// Reads the filtering parameters of section 4 into the engine's `Query`.
enum RESTQuery {
  /// The query that `parameters` ask for; a plain read is ordered by key, so that rules see
  /// `query.orderByKey`.
  ///
  /// With `shallow` a limit may stand alone, and no other order than that of keys is allowed.
  static func parse(_ parameters: RESTParameters, isShallow: Bool) throws(RESTError) -> Query {
    let isFiltered = RESTParameters.queryNames.contains { parameters[$0] != nil }
    guard let order = parameters[.orderBy] else {
      guard isFiltered else { return try make(.key) }
      guard isShallow else { throw .bad(RESTText.orderByMissing) }
      guard !hasBounds(parameters) else { throw .bad(RESTText.shallowAlone) }
      return try make(.key, limit: limit(parameters))
    }
    let index = try index(order)
    if isShallow, index != .key { throw .bad(RESTText.shallowAlone) }
    let limit = try limit(parameters)
    let (start, end) = try bounds(parameters, index)
    return try make(index, start, end, limit: limit)
  }

  private static func make(
    _ index: Query.Index, _ start: Bound? = nil, _ end: Bound? = nil, limit: Limit? = nil
  ) throws(RESTError) -> Query {
    do {
      return try Query(index: index, start: start, end: end, limit: limit?.count, fromEnd: limit?.fromEnd)
    } catch {
      throw .bad(error == .keyBoundNotString ? RESTText.keyBoundNotString : RESTText.boundNotPrimitive)
    }
  }

  private static func hasBounds(_ parameters: RESTParameters) -> Bool {
    RESTParameters.queryNames.prefix(5).contains { parameters[$0] != nil }
  }

  private static func index(_ order: String) throws(RESTError) -> Query.Index {
    guard case .string(let name)? = primitive(order)?.value.kind else { throw .bad(RESTText.orderByInvalid) }
    switch name {
    case "$key": return .key
    case "$value": return .value
    case "$priority": return .priority
    default:
      guard let path = try? Path(name), !path.isRoot else { throw .bad(RESTText.orderByInvalid) }
      return .child(path)
    }
  }

  private struct Limit {
    var count: Int
    var fromEnd: Bool
  }

  private static func limit(_ parameters: RESTParameters) throws(RESTError) -> Limit? {
    let first = try count(.limitToFirst, parameters)
    let last = try count(.limitToLast, parameters)
    if first != nil, last != nil { throw .bad(RESTText.bothLimits) }
    return (first ?? last).map { Limit(count: $0, fromEnd: last != nil) }
  }

  private static func count(_ name: RESTParameters.Name, _ parameters: RESTParameters) throws(RESTError)
    -> Int?
  {
    guard let text = parameters[name] else { return nil }
    guard let count = Int(text) else { throw .bad(RESTText.mustBeInteger(name.rawValue)) }
    guard count > 0 else { throw .bad(RESTText.mustBePositive(name.rawValue)) }
    return count
  }

  private static func bounds(
    _ parameters: RESTParameters, _ index: Query.Index
  ) throws(RESTError) -> (start: Bound?, end: Bound?) {
    let startAt = try bound(.startAt, parameters, index)
    let startAfter = try bound(.startAfter, parameters, index)
    let endAt = try bound(.endAt, parameters, index)
    let endBefore = try bound(.endBefore, parameters, index)
    if startAt != nil, startAfter != nil { throw .bad(RESTText.bothStarts) }
    if endAt != nil, endBefore != nil { throw .bad(RESTText.bothEnds) }
    if let equal = try bound(.equalTo, parameters, index) {
      if startAt != nil || endAt != nil { throw .bad(RESTText.equalToAndBounds) }
      if startAfter != nil || endBefore != nil { throw .bad(RESTText.equalToAndOpenBounds) }
      return (Bound(start: equal.value, key: equal.key), Bound(end: equal.value, key: equal.key))
    }
    let start =
      startAt.map { Bound(start: $0.value, key: $0.key) }
      ?? startAfter.map { Bound(after: $0.value, key: $0.key) }
    let end =
      endAt.map { Bound(end: $0.value, key: $0.key) }
      ?? endBefore.map { Bound(before: $0.value, key: $0.key) }
    return (start, end)
  }

  /// A bound's index value and the key that breaks ties.
  private struct Pair {
    var value: Node
    var key: QueryKey?
  }

  private static func bound(
    _ name: RESTParameters.Name, _ parameters: RESTParameters, _ index: Query.Index
  ) throws(RESTError) -> Pair? {
    guard let text = parameters[name] else { return nil }
    guard let pair = primitive(text) else { throw .bad(RESTText.boundNotPrimitive) }
    guard index == .key else { return pair }
    switch pair.value.kind {
    case .string: return pair
    case .integer(let number): return Pair(value: Node(String(number)), key: pair.key)
    default: throw .bad(RESTText.keyBoundNotString)
    }
  }

  /// Reads `value` or `value,"key"`.
  private static func primitive(_ text: String) -> Pair? {
    var text = text
    return text.withUTF8 { bytes in
      let bytes = UnsafeRawBufferPointer(bytes)
      var reader = JSONReader(bytes)
      if [.object, .array].contains(reader.next) { return nil }
      guard let value = try? reader.readValue() else { return nil }
      if (try? reader.expectEnd()) != nil { return Pair(value: value.node, key: nil) }
      guard reader.position < bytes.count, bytes[reader.position] == UInt8(ascii: ",") else { return nil }
      reader.seek(to: reader.position + 1)
      guard let key = try? reader.readString(), (try? reader.expectEnd()) != nil else { return nil }
      return Pair(value: value.node, key: QueryKey(key))
    }
  }
}

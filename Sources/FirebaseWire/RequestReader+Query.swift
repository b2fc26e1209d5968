import Engine
import JSONTree

extension RequestReader {
  /// One end of a query's range, as it is being read.
  private struct End {
    var value: Node?
    var key: QueryKey?
    var inclusive = true
  }

  /// Reads a query; returns why it makes no sense, if it does not. Members that are not known are left out.
  mutating func query(into listening: inout Listening) throws(JSONSyntaxError) -> Refusal? {
    var index = Query.Index.priority
    var start = End()
    var end = End()
    var limit: Int?
    var fromEnd: Bool?
    try json.beginObject()
    while let name = try json.nextKey() {
      switch name {
      case "sp", "ep":
        guard let value = try leaf() else { return .invalid(FirebaseText.invalidBound) }
        if name == "sp" { start.value = value } else { end.value = value }
      case "sn": start.key = QueryKey(try json.readString())
      case "en": end.key = QueryKey(try json.readString())
      case "sin": start.inclusive = try json.readBool()
      case "ein": end.inclusive = try json.readBool()
      case "l":
        guard json.next == .number, let number = try json.readInteger() else {
          return .invalid(FirebaseText.invalidLimit)
        }
        limit = Int(number)
      case "vf":
        guard let side = RequestReader.isEnd(try json.readString()) else {
          return .invalid(FirebaseText.invalidQuery)
        }
        fromEnd = side
      case "i":
        let name = try json.readString()
        guard let named = try? Query.Index(name) else { return .invalid(FirebaseText.invalidIndex) }
        index = named
      default: try json.skipValue()
      }
    }
    guard start.key == nil || start.value != nil, end.key == nil || end.value != nil else {
      return .invalid(FirebaseText.keyWithoutBound)
    }
    do throws(QueryError) {
      listening.query = try Query(
        index: index,
        start: start.value.map { Bound(start: $0, key: start.key, inclusive: start.inclusive) },
        end: end.value.map { Bound(end: $0, key: end.key, inclusive: end.inclusive) },
        limit: limit, fromEnd: fromEnd)
      return nil
    } catch {
      return Refusal(error)
    }
  }

  /// The next value if it is not made of others; null counts as one.
  private mutating func leaf() throws(JSONSyntaxError) -> Node? {
    guard json.next != .object, json.next != .array else { return nil }
    return try json.readValue().node
  }

  private static func isEnd(_ side: String) -> Bool? {
    switch side {
    case "l": false
    case "r": true
    default: nil
    }
  }
}

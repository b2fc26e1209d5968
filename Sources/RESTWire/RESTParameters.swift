/// The query string's known parameters, decoded. Unknown ones are ignored; of a repeated one the first
/// counts.
package struct RESTParameters: Sendable {
  enum Name: String {
    case auth, callback, download, dryRun, endAt, endBefore, equalTo, format, limitToFirst, limitToLast, ns
    case orderBy, print, shallow, startAfter, startAt, timeout, writeSizeLimit
    case accessToken = "access_token"
    case authOverride = "auth_variable_override"
    case methodOverride = "x-http-method-override"
  }

  static let queryNames: [Name] = [
    .startAt, .startAfter, .endAt, .endBefore, .equalTo, .limitToFirst, .limitToLast,
  ]

  private var items: [(name: Name, value: String)] = []

  /// Reads `query`, the part of the target after `?` (may be empty).
  init(query: Substring) throws(RESTError) {
    guard !query.isEmpty else { return }
    var query = query
    let items: [(Name, String)]? = query.withUTF8 { bytes in
      var items: [(Name, String)] = []
      for pair in bytes.split(separator: UInt8(ascii: "&")) {
        let mark = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        guard let name = Self.decode(pair[..<mark]), let value = Self.decode(pair[mark...].dropFirst()) else {
          return nil
        }
        if let known = Name(rawValue: name) { items.append((known, value)) }
      }
      return items
    }
    guard let items else { throw .bad(RESTText.invalidParameters) }
    self.items = items
  }

  subscript(name: Name) -> String? {
    items.first { $0.name == name }?.value
  }

  func isTrue(_ name: Name) -> Bool { self[name] == "true" }

  private static func decode(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
    let isPlain = bytes.allSatisfy { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "+") }
    if isPlain { return String(validating: bytes, as: UTF8.self) }
    return PercentDecoding.decode(bytes, plusIsSpace: true).flatMap { String(validating: $0, as: UTF8.self) }
  }
}

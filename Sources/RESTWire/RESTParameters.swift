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
  init(query: some StringProtocol) throws(RESTError) {
    guard !query.isEmpty else { return }
    for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      let name = try Self.decode(parts[0])
      let value = try parts.count > 1 ? Self.decode(parts[1]) : ""
      if let known = Name(rawValue: name) { items.append((known, value)) }
    }
  }

  subscript(name: Name) -> String? {
    items.first { $0.name == name }?.value
  }

  func isTrue(_ name: Name) -> Bool { self[name] == "true" }

  private static func decode(_ bytes: some Sequence<UInt8>) throws(RESTError) -> String {
    guard let decoded = PercentDecoding.decode(bytes, plusIsSpace: true),
      let text = String(validating: decoded, as: UTF8.self)
    else { throw .bad(RESTText.invalidParameters) }
    return text
  }
}

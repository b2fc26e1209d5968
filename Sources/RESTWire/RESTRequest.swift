package import JSONTree
package import NIOCore
package import Transport

/// What one HTTP request asks for, read from its head: everything but the body.
package final class RESTRequest: Sendable {
  package enum Verb: String, Sendable {
    case get = "GET"
    case put = "PUT"
    case patch = "PATCH"
    case post = "POST"
    case delete = "DELETE"
    case options = "OPTIONS"

    var isWrite: Bool { self != .get && self != .options }
  }

  /// What the path addresses.
  package enum Resource: Sendable, Equatable {
    /// A place in the tree, or its priority.
    case data(Path)
    /// The rules' text.
    case rules
    case setting(Setting)
    /// The list of databases.
    case databases
    /// An endpoint that is known and not served, with the text that says so.
    case unsupported(String)
  }

  package enum Print: Sendable { case compact, pretty, silent }

  package let verb: Verb
  package let resource: Resource
  package let parameters: RESTParameters
  package let print: Print
  /// The name of the database, lower-cased and otherwise unchecked.
  package let database: String
  /// What proves who asks, if anything.
  package let credential: String?
  package let ifMatch: String?
  package let ifNoneMatch: String?
  /// The answer shall carry the location's tag.
  package let wantsETag: Bool
  /// The answer shall be a stream of events.
  package let wantsStream: Bool
  /// The function that a GET's value is handed to: a JavaScript name.
  package let callback: String?
  /// The name of the file that a GET's value is to be saved as, fit for a header.
  package let download: String?
  /// How long the request may take.
  package let timeout: TimeAmount?
  /// The value of a GET shall be kept, or is one that is.
  let snapshot: SnapshotRequest?

  /// Reads `head`; `baseDomain` is the domain below which the first label of the host names the database.
  package init(_ head: RequestHead, baseDomain: String? = nil) throws(RESTError) {
    parameters = try RESTParameters(query: head.query)
    verb = try Self.verb(head, parameters)
    resource = try Self.resource(head.path, verb: verb)
    print =
      switch parameters[.print] {
      case "pretty": .pretty
      case "silent": .silent
      default: .compact
      }
    database = Self.database(parameters[.ns], host: head.host, baseDomain: baseDomain)
    credential = Self.credential(parameters, authorization: head.header("authorization"))
    ifMatch = head.header("if-match").map(Self.tag)
    ifNoneMatch = verb == .get ? head.header("if-none-match").map(Self.tag) : nil
    wantsETag = verb != .patch && head.header("x-firebase-etag")?.lowercased() == "true"
    wantsStream = head.method == "GET" && head.header("accept")?.contains("text/event-stream") == true
    callback = try verb == .get ? parameters[.callback].map(Self.callback) : nil
    download = verb == .get ? parameters[.download].map(Self.fileName) : nil
    timeout = try verb == .get ? parameters[.timeout].map(Self.timeout) : nil
    snapshot = try verb == .get ? Self.snapshot(head) : nil
    try checkConditions()
  }

  private func checkConditions() throws(RESTError) {
    guard ifMatch != nil else { return }
    guard verb == .put || verb == .delete else { throw .bad(RESTText.ifMatchUnsupported(verb)) }
    if print == .silent { throw .bad(RESTText.silentIfMatch) }
  }

  // MARK: Parts

  private static func snapshot(_ head: RequestHead) throws(RESTError) -> SnapshotRequest? {
    guard let value = head.header(SnapshotRequest.header) else { return nil }
    return try SnapshotRequest(value, from: head.header(SnapshotRequest.fromHeader))
  }

  private static func verb(_ head: RequestHead, _ parameters: RESTParameters) throws(RESTError) -> Verb {
    if head.method == "HEAD" { return .get }
    guard let verb = Verb(rawValue: head.method) else { throw RESTError(405, RESTText.methodNotAllowed) }
    guard verb == .post,
      let name = head.header("x-http-method-override") ?? parameters[.methodOverride]
    else { return verb }
    guard let override = Verb(rawValue: name.uppercased()), override.isWrite else {
      throw RESTError(405, RESTText.methodNotAllowed)
    }
    return override
  }

  private static func resource(_ rawPath: Substring, verb: Verb) throws(RESTError) -> Resource {
    guard rawPath.utf8.contains(UInt8(ascii: "%")) else {
      var rawPath = rawPath
      return try rawPath.withUTF8 { bytes in
        Result { () throws(RESTError) in try resource(UnsafeRawBufferPointer(bytes), verb: verb) }
      }.get()
    }
    // A slash that was escaped is part of a key, and no key may hold one.
    guard let bytes = PercentDecoding.decode(rawPath.utf8, plusIsSpace: false),
      rawPath.utf8.count(where: { $0 == slash }) == bytes.count(where: { $0 == slash })
    else { throw .bad(RESTText.invalidPath) }
    return try bytes.withUnsafeBytes { bytes in
      Result { () throws(RESTError) in try resource(bytes, verb: verb) }
    }.get()
  }

  private static let slash = UInt8(ascii: "/")

  private static func resource(
    _ decoded: UnsafeRawBufferPointer, verb: Verb
  ) throws(RESTError) -> Resource {
    guard decoded.suffix(5).elementsEqual(".json".utf8) else { throw .hint }
    let bytes = UnsafeRawBufferPointer(rebasing: decoded.dropLast(5))
    if bytes.starts(with: "/.".utf8), let resource = special(String(decoding: bytes, as: UTF8.self)) {
      return resource
    }
    let allowsPriority = verb != .patch && verb != .post
    guard let path = try? Path(utf8: bytes, allowsPriority: allowsPriority) else {
      throw .bad(RESTText.invalidPath)
    }
    return .data(path)
  }

  private static func special(_ path: String) -> Resource? {
    switch path {
    case "/.settings/rules": .rules
    case "/.settings/rulesets", "/.settings/ruleset_labels", "/.settings/functionTriggers":
      .unsupported(RESTText.settingUnsupported)
    case "/.settings/profile": .unsupported(RESTText.profileUnsupported)
    case "/.inspect/databases": .databases
    default:
      path.hasPrefix("/.settings/")
        ? Setting(rawValue: String(path.dropFirst(11))).map(Resource.setting) : nil
    }
  }

  static func database(
    _ name: String?, host: @autoclosure () -> String?, baseDomain: String?
  ) -> String {
    if let name, !name.isEmpty { return name.lowercased() }
    guard let baseDomain, let host = host() else { return defaultDatabase }
    let domain = host.prefix { $0 != ":" }.lowercased()
    guard domain.hasSuffix("." + baseDomain) else { return defaultDatabase }
    return domain.split(separator: ".").first.map(String.init) ?? defaultDatabase
  }

  private static let defaultDatabase = "default"

  private static func credential(_ parameters: RESTParameters, authorization: String?) -> String? {
    if let credential = parameters[.auth] ?? parameters[.accessToken], !credential.isEmpty {
      return credential
    }
    return authorization.flatMap(bearer)
  }

  /// The credential in an authorization header, if it is of the kind that we know.
  static func bearer(_ authorization: String) -> String? {
    guard isBearer(authorization) else { return nil }
    return String(Substring(authorization.utf8.dropFirst(7).drop { $0 == UInt8(ascii: " ") }))
  }

  static func isBearer(_ authorization: String) -> Bool {
    let bytes = authorization.utf8
    return bytes.count > 7 && bytes.prefix(7).elementsEqual("bearer ".utf8) { $0 | 0x20 == $1 }
  }

  /// The tag in a condition, whose quotes may be left out.
  private static func tag(_ header: String) -> String {
    var tag = header[...]
    if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
    guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return String(tag) }
    return String(tag.dropFirst().dropLast())
  }

  private static let callbackBytes = 256

  private static func callback(_ text: String) throws(RESTError) -> String {
    func isWordStart(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: "$"):
        true
      default: false
      }
    }
    func isWord(_ word: Substring.UTF8View) -> Bool {
      guard let first = word.first, isWordStart(first) else { return false }
      return word.allSatisfy { isWordStart($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    let words = text[...].utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard text.utf8.count <= callbackBytes, words.allSatisfy(isWord) else { throw .bad(RESTText.badCallback) }
    return text
  }

  /// The name in quotes where it needs them, without what a header can't hold.
  private static func fileName(_ text: String) -> String {
    let safe = text.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F
      return isPlain && !#"\"/"#.unicodeScalars.contains(scalar) ? Character(scalar) : "_"
    }
    let name = String(safe)
    let isToken =
      !name.isEmpty && name.utf8.allSatisfy { $0 == 0x2D || $0 == 0x2E || $0 == 0x5F || $0.isLetterOrDigit }
    return isToken ? name : "\"\(name)\""
  }

  private static let longestTimeoutMilliseconds: Int64 = 15 * 60 * 1000

  private static func timeout(_ text: String) throws(RESTError) -> TimeAmount {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit: Int64? =
      switch text.dropFirst(digits.count) {
      case "ms": 1
      case "s": 1000
      case "min": 60_000
      default: nil
      }
    guard let unit, let count = Int64(digits), count > 0, count <= longestTimeoutMilliseconds / unit else {
      throw .bad(RESTText.badTimeout)
    }
    return .milliseconds(count * unit)
  }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

import Engine
import JSONTree
import NIOCore
import Rules

/// What a request wants done, with its parameters and its body checked; running it is all that is left.
enum RESTOperation: Sendable {
  /// What a GET reads and how it shows it.
  struct Read: Sendable, Equatable {
    var path: Path
    var query: Query
    var style: Export.Style
  }

  /// What a write is answered with.
  enum Echo: Sendable, Equatable {
    /// The value that was written.
    case value
    /// The values that were written, by their paths below this one.
    case update(Path)
    /// The key that was made.
    case name(ChildKey)
    /// Nothing, because nothing is left.
    case null
  }

  case read(Read)
  case stream(Read)
  case write(WriteRequest, Echo)
  case readRules(isStrict: Bool)
  case writeRules(String)
  case checkRules(String)
  case readSetting(Setting)
  case writeSetting(Setting, Node)
  case listDatabases

  /// True if only operators may.
  var needsAdmin: Bool {
    switch self {
    case .read, .stream, .write: false
    case .readRules, .writeRules, .checkRules, .readSetting, .writeSetting, .listDatabases: true
    }
  }

  /// Checks the parameters and reads the body; `makeKey` is asked for the key of a push.
  init(_ request: RESTRequest, body: ByteBuffer, makeKey: () -> ChildKey) throws(RESTError) {
    switch request.resource {
    case .data(let path):
      self =
        request.verb == .get
        ? try Self.read(path, request) : try Self.write(path, request, body: body, makeKey: makeKey)
    case .rules: self = try Self.rules(request, body: body)
    case .setting(let setting): self = try Self.setting(setting, request, body: body)
    case .databases:
      guard request.verb == .get else { throw RESTError(405, RESTText.methodNotAllowed) }
      self = .listDatabases
    case .unsupported(let text): throw RESTError(501, text)
    }
  }

  // MARK: Data

  private static func read(_ path: Path, _ request: RESTRequest) throws(RESTError) -> RESTOperation {
    let parameters = request.parameters
    let isShallow = parameters.isTrue(.shallow)
    if isShallow, request.wantsStream || parameters[.format] == "export" { throw .bad(RESTText.shallowAlone) }
    if request.wantsStream, path.endsWithPriority { throw .bad(RESTText.invalidPath) }
    let query = try RESTQuery.parse(parameters, isShallow: isShallow)
    let form: TextForm = parameters[.format] == "export" ? .export : .value
    let read = Read(path: path, query: query, style: isShallow ? .shallow : .form(form))
    return request.wantsStream ? .stream(read) : .read(read)
  }

  private static func write(
    _ path: Path, _ request: RESTRequest, body: ByteBuffer, makeKey: () -> ChildKey
  ) throws(RESTError) -> RESTOperation {
    let limit = try sizeLimit(request)
    var write: WriteRequest
    let echo: Echo
    switch request.verb {
    case .put:
      write = WriteRequest(.put(path, try value(body, at: path)))
      echo = .value
    case .patch:
      write = WriteRequest(.merge(path, try update(body, at: path)))
      echo = .update(path)
    case .post:
      let key = makeKey()
      guard path.count < Limits.standard.depth else { throw .bad(RESTText.invalidPath) }
      let place = path.appending(key)
      write = WriteRequest(.put(place, try value(body, at: place)))
      echo = .name(key)
    case .delete:
      write = WriteRequest(.put(path, UnresolvedValue(.null)))
      echo = .null
    case .get, .options: throw RESTError(405, RESTText.methodNotAllowed)
    }
    if let tag = request.ifMatch { write.condition = ETag.condition(tag) }
    write.sizeLimitBytes = limit
    write.wantsValue =
      request.wantsETag || (request.print != .silent && [.put, .patch].contains(request.verb))
    return .write(write, echo)
  }

  private static func sizeLimit(_ request: RESTRequest) throws(RESTError) -> Int? {
    guard let text = request.parameters[.writeSizeLimit] else { return nil }
    guard let limit = WriteSizeLimit(rawValue: text) else { throw .bad(RESTText.badWriteSizeLimit) }
    return limit.bytes
  }

  private static func value(_ body: ByteBuffer, at path: Path) throws(RESTError) -> UnresolvedValue {
    let value = try body.withUnsafeReadableBytes { bytes in
      Result { () throws(RESTError) in
        if bytes.allSatisfy(\.isJSONWhitespace) { throw RESTError.bad(RESTText.noData) }
        do throws(JSONSyntaxError) {
          var reader = JSONReader(bytes)
          let value = try reader.readValue(at: path.count)
          try reader.expectEnd()
          return value
        } catch {
          throw RESTError.bad(RESTText.badValue)
        }
      }
    }.get()
    if path.endsWithPriority, !value.canBePriority { throw .bad(RESTText.badValue) }
    return value
  }

  private static func update(
    _ body: ByteBuffer, at path: Path
  ) throws(RESTError) -> [(path: Path, value: UnresolvedValue)] {
    try body.withUnsafeReadableBytes { bytes in
      Result { () throws(RESTError) in
        if bytes.allSatisfy(\.isJSONWhitespace) { throw RESTError.bad(RESTText.noData) }
        do throws(JSONSyntaxError) {
          var reader = JSONReader(bytes)
          let update = try reader.readUpdate(at: path.count)
          try reader.expectEnd()
          return update
        } catch {
          throw RESTError.bad(RESTText.badUpdate)
        }
      }
    }.get()
  }

  // MARK: Operators' endpoints

  private static func rules(_ request: RESTRequest, body: ByteBuffer) throws(RESTError) -> RESTOperation {
    switch request.verb {
    case .get: return .readRules(isStrict: request.parameters[.format] == "strict")
    case .put:
      let text = body.withUnsafeReadableBytes { String(validating: $0, as: UTF8.self) }
      guard let text, !text.isEmpty else { throw .bad(text == nil ? RESTText.badValue : RESTText.noData) }
      return request.parameters.isTrue(.dryRun) ? .checkRules(text) : .writeRules(text)
    default: throw RESTError(405, RESTText.methodNotAllowed)
    }
  }

  private static func setting(
    _ setting: Setting, _ request: RESTRequest, body: ByteBuffer
  ) throws(RESTError) -> RESTOperation {
    switch request.verb {
    case .get: return .readSetting(setting)
    case .put:
      let value = try value(body, at: .root)
      guard value.serverValues.isEmpty, let value = setting.checked(value.node) else {
        throw .bad(RESTText.badSetting)
      }
      return .writeSetting(setting, value)
    default: throw RESTError(405, RESTText.methodNotAllowed)
    }
  }
}

/// How much a write may hold, by the names that clients use for it.
///
/// The names stand for 1, 10, 30 and 60 seconds of work, of which the largest is the most that a request can
/// bring.
enum WriteSizeLimit: String, Sendable {
  case tiny, small, medium, large, unlimited

  private static let bytesPerSecond = 256 * 1024 * 1024 / 60

  /// What holds in a database for writes that name no limit; nil if no operator has set any.
  static func standard(of database: isolated Database) -> WriteSizeLimit? {
    database.setting(Setting.defaultWriteSizeLimit.key).string.flatMap(WriteSizeLimit.init)
  }

  /// The bytes of JSON that may be written; nil if there is no bound but the server's own.
  var bytes: Int? {
    switch self {
    case .tiny: Self.bytesPerSecond
    case .small: Self.bytesPerSecond * 10
    case .medium: Self.bytesPerSecond * 30
    case .large: Self.bytesPerSecond * 60
    case .unlimited: nil
    }
  }
}

/// The tag that stands for a value: its hash, so that equal content has equal tags.
enum ETag {
  private static let absent = "null_etag"

  static func of(_ node: Node) -> String {
    node.isNull ? absent : node.simpleHash
  }

  static func condition(_ tag: String) -> Condition {
    tag == absent ? .absent : .hash(tag, dialects: [.standard])
  }
}

extension UnresolvedValue {
  /// True for null, a number, a string or a server value that becomes one.
  fileprivate var canBePriority: Bool {
    node.priority.isNull && (node.isNull || node.isNumber || node.isString)
  }
}

extension UInt8 {
  fileprivate var isJSONWhitespace: Bool {
    self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09
  }
}

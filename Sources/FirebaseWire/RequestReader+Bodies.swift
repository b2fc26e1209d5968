import Engine
import JSONTree

/// What a request wants done, by its name on the wire.
enum Verb {
  case put, merge, listen, unlisten, get, onDisconnectPut, onDisconnectMerge, onDisconnectCancel
  case authenticate, signOut, mark, acknowledge, unknown

  init(_ name: UnsafeRawBufferPointer) {
    switch String(decoding: name.prefix(16), as: UTF8.self) {
    case "p": self = .put
    case "m": self = .merge
    case "q", "l": self = .listen
    case "n", "u": self = .unlisten
    case "g": self = .get
    case "o": self = .onDisconnectPut
    case "om": self = .onDisconnectMerge
    case "oc": self = .onDisconnectCancel
    case "auth", "gauth": self = .authenticate
    case "unauth": self = .signOut
    case "i": self = .mark
    // The second spelling is the one that web clients send.
    case "s", "appcheck", "unappcheck", "unappeck": self = .acknowledge
    default: self = .unknown
    }
  }

  /// What a request without a body comes to.
  var withoutBody: Action {
    switch self {
    case .signOut: .signOut
    case .mark: .mark
    case .acknowledge: .acknowledge
    case .unknown: .refuse(Refusal(.failure, FirebaseText.unknownAction))
    default: .refuse(.invalid(FirebaseText.missingBody))
    }
  }
}

extension RequestReader {
  /// What stands under `d` in a body.
  private enum Written {
    case value(UnresolvedValue)
    case changes([(path: Path, value: UnresolvedValue)])
    case nothing
  }

  /// Reads the body that a verb needs. A refusal may leave the reader anywhere.
  mutating func body(of verb: Verb) throws(JSONSyntaxError) -> Action {
    switch verb {
    case .put, .merge, .onDisconnectPut, .onDisconnectMerge, .onDisconnectCancel:
      return try write(verb)
    case .listen, .unlisten, .get:
      return try listening(verb)
    case .authenticate:
      return try credential()
    case .signOut, .mark, .acknowledge, .unknown:
      try json.skipValue()
      return verb.withoutBody
    }
  }

  // MARK: Writes

  private mutating func write(_ verb: Verb) throws(JSONSyntaxError) -> Action {
    var path: Path?
    var hash: String?
    var written: Written?
    var value: Int?
    try json.beginObject()
    while let field = try json.nextKey(Field.init) {
      switch field {
      case .path:
        switch try place(allowsPriority: verb != .merge && verb != .onDisconnectMerge) {
        case .success(let place): path = place
        case .failure(let error): return .refuse(Refusal(error))
        }
      case .data:
        value = json.position
        if let path { written = try self.written(verb, at: path) } else { try json.skipValue() }
      case .hash:
        hash = try optionalString()
      default:
        try json.skipValue()
      }
    }
    guard let path else { return .refuse(.invalid(FirebaseText.missingPath)) }
    if written == nil, let value {
      let end = json.position
      json.seek(to: value)
      written = try self.written(verb, at: path)
      json.seek(to: end)
    }
    return RequestReader.action(verb, at: path, written, hash: hash)
  }

  private static func action(_ verb: Verb, at path: Path, _ written: Written?, hash: String?) -> Action {
    switch written {
    case .value(let value):
      if path.endsWithPriority, !value.canBePriority {
        return .refuse(.invalid(FirebaseText.invalidPriority))
      }
      return verb == .put ? .put(path, value, hash: hash) : .onDisconnect(.put(path, value))
    case .changes(let changes):
      return verb == .merge ? .merge(path, changes) : .onDisconnect(.merge(path, changes))
    case .nothing, nil:
      guard verb == .onDisconnectCancel else { return .refuse(.invalid(FirebaseText.missingValue)) }
      return .onDisconnect(.cancel(path))
    }
  }

  private mutating func written(_ verb: Verb, at path: Path) throws(JSONSyntaxError) -> Written {
    switch verb {
    case .put, .onDisconnectPut:
      return .value(try json.readValue(at: path.count))
    case .merge, .onDisconnectMerge:
      return .changes(try json.readUpdate(at: path.count))
    default:
      try json.skipValue()
      return .nothing
    }
  }

  private mutating func place(allowsPriority: Bool) throws(JSONSyntaxError) -> Result<Path, PathError> {
    try json.withStringUTF8 { bytes in
      Result { () throws(PathError) in try Path(utf8: bytes, allowsPriority: allowsPriority) }
    }
  }

  private mutating func optionalString() throws(JSONSyntaxError) -> String? {
    if try json.readNull() { return nil }
    return try json.readString()
  }

  // MARK: Reads

  private mutating func listening(_ verb: Verb) throws(JSONSyntaxError) -> Action {
    var path: Path?
    var listening = Listening(path: .root)
    var hash: String?
    var ranges: CompoundHash?
    try json.beginObject()
    while let field = try json.nextKey(Field.init) {
      switch field {
      case .path:
        switch try place(allowsPriority: false) {
        case .success(let place): path = place
        case .failure(let error): return .refuse(Refusal(error))
        }
      case .query where json.next == .null, .type where json.next == .null:
        try json.skipValue()
      case .query:
        let start = json.position
        if let refusal = try query(into: &listening) { return .refuse(refusal) }
        listening.queryText = listening.query == .all ? nil : Array(message[start..<json.position])
      case .type:
        guard json.next == .number, let tag = try json.readInteger(), (0...Int64(Int32.max)).contains(tag)
        else {
          return .refuse(.invalid(FirebaseText.invalidTag))
        }
        listening.tag = UInt32(tag)
      case .hash:
        hash = try optionalString()
      case .since where json.next == .string:
        listening.since = LogMark(try json.readString())
      case .ranges where json.next == .object:
        ranges = try compoundHash()
      default:
        try json.skipValue()
      }
    }
    guard let path else { return .refuse(.invalid(FirebaseText.missingPath)) }
    listening.path = path
    listening.held = hash.map { HeldValue(hash: $0, ranges: ranges) }
    switch verb {
    case .listen: return .listen(listening)
    case .unlisten: return .unlisten(path, listening.query, tag: listening.tag)
    default: return .get(path, listening.query)
    }
  }

  /// What a client says of stretches of the value it has; nil if that makes no sense.
  private mutating func compoundHash() throws(JSONSyntaxError) -> CompoundHash? {
    var posts: [String]?
    var hashes: [String]?
    try json.beginObject()
    while let name = try json.nextKey() {
      switch name {
      case "ps" where json.next == .array: posts = try strings()
      case "hs" where json.next == .array: hashes = try strings()
      default: try json.skipValue()
      }
    }
    guard let posts, let hashes else { return nil }
    return CompoundHash(posts: posts, hashes: hashes)
  }

  /// An array of strings; nil if something else is in it, or more than can be of use.
  private mutating func strings() throws(JSONSyntaxError) -> [String]? {
    var strings: [String] = []
    var isUseful = true
    try json.beginArray()
    while try json.nextElement() {
      if isUseful, json.next == .string, strings.count <= CompoundHash.mostPosts {
        strings.append(try json.readString())
      } else {
        isUseful = false
        try json.skipValue()
      }
    }
    return isUseful ? strings : nil
  }

  // MARK: Credentials

  private mutating func credential() throws(JSONSyntaxError) -> Action {
    var credential = Credential(text: "")
    var hasText = false
    try json.beginObject()
    while let name = try json.nextKey() {
      switch name {
      case "cred" where json.next == .string:
        credential.text = try json.readString()
        hasText = true
      case "noauth" where json.next == .true:
        credential.signedOut = try json.readBool()
      case "authvar" where json.next == .object:
        credential.actingAs = try json.readFreeValue()
      default:
        try json.skipValue()
      }
    }
    guard hasText else { return .refuse(Refusal(.invalidToken, FirebaseText.missingCredential)) }
    return .authenticate(credential)
  }
}

extension UnresolvedValue {
  /// True if this may be written to a path that ends in `.priority`.
  fileprivate var canBePriority: Bool {
    node.canBePriority && serverValues.allSatisfy { $0.path == .root }
  }
}

import JSONTree

/// What a token says of its bearer.
struct Claims: Equatable {
  /// The whole payload, as rules see it in `auth.token`.
  let all: Node
  /// When a token ends that names no end itself, in seconds since 1970.
  var impliedEndSeconds: Int64?

  init(all: Node) {
    self.all = all
  }

  /// The rules variable `auth` of an unsigned token, whichever kind it is; nil when it names nobody.
  var anyAuth: Node? { all["d"].isObject ? customAuth : identityAuth }

  /// The rules variable `auth` of a token made with a secret; nil when it names nobody.
  ///
  /// Firebase's carries it ready made in `d`. Wilddog's has `uid`, and in `claims` what rules see as
  /// `auth.token`.
  var customAuth: Node? {
    let ready = all["d"]
    if ready.isObject { return ready["uid"].string.map(Self.isName) == true ? ready : nil }
    guard let uid = all["uid"].string, Self.isName(uid) else { return nil }
    let own = all["claims"]
    let token = own.isObject ? own.merging(reserved) : all
    return auth(uid: uid, provider: all["provider"].string ?? "custom", token: token)
  }

  /// The rules variable `auth` of a token that says who a user is; nil when it names nobody.
  var identityAuth: Node? {
    guard let uid = all["user_id"].string ?? all["sub"].string ?? all["uid"].string, Self.isName(uid) else {
      return nil
    }
    let provider = all["firebase"]["sign_in_provider"].string ?? all["provider"].string
    return auth(uid: uid, provider: provider, token: all)
  }

  private static func isName(_ uid: String) -> Bool {
    (1...IdentityLimits.uidBytes).contains(uid.utf8.count)
  }

  private func auth(uid: String, provider: String?, token: Node) -> Node {
    var members: [(ChildKey, Node)] = [
      (ChildKey(unchecked: "uid"), Node(uid)), (ChildKey(unchecked: "token"), token),
    ]
    if let provider { members.append((ChildKey(unchecked: "provider"), Node(provider))) }
    return Node(children: members)
  }

  /// What a custom token says besides its own claims: those can't claim to be these.
  private var reserved: [(Path, Node)] {
    ["exp", "iat", "uid"].map { (Path([ChildKey(unchecked: $0)]), all[$0]) }
  }

  /// A token made with a secret may make its bearer the operator. To be asked of no other kind.
  var isAdmin: Bool { all["admin"].bool == true && all["v"].integer != nil }

  /// Whether denials are to be explained to its bearer. To be asked of tokens made with a secret only.
  var isDebug: Bool { all["debug"].bool == true && all["v"].integer != nil }

  /// Whom it is for: one name, or several.
  var audiences: [String] {
    let audience = all["aud"]
    if let name = audience.string { return [name] }
    var names: [String] = []
    audience.forEachChild { _, name in
      if let name = name.string { names.append(name) }
      return true
    }
    return names
  }

  /// When the token ends, in seconds since 1970.
  ///
  /// Nil also for a token issued at second 0: the mock tokens that Firebase's SDKs make for an emulator
  /// (`mockUserToken`) say that they were issued in 1970 for an hour, and are meant to be good. Signed ones
  /// are held to their `exp` before this is asked.
  var expiresAtSeconds: Int64? { impliedEndSeconds ?? (seconds("iat") == 0 ? nil : seconds("exp")) }

  /// When the token begins, in seconds since 1970.
  var beginsAtSeconds: Int64? { seconds("nbf") }

  /// A claim that is a time, in seconds since 1970.
  func seconds(_ name: String) -> Int64? {
    guard let value = all[name].double else { return nil }
    return Int64(exactly: value.rounded(.down)) ?? (value > 0 ? .max : .min)
  }
}

extension Node {
  subscript(name: String) -> Node { self[ChildKey(unchecked: name)] }
}

extension Claims {
  /// Reads a token's payload. Its keys are free text (`google.com`), unlike those of the tree.
  init?(payload: [UInt8]) {
    let all = payload.withUnsafeBytes { raw -> Node? in
      var reader = JSONReader(raw)
      guard reader.next == .object else { return nil }
      guard let node = try? Self.value(from: &reader, depth: 0) else { return nil }
      return (try? reader.expectEnd()) == nil ? nil : node
    }
    guard let all else { return nil }
    self.init(all: all)
  }

  private static let depthLimit = 16

  private static func value(from reader: inout JSONReader, depth: Int) throws(JSONSyntaxError) -> Node {
    guard depth < depthLimit else {
      _ = try reader.skipValue()
      return .null
    }
    switch reader.next {
    case .object:
      var members: [(ChildKey, Node)] = []
      try reader.beginObject()
      while let key = try reader.nextKey() {
        members.append((ChildKey(unchecked: key), try value(from: &reader, depth: depth + 1)))
      }
      return Node(children: members)
    case .array:
      var elements: [(ChildKey, Node)] = []
      try reader.beginArray()
      while try reader.nextElement() {
        let key = ChildKey(unchecked: String(elements.count))
        elements.append((key, try value(from: &reader, depth: depth + 1)))
      }
      return Node(children: elements)
    case .string: return Node(try reader.readString())
    case .number: return Node(number: try reader.readNumber())
    case .true, .false: return Node(try reader.readBool())
    default:
      _ = try reader.skipValue()
      return .null
    }
  }
}

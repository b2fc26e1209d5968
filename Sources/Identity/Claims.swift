import JSONTree
import Rules

/// What a token says of its bearer.
struct Claims: Equatable {
  /// The whole payload, as rules see it in `auth.token`.
  let all: Node

  /// The rules variable `auth`; nil when the token names nobody.
  ///
  /// A token in the old form carries it ready made in `d`.
  var auth: Node? {
    let old = all["d"]
    if old.isObject { return old["uid"].string == nil ? nil : old }
    guard let uid = all["user_id"].string ?? all["sub"].string ?? all["uid"].string, !uid.isEmpty else {
      return nil
    }
    var members: [(ChildKey, Node)] = [
      (ChildKey(unchecked: "uid"), Node(uid)), (ChildKey(unchecked: "token"), all),
    ]
    if let provider = all["firebase"]["sign_in_provider"].string ?? all["provider"].string {
      members.append((ChildKey(unchecked: "provider"), Node(provider)))
    }
    return Node(children: members)
  }

  /// An old token may make its bearer the operator.
  var isAdmin: Bool { all["admin"].bool == true && all["v"].integer != nil }

  /// When the token ends, in seconds since 1970.
  ///
  /// Nil also for a token issued at second 0: the mock tokens that Firebase's SDKs make for an emulator
  /// (`mockUserToken`) say that they were issued in 1970 for an hour, and are meant to be good.
  var expiresAtSeconds: Int64? { seconds("iat") == 0 ? nil : seconds("exp") }

  /// When the token begins, in seconds since 1970.
  var beginsAtSeconds: Int64? { seconds("nbf") }

  private func seconds(_ name: String) -> Int64? {
    guard let value = all[ChildKey(unchecked: name)].double else { return nil }
    return Int64(exactly: value.rounded(.down)) ?? (value > 0 ? .max : .min)
  }
}

extension Node {
  fileprivate subscript(name: String) -> Node { self[ChildKey(unchecked: name)] }
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
    self.all = all
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

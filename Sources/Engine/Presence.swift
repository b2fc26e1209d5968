import JSONTree
import Rules

/// How onDisconnect records are kept in the engine's own part of the state: string leaves, so that they go
/// through the log and the checkpoint like everything else and survive a crash.
///
///     disconnect/<session>/caller   {"auth":{…},"admin":false,"expires":1700003600}
///     disconnect/<session>/<number> ["rooms/7/members/ann",{".sv":"timestamp"}]
enum Presence {
  /// What is kept of one session.
  struct Kept: Sendable {
    var tree = DisconnectTree()
    var caller = Caller.anonymous
  }

  static func text(of record: DisconnectTree.Record) -> Node {
    var out: [UInt8] = [UInt8(ascii: "[")]
    JSONText.appendString(record.path.text, to: &out)
    out.append(UInt8(ascii: ","))
    out.append(contentsOf: record.value.text)
    out.append(UInt8(ascii: "]"))
    return Node(String(decoding: out, as: UTF8.self))
  }

  static func text(of caller: Caller) -> Node {
    var out = Array(#"{"auth":"#.utf8)
    caller.auth.write(.export, into: &out)
    out.append(contentsOf: #","admin":\#(caller.isAdmin)"#.utf8)
    if let seconds = caller.expiresAtSeconds { out.append(contentsOf: #","expires":\#(seconds)"#.utf8) }
    out.append(UInt8(ascii: "}"))
    return Node(String(decoding: out, as: UTF8.self))
  }

  /// Everything that is kept, by session; throws the path of a record that makes no sense.
  static func all(in meta: Node) throws(PresenceError) -> [ChildKey: Kept] {
    var sessions: [ChildKey: Kept] = [:]
    var fault: PresenceError?
    meta[MetaPath.disconnectKey].forEachChild { key, node in
      do throws(PresenceError) {
        sessions[key] = try session(key, node)
      } catch {
        fault = error
      }
      return fault == nil
    }
    if let fault { throw fault }
    return sessions
  }

  static func session(_ key: ChildKey, _ node: Node) throws(PresenceError) -> Kept {
    var kept = Kept()
    var isGood = true
    node.forEachChild { name, leaf in
      let text = Array((leaf.string ?? "").utf8)
      if name == MetaPath.callerKey {
        if let caller = text.withUnsafeBytes(caller) { kept.caller = caller } else { isGood = false }
      } else if let number = UInt64(name.text), let record = text.withUnsafeBytes({ record(number, $0) }) {
        kept.tree.restore(record)
      } else {
        isGood = false
      }
      return isGood
    }
    if !isGood { throw PresenceError(session: key.text) }
    return kept
  }

  private static func record(_ number: UInt64, _ text: UnsafeRawBufferPointer) -> DisconnectTree.Record? {
    var reader = JSONReader(text)
    do {
      try reader.beginArray()
      guard try reader.nextElement() else { return nil }
      let path = try Path(try reader.readString(), allowsPriority: true)
      guard try reader.nextElement() else { return nil }
      let value = try reader.readValue()
      return DisconnectTree.Record(number: number, path: path, value: value, bytes: text.count)
    } catch {
      return nil
    }
  }

  private static func caller(_ text: UnsafeRawBufferPointer) -> Caller? {
    var reader = JSONReader(text)
    var caller = Caller.anonymous
    do {
      try reader.beginObject()
      while let key = try reader.nextKey() {
        switch key {
        case "auth": caller.auth = try reader.readFreeValue()
        case "admin": caller.isAdmin = try reader.readBool()
        case "expires": caller.expiresAtSeconds = try reader.readInteger()
        default: return nil
        }
      }
      return caller
    } catch {
      return nil
    }
  }
}

/// A session whose kept records can't be read.
struct PresenceError: Error, Equatable {
  let session: String
}

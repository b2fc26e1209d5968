import Engine
import JSONTree
import NIOCore
import Transport

/// The events of a stream as text: what the listens of one place and form share.
///
/// Paths in events are relative to the place that the stream is of. How deep that is and whether priorities
/// are shown makes the form.
struct EventText: Dialect {
  private static let dialect: UInt8 = 3

  static func form(at path: Path, _ form: TextForm) -> PushForm {
    let depth = UInt32(truncatingIfNeeded: path.count)
    return PushForm(dialect: dialect, variant: 1 + depth << 1 + (form == .export ? 1 : 0))
  }

  func encode(_ change: Change, form: PushForm) -> ByteBuffer {
    let bits = form.variant &- 1
    return Self.event(change, depth: Int(bits >> 1), form: bits & 1 == 1 ? .export : .value).map(Self.frame)
      ?? ByteBuffer()
  }

  /// The first event: everything that is there.
  static func initial(_ node: Node, _ form: TextForm) -> ByteBuffer {
    frame(event("put", path: .root) { node.write(form, into: &$0) })
  }

  static let keepAlive = frame(Array("event: keep-alive\ndata: null\n\n".utf8))
  static let credentialRevoked = frame(
    Array("event: auth_revoked\ndata: \(RESTText.credentialRevoked)\n\n".utf8))

  /// The stream ends because the place may no longer be read, or for the reason that `text` tells.
  static func cancel(_ text: String?) -> ByteBuffer {
    var event = Array("event: cancel\ndata: ".utf8)
    if let text { JSONText.appendString(text, to: &event) } else { event.append(contentsOf: "null".utf8) }
    event.append(contentsOf: "\n\n".utf8)
    return frame(event)
  }

  /// The event for a change, nil if nothing of it shows in this form.
  private static func event(_ change: Change, depth: Int, form: TextForm) -> [UInt8]? {
    switch change {
    case .set(let path, let node):
      if path.endsWithPriority, form == .value { return nil }
      return event("put", path: path.dropFirst(depth)) { node.write(form, into: &$0) }
    case .merge(let path, let entries):
      let shown = form == .export ? entries : entries.filter { !$0.path.endsWithPriority }
      if shown.isEmpty { return nil }
      return event("patch", path: path.dropFirst(depth)) { out in
        out.append(UInt8(ascii: "{"))
        for (i, entry) in shown.enumerated() {
          if i > 0 { out.append(UInt8(ascii: ",")) }
          JSONText.appendString(entry.path.text, to: &out)
          out.append(UInt8(ascii: ":"))
          entry.value.write(form, into: &out)
        }
        out.append(UInt8(ascii: "}"))
      }
    }
  }

  private static func event(_ name: String, path: Path, data: (inout [UInt8]) -> Void) -> [UInt8] {
    var out = Array("event: \(name)\ndata: {\"path\":".utf8)
    JSONText.appendString("/" + path.text, to: &out)
    out.append(contentsOf: ",\"data\":".utf8)
    data(&out)
    out.append(contentsOf: "}\n\n".utf8)
    return out
  }

  private static func frame(_ event: [UInt8]) -> ByteBuffer {
    var frames = ByteBuffer()
    EventStreamFraming.append(text: ByteBuffer(bytes: event), to: &frames)
    return frames
  }
}

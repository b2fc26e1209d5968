import NIOCore

/// Reads server-sent events from pieces of a stream, wherever those are cut.
struct EventStreamParser {
  struct Event: Equatable {
    var name: String
    var data: [UInt8]
  }

  private var line: [UInt8] = []
  private var name = "message"
  private var data: [UInt8] = []
  private var hasData = false

  /// The events that this piece completes, in order.
  mutating func events(in piece: ByteBuffer) -> [Event] {
    var events: [Event] = []
    var rest = piece.readableBytesView[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      line.append(contentsOf: rest[..<end])
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if let event = takeLine() { events.append(event) }
      rest = rest[(end + 1)...]
    }
    line.append(contentsOf: rest)
    return events
  }

  private mutating func takeLine() -> Event? {
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else {
      defer {
        name = "message"
        data = []
        hasData = false
      }
      return hasData ? Event(name: name, data: data) : nil
    }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[min(colon + 1, line.endIndex)...]
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "event": name = String(decoding: value, as: UTF8.self)
    case "data":
      if hasData { data.append(UInt8(ascii: "\n")) }
      data.append(contentsOf: value)
      hasData = true
    default: break
    }
    return nil
  }
}

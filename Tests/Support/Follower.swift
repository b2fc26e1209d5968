import Engine
package import JSONTree
package import NIOCore

/// What a client makes of what it is sent: it reads every message strictly, and puts one listen together.
package struct Follower {
  /// The query of its listen, tagged 1; nil for the whole tree.
  package var query: String?
  package private(set) var value = Node.null
  private var missingChunks = 0
  private var text: [UInt8] = []

  /// A window of two children in the order of their keys.
  package static let query = #"{"i":".key","l":2,"vf":"l"}"#

  /// The message that begins its listen.
  package var request: String {
    let filter = query.map { #","q":\#($0),"t":1"# } ?? ""
    return #"{"t":"d","d":{"r":1,"a":"q","b":{"p":"/","h":""\#(filter)}}}"#
  }

  /// Something that no server may send.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
  }

  private static func check(_ holds: Bool, _ description: @autoclosure () -> String) throws {
    if !holds { throw Fault(description()) }
  }

  package init(query: String? = nil) { self.query = query }

  /// Its listen must show what it should of this tree.
  package func check(against data: Node) throws {
    guard query != nil else {
      return try Follower.check(value == data, "a listener holds \(value), but there is \(data)")
    }
    let window = filtered(data, query: try Query(index: .key, limit: 2, fromEnd: false), index: nil)
    try Follower.check(value == window, "a query shows \(value), but should \(window)")
  }

  /// Takes whole frames.
  package mutating func take(_ bytes: ByteBuffer) throws {
    var bytes = bytes
    while let first = bytes.readInteger(as: UInt8.self), let second = bytes.readInteger(as: UInt8.self) {
      try Follower.check(first == 0x81 && second < 128, "not a whole text frame of a server")
      let count: Int? =
        switch second {
        case 126: bytes.readInteger(as: UInt16.self).map(Int.init)
        case 127: bytes.readInteger(as: UInt64.self).map { Int($0) }
        default: Int(second)
        }
      guard let count, let payload = bytes.readBytes(length: count) else {
        throw Fault("a frame is cut off")
      }
      try take(payload)
    }
    try Follower.check(bytes.readableBytes == 0, "half a frame")
  }

  private mutating func take(_ payload: [UInt8]) throws {
    try Follower.check(!payload.isEmpty && payload != [0x30], "a frame that clients would misread")
    if missingChunks > 0 {
      text += payload
      missingChunks -= 1
      if missingChunks == 0 { try read(text) }
    } else if payload.count <= 4, let count = Int(String(decoding: payload, as: UTF8.self)), count > 0 {
      missingChunks = count
      text = []
    } else {
      try read(payload)
    }
  }

  /// Takes one whole message.
  package mutating func read(_ message: [UInt8]) throws {
    try message.withUnsafeBytes { try read($0) }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) throws {
    var json = JSONReader(bytes)
    var (type, action, hasNumber) = ("", "", false)
    var body = 0..<0
    try json.beginObject()
    while let key = try json.nextKey() {
      guard key == "d" else {
        type = try json.readString()
        continue
      }
      guard type == "d" else {
        try json.skipValue()
        continue
      }
      try json.beginObject()
      while let key = try json.nextKey() {
        switch key {
        case "r": hasNumber = try json.readInteger() != nil
        case "a": action = try json.readString()
        case "b": body = try json.skipValue()
        default: throw Fault("a message with \(key)")
        }
      }
    }
    try json.expectEnd()
    if type == "d", !hasNumber { try hear(action, UnsafeRawBufferPointer(rebasing: bytes[body])) }
  }

  private mutating func hear(_ action: String, _ body: UnsafeRawBufferPointer) throws {
    guard action == "d" || action == "m" else { return }
    var json = JSONReader(body)
    var (place, tag, data) = (Path.root, nil as Int64?, 0)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "p": place = try Path(json.readString(), allowsPriority: true)
      case "t": tag = try json.readInteger()
      default:
        data = json.position
        try json.skipValue()
      }
    }
    json.seek(to: data)
    let changes =
      action == "d"
      ? [(place, try json.readValue().node)]
      : try json.readUpdate().map { (place.appending($0.path), $0.value.node) }
    guard tag == (query == nil ? nil : 1) else { return }
    for (path, node) in changes { value.set(node, at: path) }
  }
}

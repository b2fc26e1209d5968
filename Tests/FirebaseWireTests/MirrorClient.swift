import JSONTree
import Testing

/// What a client holds that does nothing but follow the pushes for its listens, as strictly as any does.
struct MirrorClient {
  /// A listen, and what is held for it.
  struct Mirror {
    let path: String
    let query: String?
    let tag: Int?
    var value = Node.null
  }

  let connection: TestConnection
  private(set) var mirrors: [Mirror] = []
  private var lastNumber = 0
  private var replies: [Int: String] = [:]

  init(_ connection: TestConnection) {
    self.connection = connection
    _ = connection.received()
  }

  /// Sends a request and takes all that comes, up to the reply's body.
  mutating func ask(_ action: String, _ body: String) async throws -> String {
    lastNumber += 1
    try await connection.send(#"{"t":"d","d":{"r":\#(lastNumber),"a":"\#(action)","b":\#(body)}}"#)
    try take()
    let reply = replies.removeValue(forKey: lastNumber)
    return try #require(reply, "no reply to \(action) \(body)")
  }

  /// Begins a listen that knows nothing yet.
  mutating func listen(_ path: String, query: String? = nil) async throws {
    let tag = query == nil ? nil : mirrors.count
    mirrors.append(Mirror(path: path, query: query, tag: tag))
    let filter = query.map { #","q":\#($0),"t":\#(mirrors.count - 1)"# } ?? ""
    let reply = try await ask("q", #"{"p":"/\#(path)","h":""\#(filter)}"#)
    #expect(reply == #"{"s":"ok","d":{}}"#)
  }

  /// What the server says a listen should show.
  mutating func shown(_ mirror: Mirror) async throws -> Node {
    let query = mirror.query.map { #","q":\#($0)"# } ?? ""
    let reply = try await ask("g", #"{"p":"\#(mirror.path)"\#(query)}"#)
    return try Node.parse(String(reply.dropFirst(#"{"s":"ok","d":"#.count).dropLast()))
  }

  /// Takes what has come.
  mutating func take() throws {
    for message in connection.received() {
      let bytes = Array(message.utf8)
      try bytes.withUnsafeBytes { try take($0, message) }
    }
  }

  private mutating func take(_ bytes: UnsafeRawBufferPointer, _ message: String) throws {
    var json = JSONReader(bytes)
    var number: Int64?
    var action = ""
    var body = 0..<0
    try json.beginObject()
    while let key = try json.nextKey() {
      guard key == "d" else {
        try json.skipValue()
        continue
      }
      try json.beginObject()
      while let key = try json.nextKey() {
        switch key {
        case "r": number = try json.readInteger()
        case "a": action = try json.readString()
        default: body = try json.skipValue()
        }
      }
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[body])
    if let number {
      replies[Int(number)] = String(decoding: text, as: UTF8.self)
    } else {
      try apply(action, text, message)
    }
  }

  private mutating func apply(_ action: String, _ body: UnsafeRawBufferPointer, _ message: String) throws {
    var json = JSONReader(body)
    var place = Path.root
    var tag: Int?
    var data = 0
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "p": place = try Path(json.readString(), allowsPriority: true)
      case "t": tag = try json.readInteger().map { Int($0) }
      default:
        data = json.position
        try json.skipValue()
      }
    }
    json.seek(to: data)
    var changes: [(Path, Node)] = []
    if action == "d" {
      changes = [(place, try json.readValue().node)]
    } else {
      #expect(action == "m")
      changes = try json.readUpdate().map { (place.appending($0.path), $0.value.node) }
    }
    for index in mirrors.indices where mirrors[index].tag == tag {
      for (path, value) in changes { try change(&mirrors[index], path, value, message) }
    }
  }

  private func change(_ mirror: inout Mirror, _ path: Path, _ value: Node, _ message: String) throws {
    let own = try Path(mirror.path)
    if own.contains(path) {
      let inside = path.relative(to: own)
      // A client can't make anything of a part of a child that it does not hold.
      let isPart = inside.count > 1 || inside.count == 1 && inside.endsWithPriority
      if mirror.tag != nil, isPart, mirror.value[inside[0]].isNull, !value.isNull {
        Issue.record("a part of a child that is not shown: \(message)")
      }
      mirror.value.set(value, at: inside)
    } else if path.contains(own), mirror.tag == nil {
      // An outer listen of the same client hears for the inner ones too.
      mirror.value = value[own.relative(to: path)]
    } else if mirror.tag != nil {
      Issue.record("a push outside its listen: \(message)")
    }
  }
}

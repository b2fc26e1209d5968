import JSONTree

/// The payload of a log entry: JSON text, an array of writes in order.
///
///     [["d","rooms/7/title","Tea"],["m","disconnect/s1/4","…"],["d","a",1,"b/.priority",2]]
///
/// One write is one array: the part of the state (`d`ata or `m`eta), then path and value (in export form) in
/// turns.
enum EntryCodec {
  /// Starts a payload; `finish` ends it.
  static func begin() -> [UInt8] { [UInt8(ascii: "[")] }

  /// Appends one write, all of whose sets are of the same part.
  static func append(_ sets: some Sequence<ResolvedSet>, to payload: inout [UInt8]) {
    var part: ResolvedSet.Part?
    for set in sets {
      if part != set.part {
        if part != nil { payload.append(UInt8(ascii: "]")) }
        open(set.part, &payload)
        part = set.part
      }
      append(set.path, set.value, &payload)
    }
    if part != nil { payload.append(UInt8(ascii: "]")) }
  }

  /// Appends one write that sets one place.
  static func append(_ part: ResolvedSet.Part, _ path: Path, _ value: Node, to payload: inout [UInt8]) {
    open(part, &payload)
    append(path, value, &payload)
    payload.append(UInt8(ascii: "]"))
  }

  static func finish(_ payload: inout [UInt8]) { payload.append(UInt8(ascii: "]")) }

  private static func open(_ part: ResolvedSet.Part, _ payload: inout [UInt8]) {
    if payload.count > 1 { payload.append(UInt8(ascii: ",")) }
    payload.append(contentsOf: part == .data ? #"["d""#.utf8 : #"["m""#.utf8)
  }

  private static func append(_ path: Path, _ value: Node, _ payload: inout [UInt8]) {
    payload.append(contentsOf: #",""#.utf8)
    var separate = false
    for key in path.keys {
      if separate { payload.append(UInt8(ascii: "/")) }
      separate = true
      key.withUTF8 { appendEscaped($0, &payload) }
    }
    if path.endsWithPriority { payload.append(contentsOf: (separate ? "/.priority" : ".priority").utf8) }
    payload.append(contentsOf: #"","#.utf8)
    value.write(.export, into: &payload)
  }

  /// Legal keys hold no control characters; a quote and a backslash are all there is to escape.
  private static func appendEscaped(_ key: UnsafeRawBufferPointer, _ payload: inout [UInt8]) {
    for byte in key {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { payload.append(UInt8(ascii: "\\")) }
      payload.append(byte)
    }
  }

  /// Reads a payload back. Throws for anything that `append` does not write.
  static func decode(_ payload: [UInt8]) throws(JSONSyntaxError) -> [ResolvedSet] {
    try payload.withUnsafeBytes { bytes in
      Result { () throws(JSONSyntaxError) in try decode(bytes) }
    }.get()
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> [ResolvedSet] {
    var reader = JSONReader(bytes)
    var sets: [ResolvedSet] = []
    try reader.beginArray()
    while try reader.nextElement() {
      try reader.beginArray()
      let part = try part(&reader)
      while try reader.nextElement() {
        let start = reader.position
        let path = try reader.withStringUTF8 { bytes in
          Result { () throws(PathError) in try Path(utf8: bytes, allowsPriority: true) }
        }
        guard case .success(let path) = path, try reader.nextElement() else {
          throw JSONSyntaxError(.invalidPath, offset: start)
        }
        let value = try reader.readValue()
        guard value.serverValues.isEmpty else { throw JSONSyntaxError(.unknownServerValue, offset: start) }
        if path.endsWithPriority, !value.node.canBePriority {
          throw JSONSyntaxError(.invalidPriority, offset: start)
        }
        sets.append(ResolvedSet(part, path, value.node))
      }
    }
    try reader.expectEnd()
    return sets
  }

  private static func part(_ reader: inout JSONReader) throws(JSONSyntaxError) -> ResolvedSet.Part {
    let start = reader.position
    guard try reader.nextElement() else { throw JSONSyntaxError(.unexpectedValue, offset: start) }
    switch try reader.readString() {
    case "d": return .data
    case "m": return .meta
    default: throw JSONSyntaxError(.unexpectedValue, offset: start)
    }
  }
}

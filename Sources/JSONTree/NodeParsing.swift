extension Node {
  /// Reads one tree value and nothing else. Server values are not understood here.
  package static func parse(_ text: String) throws(JSONSyntaxError) -> Node {
    try parse(utf8: Array(text.utf8))
  }

  /// Reads one tree value and nothing else. Server values are not understood here.
  package static func parse(utf8 bytes: [UInt8]) throws(JSONSyntaxError) -> Node {
    try bytes.withUnsafeBytes { bytes in
      Result { () throws(JSONSyntaxError) in try parse(utf8: bytes) }
    }.get()
  }

  /// Reads one tree value and nothing else. Server values are not understood here.
  package static func parse(utf8 bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Node {
    let value = try UnresolvedValue.parse(utf8: bytes)
    guard value.serverValues.isEmpty else { throw JSONSyntaxError(.unknownServerValue, offset: 0) }
    return value.node
  }
}

extension UnresolvedValue {
  /// Reads one tree value and nothing else.
  package static func parse(utf8 bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> UnresolvedValue {
    var reader = JSONReader(bytes)
    let value = try reader.readValue()
    try reader.expectEnd()
    return value
  }

  /// Reads one tree value and nothing else.
  package static func parse(utf8 bytes: [UInt8]) throws(JSONSyntaxError) -> UnresolvedValue {
    try bytes.withUnsafeBytes { bytes in
      Result { () throws(JSONSyntaxError) in try parse(utf8: bytes) }
    }.get()
  }
}

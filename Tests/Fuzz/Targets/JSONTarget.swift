import JSONTree

extension FuzzTarget {
  /// JSON values and updates: what is read can be written, and reads back as the same.
  static let json = FuzzTarget("json") { bytes in
    try checkValue(bytes)
    try checkUpdate(bytes)
    try checkSkipping(bytes)
  }

  private static func checkValue(_ bytes: [UInt8]) throws {
    guard let value = try? UnresolvedValue.parse(utf8: bytes) else { return }
    let node = value.node
    if let fault = node.invariantFault { throw Finding("the tree is not sound: \(fault)") }
    guard value.serverValues.isEmpty else {
      _ = value.resolved(nowMilliseconds: 1_700_000_000_000) { _ in .null }
      _ = try UnresolvedValue.parse(utf8: value.text)
      return
    }
    let text = node.text(.export)
    let again = try Node.parse(text)
    try Finding.check(again == node, "\(text) reads back as \(again.text(.export))")
    try Finding.check(again.simpleHash == node.simpleHash, "\(text) hashes in two ways")
    try Finding.check(again.text(.export) == text, "\(text) is written in two ways")
    var pretty: [UInt8] = []
    node.write(.export, pretty: true, into: &pretty)
    try Finding.check(try Node.parse(utf8: pretty) == node, "\(text) pretty reads back as another")
    var copy = Node.null
    node.forEachChild { key, child in
      copy.set(child, at: Path([key]))
      return true
    }
    guard node.isObject else { return }
    copy = copy.withPriority(node.priority)
    try Finding.check(copy == node, "\(text) put together child by child is \(copy.text(.export))")
  }

  private static func checkUpdate(_ bytes: [UInt8]) throws {
    let entries = bytes.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      return try? reader.readUpdate()
    }
    guard let entries else { return }
    try Finding.check(!Path.overlap(entries.map(\.path)), "an update's paths overlap")
    var node = Node.null
    for entry in entries { node.set(entry.value.node, at: entry.path) }
    if let fault = node.invariantFault { throw Finding("the tree is not sound: \(fault)") }
  }

  /// Skipping a value takes the same text as reading it freely.
  private static func checkSkipping(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var reading = JSONReader(bytes)
      guard (try? reading.readFreeValue()) != nil else { return }
      var skipping = JSONReader(bytes)
      let range = try skipping.skipValue()
      try Finding.check(range.upperBound == reading.position, "skipping ends elsewhere than reading")
    }
  }
}

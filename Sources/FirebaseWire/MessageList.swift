import JSONTree

/// Whole messages in the order in which they are to be sent, as JSON texts in one run of memory.
package struct MessageList: Sendable {
  /// Where the last message begins; below 0 if there is none.
  private var lastStart = -1
  /// Where the others begin: most lists hold one message, and need no array for that.
  private var starts: [Int] = []
  private(set) var bytes: [UInt8] = []
  private static let firstBytes = 224

  package init() {}

  package var isEmpty: Bool { lastStart < 0 }

  /// How many messages there are.
  package var count: Int { isEmpty ? 0 : starts.count + 1 }

  /// Calls `body` with each message's bytes, which are valid until it returns.
  package func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
    if isEmpty { return }
    bytes.withUnsafeBytes { all in
      for (index, start) in starts.enumerated() {
        let end = index + 1 < starts.count ? starts[index + 1] : lastStart
        body(UnsafeRawBufferPointer(rebasing: all[start..<end]))
      }
      body(UnsafeRawBufferPointer(rebasing: all[lastStart...]))
    }
  }

  /// The messages as texts.
  package var texts: [String] {
    var texts: [String] = []
    forEach { texts.append(String(decoding: $0, as: UTF8.self)) }
    return texts
  }

  /// Adds the message that `body` writes.
  mutating func add(_ body: (inout [UInt8]) -> Void) {
    // Most lists hold a few short messages, which should not grow it step by step.
    if bytes.isEmpty { bytes.reserveCapacity(MessageList.firstBytes) }
    if !isEmpty { starts.append(lastStart) }
    lastStart = bytes.count
    body(&bytes)
  }

  /// Adds the messages of another list.
  mutating func append(_ other: MessageList) {
    other.forEach { message in add { $0.append(contentsOf: message) } }
  }

  /// How many bytes the last message has.
  var lastCount: Int {
    isEmpty ? 0 : bytes.count - lastStart
  }

  mutating func removeLast() {
    bytes.removeLast(lastCount)
    lastStart = starts.popLast() ?? -1
  }
}

extension [UInt8] {
  @inline(__always)
  mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(string: String) {
    JSONText.appendString(string, to: &self)
  }

  @inline(__always)
  mutating func append(number: Int64) {
    JSONText.appendNumber(number, to: &self)
  }

  /// A path as a JSON string, without a leading slash.
  mutating func append(path: Path) {
    append(UInt8(ascii: "\""))
    var isFirst = true
    for key in path.keys {
      if !isFirst { append(UInt8(ascii: "/")) }
      isFirst = false
      append(key: key)
    }
    if path.endsWithPriority { append(isFirst ? ".priority" : "/.priority") }
    append(UInt8(ascii: "\""))
  }

  private mutating func append(key: ChildKey) {
    key.withUTF8 { text in
      let needsEscape = text.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
      if needsEscape {
        var quoted: [UInt8] = []
        JSONText.appendString(text, to: &quoted)
        append(contentsOf: quoted[1..<quoted.count - 1])
      } else {
        append(contentsOf: text)
      }
    }
  }
}

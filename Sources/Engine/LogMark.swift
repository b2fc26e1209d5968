/// A place in a database's log as a client keeps it: it can tell later up to where it knows everything.
package struct LogMark: Hashable, Sendable {
  /// The entry's index.
  package let index: UInt64
  /// A piece of the entry's chain digest, so that another log's entry of the same index is not taken for it.
  package let check: UInt64

  package init(index: UInt64, check: UInt64) {
    self.index = index
    self.check = check
  }

  init(_ position: LogPosition) {
    self.init(index: position.index, check: position.digest.words.0)
  }

  /// Reads what `text` gave; nil for anything else.
  package init?(_ text: String) {
    guard text.utf8.count <= 37, let dot = text.firstIndex(of: ".") else { return nil }
    guard let index = UInt64(text[..<dot]), let check = UInt64(text[text.index(after: dot)...], radix: 16)
    else { return nil }
    self.init(index: index, check: check)
  }

  /// The index, and the rest in hexadecimal digits.
  package var text: String { "\(index)." + String(check, radix: 16) }
}

/// The bounds that every key, path and value keeps, whoever sends it.
package struct Limits: Sendable, Hashable {
  /// The longest key, in UTF-8 bytes.
  package var keyBytes: Int
  /// The deepest place a value can be at: the root is at depth 0.
  package var depth: Int
  /// The longest string value, in UTF-8 bytes.
  package var stringBytes: Int
  /// The deepest nesting of JSON text that is not a tree value (requests, tokens, settings).
  package var nesting: Int

  /// What every database keeps.
  package static let standard = Limits()

  /// The usual bounds, but for those that are named.
  package init(
    keyBytes: Int = 768, depth: Int = 32, stringBytes: Int = 10 * 1024 * 1024, nesting: Int = 128
  ) {
    self.keyBytes = keyBytes
    self.depth = depth
    self.stringBytes = stringBytes
    self.nesting = nesting
  }
}

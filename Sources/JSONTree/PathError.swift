/// Why a text is not a path or not a key.
package struct PathError: Error, Hashable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// A character that keys cannot hold, or bytes that are not UTF-8.
    case invalidToken
    /// A key of no characters.
    case emptyKey
    /// A key of more than `Limits.keyBytes` bytes.
    case keyTooLong
    /// A path of more than `Limits.depth` keys.
    case tooDeep
  }

  /// What is wrong.
  package let reason: Reason

  /// An error of this kind.
  package init(_ reason: Reason) {
    self.reason = reason
  }
}

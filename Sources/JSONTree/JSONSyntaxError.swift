/// Why a text is not JSON, or not a value that a tree can hold, and where.
package struct JSONSyntaxError: Error, Hashable {
  /// What is wrong.
  package enum Reason: Hashable, Sendable {
    /// The text ends too early.
    case unexpectedEnd
    /// A byte that cannot stand here.
    case unexpectedByte
    /// Another kind of value is wanted here.
    case unexpectedValue
    /// Something follows the value.
    case trailingBytes
    case invalidNumber
    /// A number that no finite double can stand for.
    case numberOutOfRange
    case invalidEscape
    /// An unescaped control character in a string.
    case controlCharacter
    case invalidUTF8
    /// Half of a pair of UTF-16 surrogates.
    case loneSurrogate
    case stringTooLong
    case keyTooLong
    /// A key that is empty or holds a character that keys cannot hold.
    case invalidKey
    /// A key of an update that is no path.
    case invalidPath
    case tooDeep
    /// Two paths of an update of which one contains the other.
    case overlappingPaths
    /// A key that its object has already, where the object is too large to be looked at whole.
    case duplicateKey
    /// A `.sv` that is not known, or not alone in its object.
    case unknownServerValue
    /// A `.priority` that is not null, a number or a string.
    case invalidPriority
    /// A `.value` that is not a leaf, or that stands beside children.
    case invalidValue
  }

  /// What is wrong.
  package let reason: Reason
  /// The byte at which the text is wrong.
  package let offset: Int

  /// An error at a byte.
  package init(_ reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

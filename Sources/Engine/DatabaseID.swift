/// The name of one database (a namespace), checked.
package struct DatabaseID: Hashable, Sendable, CustomStringConvertible {
  /// 1 to 63 of `a-z 0-9 - _`: safe as a file name and as a host label.
  package let name: String

  package init(_ name: String) throws(DatabaseNameError) {
    let bytes = name.utf8
    guard (1...63).contains(bytes.count) else { throw DatabaseNameError(reason: .length, name: name) }
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        continue
      default:
        throw DatabaseNameError(reason: .character, name: name)
      }
    }
    self.name = name
  }

  package var description: String { name }
}

/// Why a text can't name a database.
package struct DatabaseNameError: Error, Equatable, Sendable {
  package enum Reason: Equatable, Sendable { case length, character }
  package let reason: Reason
  package let name: String
}

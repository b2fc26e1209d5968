/// Text in a header, where only visible ASCII is safe.
enum HeaderText {
  /// Longest value, in characters.
  static let limit = 2000

  /// The text on one line: what is not visible ASCII becomes an escape as in JSON.
  static func visible(_ text: String) -> String {
    var out = ""
    for unit in text.utf16 {
      guard out.utf8.count < limit else { return out + "..." }
      if unit >= 32, unit < 127 {
        out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      } else {
        let digits = String(unit, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return out
  }
}

import JSONTree

/// String operations of the language, on strings as they stand in the tree.
enum Text {
  /// The length in UTF-16 units, as JavaScript counts.
  static func utf16Length(_ text: Node) -> Int {
    text.withStringUTF8 { bytes in
      var length = 0
      for byte in bytes {
        if byte & 0xC0 != 0x80 { length += 1 }
        if byte >= 0xF0 { length += 1 }
      }
      return length
    } ?? 0
  }

  /// One text after the other; never longer than a string of the tree may be.
  static func joined(_ left: Node, _ right: Node) throws(EvaluationFault) -> Node {
    let left = left.string ?? "", right = right.string ?? ""
    guard left.utf8.count + right.utf8.count <= Limits.standard.stringBytes else { throw .tooLong }
    return Node(left + right)
  }

  /// Where `part` begins in `bytes`; an empty part is everywhere.
  ///
  /// Always linear: short parts are compared at each place, long ones are sought by their borders.
  static func find(_ part: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, from start: Int) -> Int?
  {
    guard let first = part.first else { return start }
    guard bytes.count >= part.count else { return nil }
    if part.count > 8 { return Border.find(part, Border.table(part), in: bytes, from: start) }
    var at = start
    while at <= bytes.count - part.count {
      if bytes[at] == first, bytes[at..<at + part.count].elementsEqual(part) { return at }
      at += 1
    }
    return nil
  }

  /// Every occurrence of `old` replaced; an empty one changes nothing.
  static func replacing(
    _ old: Node, with new: Node, in subject: Node
  ) throws(EvaluationFault) -> Node {
    let parts = (subject.string ?? "", old.string ?? "", new.string ?? "")
    guard !parts.1.isEmpty else { return subject }
    var out: [UInt8] = []
    let bytes = Array(parts.0.utf8), needle = Array(parts.1.utf8), by = Array(parts.2.utf8)
    bytes.withUnsafeBytes { bytes in
      needle.withUnsafeBytes { needle in
        var at = 0
        while let hit = find(needle, in: bytes, from: at), out.count <= Limits.standard.stringBytes {
          out.append(contentsOf: bytes[at..<hit])
          out.append(contentsOf: by)
          at = hit + needle.count
        }
        out.append(contentsOf: bytes[at...])
      }
    }
    guard out.count <= Limits.standard.stringBytes else { throw .tooLong }
    return Node(String(decoding: out, as: UTF8.self))
  }

  /// A number as JavaScript writes it.
  static func node(_ number: Double) -> Node {
    if number.isNaN { return Node("NaN") }
    if number.isInfinite { return Node(number < 0 ? "-Infinity" : "Infinity") }
    if number == 0 { return Node("0") }
    let (digits, exponent) = shortest(abs(number))
    let sign = number < 0 ? "-" : ""
    let point = exponent + 1
    if point > 21 || point < -5 {
      let tail = digits.count > 1 ? "." + digits.dropFirst() : ""
      return Node("\(sign)\(digits.prefix(1))\(tail)e\(exponent < 0 ? "-" : "+")\(abs(exponent))")
    }
    if point <= 0 { return Node(sign + "0." + String(repeating: "0", count: -point) + digits) }
    if digits.count <= point {
      return Node(sign + digits + String(repeating: "0", count: point - digits.count))
    }
    return Node(sign + digits.prefix(point) + "." + digits.dropFirst(point))
  }

  /// The shortest digits that mean the number, and the power of ten of the first one.
  private static func shortest(_ number: Double) -> (digits: String, exponent: Int) {
    let parts = number.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = mantissa[0], fraction = mantissa.count > 1 ? mantissa[1] : ""
    let all = whole + fraction
    let leading = all.prefix { $0 == "0" }.count
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var digits = all.dropFirst(leading)
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    return (String(digits), power + whole.count - 1 - leading)
  }
}

/// Searching in time that is linear in both lengths, by the borders of what is sought (Knuth, Morris and
/// Pratt).
enum Border {
  /// For each prefix, the length of its longest proper border.
  static func table(_ part: UnsafeRawBufferPointer) -> [Int] {
    var table = [Int](repeating: 0, count: part.count)
    var length = 0
    for index in 1..<part.count {
      while length > 0, part[index] != part[length] { length = table[length - 1] }
      if part[index] == part[length] { length += 1 }
      table[index] = length
    }
    return table
  }

  static func find(
    _ part: UnsafeRawBufferPointer, _ table: [Int], in bytes: UnsafeRawBufferPointer, from start: Int
  ) -> Int? {
    var length = 0
    for index in start..<max(start, bytes.count) {
      while length > 0, bytes[index] != part[length] { length = table[length - 1] }
      if bytes[index] == part[length] { length += 1 }
      if length == part.count { return index + 1 - length }
    }
    return nil
  }
}

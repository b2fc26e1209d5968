import JSONTree

/// Writes a parsed rules file as strict JSON, members in the order of the text.
enum StrictText {
  static func of(_ value: FileValue) -> String {
    var out: [UInt8] = []
    append(value, &out)
    return String(decoding: out, as: UTF8.self)
  }

  private static func append(_ value: FileValue, _ out: inout [UInt8]) {
    switch value.content {
    case .object(let members):
      list(members, "{", "}", &out) { member, out in
        JSONText.appendString(member.key.text, to: &out)
        out.append(UInt8(ascii: ":"))
        append(member.value, &out)
      }
    case .array(let elements): list(elements, "[", "]", &out, append)
    case .string(let string): JSONText.appendString(string.text, to: &out)
    case .number(let digits): out.append(contentsOf: digits.utf8)
    case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
    case .null: out.append(contentsOf: "null".utf8)
    }
  }

  private static func list<Element>(
    _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ out: inout [UInt8],
    _ body: (Element, inout [UInt8]) -> Void
  ) {
    out.append(UInt8(ascii: open))
    for (index, element) in elements.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      body(element, &out)
    }
    out.append(UInt8(ascii: close))
  }
}

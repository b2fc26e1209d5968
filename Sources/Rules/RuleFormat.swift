/// The canonical layout of a rules text: two spaces a level, a member a line, comments and single blank lines
/// kept.
package enum RuleFormat {
  /// Lays a rules text out anew. The text must be well-formed JSON with comments; its rules need not be
  /// valid.
  package static func format(_ text: String) throws(RulesError) -> String {
    let bytes = Array(text.utf8)
    var check = RulesFile(bytes)
    _ = try check.read()
    var printer = Printer(Piece.all(in: bytes))
    printer.comments(indent: 0)
    printer.value(indent: 0)
    printer.comments(indent: 0)
    return printer.text
  }
}

/// A lexical piece of a rules text that is known to be well-formed.
private struct Piece {
  enum Kind { case open, close, colon, comma, atom, comment }
  let kind: Kind
  let text: String
  /// Line breaks between the piece before and this one.
  let breaksBefore: Int
  var isLineComment: Bool { kind == .comment && text.hasPrefix("//") }

  static func all(in bytes: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    var at = 0, breaks = 0
    while at < bytes.count {
      let start = at
      let kind: Kind
      switch bytes[at] {
      case 32, 9, 13:
        at += 1
        continue
      case 10:
        at += 1
        breaks += 1
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): kind = .open
      case UInt8(ascii: "}"), UInt8(ascii: "]"): kind = .close
      case UInt8(ascii: ":"): kind = .colon
      case UInt8(ascii: ","): kind = .comma
      case UInt8(ascii: "/"): kind = .comment
      default: kind = .atom
      }
      at = end(of: kind, bytes, at)
      let text = String(decoding: bytes[start..<at], as: UTF8.self)
      pieces.append(Piece(kind: kind, text: text, breaksBefore: breaks))
      breaks = 0
    }
    return pieces
  }

  private static func end(of kind: Kind, _ bytes: [UInt8], _ start: Int) -> Int {
    var at = start + 1
    switch kind {
    case .open, .close, .colon, .comma: return at
    case .comment:
      if bytes[at] == UInt8(ascii: "/") {
        return bytes[at...].firstIndex { $0 == 10 || $0 == 13 } ?? bytes.count
      }
      at += 1
      while bytes[at] != UInt8(ascii: "*") || bytes[at + 1] != UInt8(ascii: "/") { at += 1 }
      return at + 2
    case .atom:
      guard bytes[start] == UInt8(ascii: "\"") else {
        let ends = Array("{}[]:,/ \t\r\n".utf8)
        return bytes[at...].firstIndex(where: ends.contains) ?? bytes.count
      }
      while bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
      return at + 1
    }
  }
}

private struct Printer {
  private static let widthLimit = 100

  private let pieces: [Piece]
  private var at = 0
  private(set) var text = ""

  init(_ pieces: [Piece]) {
    self.pieces = pieces
  }

  private var next: Piece? { at < pieces.count ? pieces[at] : nil }

  /// Comments that stand on lines of their own, or before anything else.
  mutating func comments(indent: Int) {
    while let piece = next, piece.kind == .comment {
      text += String(repeating: " ", count: indent) + piece.text + "\n"
      at += 1
    }
    if at == pieces.count, !text.hasSuffix("\n") { text += "\n" }
  }

  mutating func value(indent: Int) {
    guard let piece = next else { return }
    at += 1
    guard piece.kind == .open else {
      text += piece.text
      return
    }
    if next?.kind == .close, let close = next {
      at += 1
      text += piece.text + close.text
    } else if let line = shortList(piece, indent) {
      text += line
    } else {
      list(piece, indent)
    }
  }

  /// An array of atoms that fits on one line.
  private mutating func shortList(_ open: Piece, _ indent: Int) -> String? {
    guard open.text == "[", let end = pieces[at...].firstIndex(where: { $0.kind == .close }) else {
      return nil
    }
    let inner = pieces[at..<end]
    guard inner.allSatisfy({ $0.kind == .atom || $0.kind == .comma }) else { return nil }
    let line = "[" + inner.filter { $0.kind == .atom }.map(\.text).joined(separator: ", ") + "]"
    guard indent + line.count <= Self.widthLimit else { return nil }
    at = end + 1
    return line
  }

  private mutating func list(_ open: Piece, _ indent: Int) {
    text += open.text
    trailingComment()
    text += "\n"
    let inner = indent + 2
    var isFirst = true
    while let piece = next, piece.kind != .close {
      if piece.breaksBefore > 1, !isFirst { text += "\n" }
      isFirst = false
      guard piece.kind != .comment else {
        text += String(repeating: " ", count: inner) + piece.text + "\n"
        at += 1
        continue
      }
      member(inner)
    }
    text += String(repeating: " ", count: indent) + (next?.text ?? "")
    at += 1
  }

  /// One member of an object or element of an array, with its comma and the comment that follows on its line.
  private mutating func member(_ indent: Int) {
    text += String(repeating: " ", count: indent)
    value(indent: indent)
    if next?.kind == .colon {
      at += 1
      text += ": "
      comments(indent: 0)
      value(indent: indent)
    }
    let kept = heldComments()
    if next?.kind == .comma { at += 1 }
    if hasMore { text += "," }
    for comment in kept { text += " " + comment.text }
    trailingComment()
    text += "\n"
  }

  /// Comments between a value and its comma.
  private mutating func heldComments() -> [Piece] {
    var held: [Piece] = []
    let comma = pieces[at...].first { $0.kind != .comment }
    while comma?.kind == .comma, let piece = next, piece.kind == .comment {
      held.append(piece)
      at += 1
    }
    return held
  }

  private mutating func trailingComment() {
    while let piece = next, piece.kind == .comment, piece.breaksBefore == 0 {
      text += " " + piece.text
      at += 1
    }
  }

  private var hasMore: Bool {
    pieces[at...].first { $0.kind != .comment && $0.kind != .comma }.map { $0.kind != .close } ?? false
  }
}

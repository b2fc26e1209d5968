package import JSONTree

/// A value's JSON text, made piece by piece, so that a large answer neither blocks its loop nor stands in
/// memory whole.
///
/// The pieces together are exactly `Node.write`'s text. What is still to come is a stack of objects, each
/// with the key it has got to; everything below an object that is small is written in one go.
package struct Export: Sendable {
  package enum Style: Sendable, Equatable {
    case form(TextForm)
    /// `true` in place of each child of the value; a leaf is itself.
    case shallow
  }

  /// An object that is partly written.
  private struct Level {
    let node: Node
    let isArray: Bool
    /// The last child that was written or begun.
    var last: ChildKey?
    /// In an array the index that comes next.
    var index: Int32 = 0
  }

  /// Subtrees up to about this size are written whole.
  private static let wholeBytes = 32 * 1024

  private let style: Style
  private var waiting: Node?
  private var levels: [Level] = []

  package init(_ node: Node, style: Style) {
    self.style = style
    waiting = node
  }

  /// True when the text of `node` is so small that making it in pieces gains nothing.
  package static func isSmall(_ node: Node) -> Bool {
    node.estimatedBytes(upTo: wholeBytes) != nil
  }

  /// Appends about `bytes` more of the text; false when that was the last of it.
  package mutating func append(to out: inout [UInt8], bytes: Int) -> Bool {
    let target = out.count + max(bytes, 1)
    if let node = waiting {
      waiting = nil
      begin(node, into: &out)
    }
    while !levels.isEmpty {
      if out.count >= target { return true }
      advance(into: &out, target: target)
    }
    return false
  }

  /// Appends all of the text.
  package consuming func whole(into out: inout [UInt8]) {
    while append(to: &out, bytes: Self.wholeBytes) {}
  }

  private var form: TextForm {
    if case .form(let form) = style { form } else { .value }
  }

  private mutating func begin(_ node: Node, into out: inout [UInt8]) {
    guard node.isObject, style == .shallow || !Self.isSmall(node) else { return node.write(form, into: &out) }
    let isArray = style == .form(.value) && node.isShownAsArray
    out.append(UInt8(ascii: isArray ? "[" : "{"))
    levels.append(Level(node: node, isArray: isArray))
  }

  /// Writes children of the innermost open object, up to one that is large or to its end.
  private mutating func advance(into out: inout [UInt8], target: Int) {
    var level = levels[levels.count - 1]
    var large: Node?
    var isDone = true
    let visit = { (key: ChildKey, child: Node) -> Bool in
      if key == level.last { return true }
      if out.count >= target {
        isDone = false
        return false
      }
      Self.separate(key, &level, into: &out)
      if self.style == .shallow {
        out.append(contentsOf: "true".utf8)
      } else if child.isObject, !Self.isSmall(child) {
        large = child
        isDone = false
        return false
      } else {
        child.write(self.form, into: &out)
      }
      return true
    }
    if let last = level.last {
      level.node.forEachChild(from: last, visit)
    } else {
      level.node.forEachChild(visit)
    }
    levels[levels.count - 1] = level
    if let large { return begin(large, into: &out) }
    guard isDone else { return }
    if style == .form(.export), !level.node.priority.isNull {
      out.append(contentsOf: ",\".priority\":".utf8)
      level.node.priority.write(.export, into: &out)
    }
    out.append(UInt8(ascii: level.isArray ? "]" : "}"))
    levels.removeLast()
  }

  /// Writes what stands before a child: comma, holes of an array, key.
  private static func separate(_ key: ChildKey, _ level: inout Level, into out: inout [UInt8]) {
    if level.last != nil { out.append(UInt8(ascii: ",")) }
    level.last = key
    if level.isArray {
      let index = key.integer ?? level.index
      while level.index < index {
        out.append(contentsOf: "null,".utf8)
        level.index += 1
      }
      level.index += 1
    } else {
      key.withUTF8 { JSONText.appendString($0, to: &out) }
      out.append(UInt8(ascii: ":"))
    }
  }
}

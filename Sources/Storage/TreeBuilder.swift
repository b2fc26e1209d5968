import JSONTree

/// Puts a tree together from a checkpoint's rows, which come in the order of their paths.
struct TreeBuilder {
  /// An object that may still get children.
  private struct Frame {
    let key: ChildKey?
    /// Where the object's path ends.
    let end: Int
    /// What its first block gave.
    var first = Node.null
    /// Further children.
    var more: [(ChildKey, Node)] = []
    var priority = Node.null
  }

  enum Fault: Error { case path, text }

  private var path: [UInt8] = []
  private var frames = [Frame(key: nil, end: 0)]

  mutating func add(_ row: CheckpointRow) throws {
    try move(to: row.path)
    let top = frames.count - 1
    guard let node = try? Node.parse(utf8: row.text) else { throw Fault.text }
    if row.block.elementsEqual(RowPath.priorityBlock) {
      guard node.canBePriority else { throw Fault.text }
      frames[top].priority = node
    } else if frames[top].first.isNull {
      frames[top].first = node
    } else {
      guard node.isObject else { throw Fault.text }
      node.forEachChild { key, child in
        frames[top].more.append((key, child))
        return true
      }
    }
  }

  /// The whole tree, once all rows were added.
  mutating func finish() -> Node {
    while frames.count > 1 { close() }
    return Self.node(of: frames[0])
  }

  /// Closes what is left and opens what is entered on the way to a path.
  private mutating func move(to target: UnsafeRawBufferPointer) throws {
    if target.elementsEqual(path) { return }
    while let top = frames.last, top.end > 0, !isAncestor(top, of: target) { close() }
    var start = frames[frames.count - 1].end
    while start < target.count {
      if start > 0 {
        guard target[start] == RowPath.separator else { throw Fault.path }
        start += 1
      }
      let end = target[start...].firstIndex(of: RowPath.separator) ?? target.count
      guard let key = try? ChildKey(utf8: UnsafeRawBufferPointer(rebasing: target[start..<end])) else {
        throw Fault.path
      }
      frames.append(Frame(key: key, end: end))
      start = end
    }
    path.removeAll(keepingCapacity: true)
    path.append(contentsOf: target)
  }

  private func isAncestor(_ frame: Frame, of target: UnsafeRawBufferPointer) -> Bool {
    guard target.count > frame.end, target[frame.end] == RowPath.separator else {
      return target.count == frame.end && target.elementsEqual(path[..<frame.end])
    }
    return target[..<frame.end].elementsEqual(path[..<frame.end])
  }

  private mutating func close() {
    let frame = frames.removeLast()
    guard let key = frame.key else { return }
    frames[frames.count - 1].more.append((key, Self.node(of: frame)))
  }

  private static func node(of frame: Frame) -> Node {
    var node = frame.first
    if !frame.more.isEmpty {
      var children: [(ChildKey, Node)] = []
      children.reserveCapacity(frame.first.childCount + frame.more.count)
      frame.first.forEachChild { key, child in
        children.append((key, child))
        return true
      }
      children.append(contentsOf: frame.more)
      node = Node(children: children)
    }
    return frame.priority.isNull ? node : node.withPriority(frame.priority)
  }
}

import JSONTree

/// Brings a checkpoint's rows from one tree to another, touching only what differs.
struct CheckpointWriter {
  private let file: CheckpointFile
  private let blocks: Blocks
  private var path = RowPath()
  private var text: [UInt8] = []
  /// The file's counts, kept in step.
  private(set) var state: CheckpointState

  /// Whether no row is there yet that could have to be replaced.
  private let isNew: Bool
  /// About how many bytes the disk has not been asked to take yet.
  private var unsettledBytes = 0
  private static let settledBytes = 64 << 10
  /// What a changed row costs at least, as it may have a page of its own.
  private static let changedRowBytes = 512

  /// For a file whose rows and counts are those of `state`; none with `isNew`.
  init(_ file: CheckpointFile, state: CheckpointState, isNew: Bool) {
    self.file = file
    self.state = state
    self.isNew = isNew
    blocks = Blocks(salt: state.salt)
  }

  /// Writes the rows of a subtree that has none yet.
  mutating func insert(_ node: Node) throws {
    guard node.isObject else {
      // Only the root can be a leaf here; a block is always an object.
      guard node.isLeaf else { return }
      text.removeAll(keepingCapacity: true)
      node.write(.export, into: &text)
      return try write([], text)
    }
    try writePriority(of: node)
    var buffer = text
    try blocks.forEach(in: node, text: &buffer) { start, text in
      try write(Self.name(of: start), text)
    }
    text = buffer
    try node.forEachChild { key, child in
      if child.isObject {
        path.push(key)
        try insert(child)
        path.pop()
      }
      return true
    }
  }

  /// Rewrites what differs between two objects, given that the rows are those of `old`.
  mutating func update(from old: Node, to new: Node) throws {
    if old.priority != new.priority { try writePriority(of: new) }
    var starts: Set<ChildKey?> = []
    var lastOld: (key: ChildKey, start: ChildKey?)?
    var lastNew: (key: ChildKey, start: ChildKey?)?
    try Node.forEachDifference(old, new) { key, before, after in
      if before.isLeaf || after.isLeaf || (before.isNull != after.isNull && blocks.begins(key)) {
        let startBefore = blocks.start(of: key, in: old, known: lastOld)
        let startAfter = blocks.start(of: key, in: new, known: lastNew)
        lastOld = (key, startBefore)
        lastNew = (key, startAfter)
        starts.insert(startBefore)
        starts.insert(startAfter)
      }
      try updateChild(key, from: before, to: after)
    }
    for start in starts {
      blocks.write(from: start, of: new, into: &text)
      try write(Self.name(of: start), text)
    }
  }

  /// The rows below one child; leaves belong to their parent's rows.
  private mutating func updateChild(_ key: ChildKey, from old: Node, to new: Node) throws {
    guard old.isObject || new.isObject else { return }
    path.push(key)
    defer { path.pop() }
    if !new.isObject {
      try removeSubtree()
    } else if old.isObject {
      try update(from: old, to: new)
    } else {
      try insert(new)
    }
  }

  private mutating func writePriority(of node: Node) throws {
    text.removeAll(keepingCapacity: true)
    if !node.priority.isNull { node.priority.write(.export, into: &text) }
    try write(RowPath.priorityBlock, text)
  }

  private static func name(of start: ChildKey?) -> [UInt8] {
    start.map { key in key.withUTF8 { Array($0) } } ?? []
  }

  /// Makes a row of this path hold `text`, or removes it when there is none.
  private mutating func write(_ block: [UInt8], _ text: [UInt8]) throws {
    if unsettledBytes >= Self.settledBytes {
      try file.settle()
      unsettledBytes = 0
    }
    try path.bytes.withUnsafeBytes { path in
      try block.withUnsafeBytes { block in
        let before = isNew ? nil : try file.seal(path: path, block: block)
        if let before {
          state.rowCount -= 1
          state.rowSeals &-= before
          if text.isEmpty { unsettledBytes += Self.changedRowBytes }
        }
        guard !text.isEmpty else {
          if before != nil { try file.removeRow(path: path, block: block) }
          return
        }
        try text.withUnsafeBytes { text in
          let seal = CheckpointRow.seal(path: path, block: block, text: text)
          try file.write(CheckpointRow(path: path, block: block, text: text, seal: seal))
          state.rowCount += 1
          state.rowSeals &+= seal
          unsettledBytes += isNew ? text.count : max(text.count, Self.changedRowBytes)
        }
      }
    }
  }

  /// Removes the rows of this path and of all below.
  private mutating func removeSubtree() throws {
    guard let limit = path.limit else { return }
    let (count, seals) = try file.removeRows(from: path.bytes, to: limit)
    state.rowCount &-= count
    state.rowSeals &-= seals
    unsettledBytes += Int(clamping: count &* UInt64(Self.changedRowBytes))
  }
}

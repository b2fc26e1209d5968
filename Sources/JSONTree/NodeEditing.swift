extension Node {
  /// The value after `value` has been written at `path`.
  package func setting(_ value: Node, at path: Path) -> Node {
    var copy = self
    copy.set(value, at: path)
    return copy
  }

  /// The value after all of these have been written below `path`, each replacing what is there.
  package func merging(_ changes: [(Path, Node)], at path: Path = .root) -> Node {
    var copy = self
    for (place, value) in changes { copy.set(value, at: path.appending(place)) }
    return copy
  }

  /// Writes `value` at `path`, in place where nothing else holds the storage.
  ///
  /// Null deletes, and an object left without children becomes null too. A value below a leaf replaces the
  /// leaf by an object that keeps its priority. A path that ends in `.priority` sets the priority of what is
  /// there, and needs a number, a string or null.
  package mutating func set(_ value: Node, at path: Path) {
    var value = value
    if path.endsWithPriority {
      let target = self[path.withoutPriority]
      if target.isNull { return }
      value = target.withPriority(value)
    } else if value.isNull, self[path].isNull {
      return
    }
    set(value, at: path.keys)
  }

  private mutating func set(_ value: Node, at keys: ArraySlice<ChildKey>) {
    guard let key = keys.first else {
      self = value
      return
    }
    let rest = keys.dropFirst()
    if hasPriority {
      let priority = priority
      removePriority()
      set(value, at: keys)
      self = withPriority(priority)
    } else if var block = takeBlock() {
      Block.update(&block, key) { $0.set(value, at: rest) }
      self = block.total == 0 ? .null : Node(content: .object(block))
    } else {
      var child = Node.null
      child.set(value, at: rest)
      self = Node(content: .object(Block.single(key, child)))
    }
  }

  /// Takes the storage out of its place, so that it can have one owner and be edited in place.
  private mutating func takeBlock() -> Block? {
    guard case .object(let block) = content else { return nil }
    content = .null
    return block
  }

  private mutating func removePriority() {
    guard case .prioritized(let value, _) = content else { return }
    content = value
  }
}

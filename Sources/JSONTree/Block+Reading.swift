extension Block {
  /// The child under a key; null if there is none.
  func find(_ key: ChildKey) -> Node {
    key.withUTF8 { find(Probe($0)) }
  }

  private func find(_ probe: Probe) -> Node {
    withParts { parts in
      if !parts.isLeaf { return parts.child(parts.childIndex(probe)).find(probe) }
      let (index, found) = parts.lowerBound(probe)
      return found ? parts.nodes[index] : .null
    }
  }

  /// Calls `body` for each child in key order.
  func forEach(_ body: (UnsafeRawBufferPointer, Node) -> Void) {
    forEachUntil { key, node in
      body(key, node)
      return true
    }
  }

  /// Calls `body` for each child in key order until it returns false, and returns what it returned last.
  @discardableResult
  func forEachUntil(_ body: (UnsafeRawBufferPointer, Node) throws -> Bool) rethrows -> Bool {
    try withParts { parts in
      for i in 0..<parts.count {
        let goOn =
          parts.isLeaf ? try body(parts.key(i), parts.nodes[i]) : try parts.child(i).forEachUntil(body)
        if !goOn { return false }
      }
      return true
    }
  }

  /// As `forEachUntil`, from the first key that is not below the probe.
  @discardableResult
  func forEachUntil(
    from probe: Probe, _ body: (UnsafeRawBufferPointer, Node) throws -> Bool
  ) rethrows -> Bool {
    try withParts { parts in
      if parts.isLeaf {
        for i in parts.lowerBound(probe).index..<parts.count where try !body(parts.key(i), parts.nodes[i]) {
          return false
        }
        return true
      }
      let first = parts.childIndex(probe)
      if try !parts.child(first).forEachUntil(from: probe, body) { return false }
      for i in first + 1..<parts.count where try !parts.child(i).forEachUntil(body) { return false }
      return true
    }
  }

  /// As `forEachUntil`, against key order.
  @discardableResult
  func forEachReversed(_ body: (UnsafeRawBufferPointer, Node) throws -> Bool) rethrows -> Bool {
    try withParts { parts in
      for i in (0..<parts.count).reversed() {
        let goOn =
          parts.isLeaf ? try body(parts.key(i), parts.nodes[i]) : try parts.child(i).forEachReversed(body)
        if !goOn { return false }
      }
      return true
    }
  }

  /// As `forEachReversed`, from the last key that is not above the probe.
  @discardableResult
  func forEachReversed(
    from probe: Probe, _ body: (UnsafeRawBufferPointer, Node) throws -> Bool
  ) rethrows -> Bool {
    try withParts { parts in
      if parts.isLeaf {
        let (index, found) = parts.lowerBound(probe)
        for i in (0..<(found ? index + 1 : index)).reversed() where try !body(parts.key(i), parts.nodes[i]) {
          return false
        }
        return true
      }
      let last = parts.childIndex(probe)
      if try !parts.child(last).forEachReversed(from: probe, body) { return false }
      for i in (0..<last).reversed() where try !parts.child(i).forEachReversed(body) { return false }
      return true
    }
  }

  /// The last key as an integer; nil unless all keys are integer-like.
  var lastInteger: Int32? {
    withParts { parts in
      let last = parts.count - 1
      return parts.isLeaf ? ByteOrder.integer(parts.key(last)) : parts.child(last).lastInteger
    }
  }
}

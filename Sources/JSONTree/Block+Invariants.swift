extension Node {
  /// Where an object's storage is: tells tests whether a change was made in place.
  package var storageAddress: UInt? {
    block.map { UInt(bitPattern: Unmanaged.passUnretained($0).toOpaque()) }
  }

  /// What is wrong with the inside of a value, if anything. Walks all of it; for tests.
  package var invariantFault: String? {
    if case .prioritized(let value, let priority) = content {
      if case .null = value { return "null with a priority" }
      if case .prioritized = value { return "two priorities" }
      if case .null = priority { return "a priority of null" }
      if !Node(content: priority).canBePriority { return "a priority that is no leaf" }
      return Node(content: value).invariantFault
    }
    if case .double(let value) = content, Int64(exactly: value) != nil { return "a double that is whole" }
    if case .long(let bytes) = content, bytes.count <= ShortString.capacity {
      return "a long string is short"
    }
    guard let block else { return nil }
    if block.height > 0, block.entryCount < 2 { return "a root with one block" }
    return block.fault(above: nil, below: nil)
  }
}

extension Block {
  /// Checks the block and all below it, whose keys must be at least `lower` and below `upper`.
  fileprivate func fault(above lower: ChildKey?, below upper: ChildKey?) -> String? {
    withParts { parts in
      if parts.count == 0 { return "an empty block" }
      if parts.count > Block.width { return "a block that is too wide" }
      if !parts.hasRoom(entries: 0, keyBytes: 0) { return "more than there is room for" }
      let keys = (0..<parts.count).map { ChildKey(trusted: parts.key($0)) }
      let first = parts.isLeaf ? 0 : 1
      if let fault = Block.fault(keys[first...], lower, upper) { return fault }
      let integers = first + keys[first...].count { $0.integer != nil }
      if integers != Int(parts.header.pointee.integers) { return "integer-like keys are miscounted" }
      return parts.isLeaf ? parts.leafFault : parts.innerFault(keys, lower, upper)
    }
  }

  private static func fault(_ keys: ArraySlice<ChildKey>, _ lower: ChildKey?, _ upper: ChildKey?) -> String? {
    for (a, b) in zip(keys, keys.dropFirst()) where a >= b { return "keys out of order" }
    if let lower, let key = keys.first, key < lower { return "a key below its bound" }
    if let upper, let key = keys.last, key >= upper { return "a key above its bound" }
    return nil
  }
}

extension BlockParts {
  fileprivate var leafFault: String? {
    if Int(header.pointee.total) != count { return "children are miscounted" }
    for i in 0..<count {
      if nodes[i].isNull { return "a child that is null" }
      if let fault = nodes[i].invariantFault { return fault }
    }
    return nil
  }

  fileprivate func innerFault(_ keys: [ChildKey], _ lower: ChildKey?, _ upper: ChildKey?) -> String? {
    if !key(0).isEmpty { return "a first entry with a bound" }
    var total = 0
    for i in 0..<count {
      let block = child(i)
      if block.height != Int(header.pointee.height) - 1 { return "blocks of unequal height" }
      if i > 0, child(i - 1).entryCount + block.entryCount <= Block.width / 2 {
        return "neighbours are too small"
      }
      let above = i == 0 ? lower : keys[i]
      let below = i + 1 < count ? keys[i + 1] : upper
      if let fault = block.fault(above: above, below: below) { return fault }
      total += block.total
    }
    return total == Int(header.pointee.total) ? nil : "children are miscounted"
  }
}

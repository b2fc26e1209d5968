extension JSONReader {
  /// Reads an object whose keys are paths, of which none contains another; a path may end in `.priority`.
  ///
  /// `depth` is the depth of the place the update is meant for. Nulls are kept: they delete.
  package mutating func readUpdate(
    at depth: Int = 0
  ) throws(JSONSyntaxError) -> [(path: Path, value: UnresolvedValue)] {
    var changes: [(path: Path, value: UnresolvedValue)] = []
    try beginObject()
    while true {
      cursor.skipWhitespace()
      let start = position
      let key = try nextKey { bytes in
        Result { () throws(PathError) in try Path(utf8: bytes, allowsPriority: true) }
      }
      guard let key else { break }
      guard case .success(let path) = key else { throw JSONSyntaxError(.invalidPath, offset: start) }
      guard !path.isRoot || path.endsWithPriority else { throw JSONSyntaxError(.invalidPath, offset: start) }
      guard depth + path.count <= cursor.limits.depth else { throw JSONSyntaxError(.tooDeep, offset: start) }
      changes.append((path, try updateValue(at: path, depth: depth + path.count)))
    }
    if Path.overlap(changes.map(\.path)) { throw fault(.overlappingPaths) }
    return changes
  }

  private mutating func updateValue(at path: Path, depth: Int) throws(JSONSyntaxError) -> UnresolvedValue {
    cursor.skipWhitespace()
    let start = position
    let value = try readValue(at: depth)
    if path.endsWithPriority {
      let isServerValue = value.serverValues.allSatisfy { $0.path.isRoot && !$0.path.endsWithPriority }
      guard value.node.canBePriority, isServerValue else {
        throw JSONSyntaxError(.invalidPriority, offset: start)
      }
    }
    return value
  }
}

extension Path {
  /// True if one of these paths is or contains another. A place and its priority overlap too.
  package static func overlap(_ paths: [Path]) -> Bool {
    let sorted = paths.sorted { a, b in
      if a.keys == b.keys { return !a.endsWithPriority && b.endsWithPriority }
      return a.keys.lexicographicallyPrecedes(b.keys)
    }
    // A path sorts right before all that it contains.
    var place: Path?
    var priority: Path?
    for path in sorted {
      if let place, place.contains(path) { return true }
      if path.endsWithPriority {
        if priority == path { return true }
        priority = path
      } else {
        place = path
      }
    }
    return false
  }
}

/// A place in the tree, as the keys that lead to it.
///
/// A path may end in the pseudo-child `.priority` of its place; that tail is not one of its keys.
package struct Path: Hashable, Sendable {
  /// The keys from the root down.
  package let keys: ArraySlice<ChildKey>
  /// True if the path means the priority of its place, not the value.
  package let endsWithPriority: Bool

  /// The place of the whole tree.
  package static let root = Path([])

  /// The place these keys lead to from the root.
  package init(_ keys: [ChildKey]) {
    self.init(keys[...], endsWithPriority: false)
  }

  /// The place these keys lead to, or its priority.
  package init(_ keys: ArraySlice<ChildKey>, endsWithPriority: Bool) {
    self.keys = keys
    self.endsWithPriority = endsWithPriority
  }

  /// A path that a client sent: keys between slashes, of which any number may stand together or at the ends.
  package init(_ text: String, allowsPriority: Bool = false) throws(PathError) {
    var text = text
    let path: Result<Path, PathError> = text.withUTF8 { utf8 in
      do throws(PathError) {
        return .success(try Path(utf8: UnsafeRawBufferPointer(utf8), allowsPriority: allowsPriority))
      } catch {
        return .failure(error)
      }
    }
    self = try path.get()
  }

  /// A path that a client sent, as UTF-8.
  package init(utf8: UnsafeRawBufferPointer, allowsPriority: Bool = false) throws(PathError) {
    var keys: [ChildKey] = []
    var hasPriority = false
    var start = 0
    for end in 0...utf8.count where end == utf8.count || utf8[end] == UInt8(ascii: "/") {
      defer { start = end + 1 }
      if end == start { continue }
      if hasPriority { throw PathError(.invalidToken) }
      let bytes = UnsafeRawBufferPointer(rebasing: utf8[start..<end])
      if allowsPriority, bytes.elementsEqual(".priority".utf8) {
        hasPriority = true
        continue
      }
      let key = try ChildKey(utf8: bytes)
      guard keys.count < Limits.standard.depth else { throw PathError(.tooDeep) }
      if keys.isEmpty { keys.reserveCapacity(Path.segments(in: utf8, from: end)) }
      keys.append(key)
    }
    self.init(keys[...], endsWithPriority: hasPriority)
  }

  /// How many keys there can be at most, when one has ended at `position`.
  private static func segments(in utf8: UnsafeRawBufferPointer, from position: Int) -> Int {
    var count = 1
    for byte in utf8[position...] where byte == UInt8(ascii: "/") { count += 1 }
    return min(count, Limits.standard.depth)
  }

  /// How many keys the path has.
  package var count: Int { keys.count }
  /// True for the place of the whole tree, and for its priority.
  package var isRoot: Bool { keys.isEmpty }
  /// The last key, not counting a `.priority` tail.
  package var last: ChildKey? { keys.last }

  /// The key at a level, 0 for the topmost.
  package subscript(index: Int) -> ChildKey {
    keys[keys.startIndex + index]
  }

  /// The place above; for a priority the place above its own. The root has none.
  package var parent: Path? {
    isRoot ? nil : Path(keys.dropLast(), endsWithPriority: false)
  }

  /// The place whose priority this is, or the path itself.
  package var withoutPriority: Path {
    Path(keys, endsWithPriority: false)
  }

  /// The priority of this place.
  package var priority: Path {
    Path(keys, endsWithPriority: true)
  }

  /// The place of a child.
  package func appending(_ key: ChildKey) -> Path {
    precondition(!endsWithPriority, "a priority has no children")
    var longer: [ChildKey] = []
    longer.reserveCapacity(count + 1)
    longer.append(contentsOf: keys)
    longer.append(key)
    return Path(longer)
  }

  /// The place that `path` leads to from this one.
  package func appending(_ path: Path) -> Path {
    if path.keys.isEmpty, !path.endsWithPriority { return self }
    precondition(!endsWithPriority, "a priority has no children")
    if keys.isEmpty { return path }
    return Path(keys + path.keys, endsWithPriority: path.endsWithPriority)
  }

  /// The first keys only; the priority tail stays only if no key is cut off.
  package func prefix(_ count: Int) -> Path {
    Path(keys.prefix(count), endsWithPriority: endsWithPriority && count >= self.count)
  }

  /// The path without its first keys.
  package func dropFirst(_ count: Int) -> Path {
    Path(keys.dropFirst(count), endsWithPriority: endsWithPriority)
  }

  /// True if `other` is this place or lies below it.
  package func contains(_ other: Path) -> Bool {
    if endsWithPriority { return self == other }
    return count <= other.count && other.keys.prefix(count) == keys
  }

  /// The way from `ancestor`, which must contain this place, to here.
  package func relative(to ancestor: Path) -> Path {
    precondition(ancestor.contains(self), "the path does not lie below")
    return ancestor.endsWithPriority ? .root : dropFirst(ancestor.count)
  }

  /// The keys joined by slashes, none at the ends; the root is empty.
  package var text: String {
    var text = keys.map(\.text).joined(separator: "/")
    if endsWithPriority { text += text.isEmpty ? ".priority" : "/.priority" }
    return text
  }
}

extension Path: CustomStringConvertible {
  package var description: String { "/" + text }
}

extension Path: ExpressibleByArrayLiteral {
  /// A path of keys.
  package init(arrayLiteral keys: ChildKey...) {
    self.init(keys)
  }
}

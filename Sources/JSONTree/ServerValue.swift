/// A value that the server fills in when it applies the write.
package enum ServerValue: Sendable, Hashable {
  /// Milliseconds since 1970, the same in all of one request.
  case timestamp
  /// The number that was there before the request, plus this one; this one alone if there was none.
  case increment(Node)

  /// The leaf it stands for.
  package func resolved(nowMilliseconds: Int64, current: Node) -> Node {
    switch self {
    case .timestamp: Node(nowMilliseconds)
    case .increment(let delta): ServerValue.sum(current, delta)
    }
  }

  /// Whole numbers stay whole while they fit; what would be infinite stays at the largest double.
  private static func sum(_ current: Node, _ delta: Node) -> Node {
    guard let b = delta.double, let a = current.double else { return delta }
    if let x = current.integer, let y = delta.integer {
      let (sum, overflow) = x.addingReportingOverflow(y)
      if !overflow { return Node(sum) }
    }
    let limit = Double.greatestFiniteMagnitude
    return Node(number: min(max(a + b, -limit), limit))
  }
}

/// A written value whose server values are not filled in yet.
package struct UnresolvedValue: Sendable {
  /// The value, with 0 standing where a server value will be.
  package var node: Node
  /// Where the server values belong, relative to the value; a path may end in `.priority`.
  package var serverValues: [(path: Path, value: ServerValue)]

  /// A value without server values.
  package init(_ node: Node) {
    self.init(node: node, serverValues: [])
  }

  /// A value and the places where server values belong.
  package init(node: Node, serverValues: [(path: Path, value: ServerValue)]) {
    self.node = node
    self.serverValues = serverValues
  }

  /// The value with all server values filled in.
  ///
  /// `current` tells what was at a place before the request, relative to this value; for a path that ends in
  /// `.priority` the priority there.
  package func resolved(nowMilliseconds: Int64, current: (Path) -> Node) -> Node {
    var result = node
    for (path, value) in serverValues {
      let leaf = value.resolved(nowMilliseconds: nowMilliseconds, current: current(path))
      if path.endsWithPriority {
        result.set(leaf, at: path)
      } else {
        result.set(leaf.withPriority(result[path].priority), at: path)
      }
    }
    return result
  }

  /// The value as JSON, with its server values as `.sv` objects again.
  package var text: [UInt8] {
    var writer = JSONWriter(form: .export)
    writer.write(node, serverValues.map { ($0.path, $0.value) })
    return [UInt8](writer.out.bytes)
  }
}

extension JSONWriter {
  /// Writes a value with server values in it, in export form.
  fileprivate mutating func write(_ node: Node, _ serverValues: [(Path, ServerValue)]) {
    if serverValues.isEmpty { return write(node) }
    var own: ServerValue?
    var priority: ServerValue?
    var below: [ChildKey: [(Path, ServerValue)]] = [:]
    for (path, value) in serverValues {
      if let key = path.keys.first {
        below[key, default: []].append((path.dropFirst(1), value))
      } else if path.endsWithPriority {
        priority = value
      } else {
        own = value
      }
    }
    let hasPriority = node.hasPriority || priority != nil
    if node.isLeaf, !hasPriority, let own { return write(own) }
    open(UInt8(ascii: "{"))
    var isFirst = true
    if node.isLeaf {
      startMember(".value", &isFirst)
      if let own { write(own) } else { write(node.withPriority(.null)) }
    }
    node.forEachChild { key, child in
      separate(isFirst)
      isFirst = false
      key.withUTF8 { out.appendString($0) }
      colon()
      write(child, below[key] ?? [])
      return true
    }
    if hasPriority {
      startMember(".priority", &isFirst)
      if let priority { write(priority) } else { write(node.priority) }
    }
    close(UInt8(ascii: "}"))
  }

  private mutating func startMember(_ key: StaticString, _ isFirst: inout Bool) {
    separate(isFirst)
    isFirst = false
    out.append(UInt8(ascii: "\""))
    out.append(key)
    out.append(UInt8(ascii: "\""))
    colon()
  }

  private mutating func write(_ value: ServerValue) {
    switch value {
    case .timestamp: out.append("{\".sv\":\"timestamp\"}")
    case .increment(let delta):
      out.append("{\".sv\":{\"increment\":")
      write(delta)
      out.append("}}")
    }
  }
}

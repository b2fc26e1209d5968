extension Node {
  /// The priority: null, a number or a string.
  package var priority: Node {
    if case .prioritized(_, let priority) = content { return Node(content: priority) }
    return .null
  }

  /// The same value with another priority, which must be null, a number or a string. Null stays null.
  package func withPriority(_ priority: Node) -> Node {
    let value = value
    if case .null = value { return .null }
    if priority.isNull { return Node(content: value) }
    precondition(priority.canBePriority, "a priority is a number or a string")
    return Node(content: .prioritized(value, priority: priority.content))
  }

  /// True for what a priority can be: null, a number or a string, itself without a priority.
  package var canBePriority: Bool {
    switch content {
    case .null, .integer, .double, .short, .long: true
    case .bool, .object, .prioritized: false
    }
  }

  var hasPriority: Bool {
    if case .prioritized = content { return true }
    return false
  }
}

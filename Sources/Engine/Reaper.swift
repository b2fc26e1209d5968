import JSONTree

/// Lets go of old trees on a thread of its own kind: freeing 1,000,000 nodes takes longer than a database's
/// loop may be busy.
enum Reaper {
  /// So many nodes are freed where they are.
  static let nodesAtOnce = 2000
  /// By then whoever else held the tree for the moment has let go of it.
  private static let delay = Duration.seconds(1)

  /// Holds a tree until it is surely the last one to do so.
  static func release(_ tree: Node) {
    Task.detached(priority: .background) {
      try? await Task.sleep(for: delay)
      withExtendedLifetime(tree) {}
    }
  }
}

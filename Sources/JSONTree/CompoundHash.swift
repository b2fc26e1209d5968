/// What a client says it holds of a value: the hashes of stretches of its leaves.
///
/// Leaves stand in the order of their paths, key by key; the priority of an object counts as a leaf of its
/// own, under the name `.priority`. Stretch `i` goes from behind post `i - 1` to post `i`; one more begins
/// behind the last.
///
///     posts        a/x         c/d/e
///     stretches   │ 0 (to a/x) │ 1 (to c/d/e) │ 2 (to the end)
package struct CompoundHash: Sendable, Hashable {
  /// Where a stretch ends: the way to its last leaf.
  typealias Post = [ChildKey]

  let posts: [Post]
  /// One for each stretch; empty for a stretch without leaves.
  let hashes: [String]

  /// The most posts that are looked at. Clients make one of at least 512 bytes, and longer ones of more data:
  /// of 256 MB they make 1,600.
  package static let mostPosts = 10_000

  /// Nil if it makes no sense: too many posts, posts that are no paths or stand in another order, or not one
  /// hash for each stretch.
  package init?(posts texts: [String], hashes: [String]) {
    guard texts.count <= Self.mostPosts, hashes.count == texts.count + 1 else { return nil }
    var posts: [Post] = []
    posts.reserveCapacity(texts.count)
    for text in texts {
      guard let path = try? Path(text, allowsPriority: true) else { return nil }
      let post = Array(path.keys) + (path.endsWithPriority ? [.priority] : [])
      if let last = posts.last, Self.order(last, post) != .less { return nil }
      posts.append(post)
    }
    self.posts = posts
    self.hashes = hashes
  }

  /// How two leaves stand to each other.
  static func order(_ a: Post, _ b: Post) -> Order {
    for (x, y) in zip(a, b) {
      let order = ChildKey.order(x, y)
      if order != .equal { return order }
    }
    return Order(a.count, b.count)
  }

  /// A post as clients read it.
  static func text(_ post: Post) -> String {
    post.isEmpty ? "/" : post.map(\.text).joined(separator: "/")
  }
}

extension ChildKey {
  /// The name under which an object's priority stands among its children.
  static let priority = ChildKey(unchecked: ".priority")
}

extension Node {
  /// Calls `body` for each leaf with the way to it, in order. Objects' priorities are leaves of their own.
  func forEachLeaf(_ body: ([ChildKey], Node) -> Void) {
    var path: CompoundHash.Post = []
    walkLeaves(&path, body)
  }

  private func walkLeaves(_ path: inout CompoundHash.Post, _ body: ([ChildKey], Node) -> Void) {
    guard isObject else {
      if !isNull { body(path, self) }
      return
    }
    var priority = priority
    func visit(_ key: ChildKey, _ node: Node) {
      path.append(key)
      node.walkLeaves(&path, body)
      path.removeLast()
    }
    forEachChild { key, child in
      if !priority.isNull, ChildKey.priority < key {
        visit(.priority, priority)
        priority = .null
      }
      visit(key, child)
      return true
    }
    if !priority.isNull { visit(.priority, priority) }
  }

  /// The hash of each stretch between the posts, as clients make it.
  package func rangeHashes(of hash: CompoundHash) -> [String] {
    var hasher = RangeHasher(posts: hash.posts)
    forEachLeaf { hasher.add($0, $1) }
    return hasher.finish()
  }
}

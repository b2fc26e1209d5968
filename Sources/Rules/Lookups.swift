package import JSONTree

/// The places in the tree that a decision looked at. While each of them is the same leaf, still nothing, or
/// still something with children (whichever) and of the same priority, the decision is the same, but for
/// rules that ask what time it is.
package final class Lookups {
  package private(set) var paths: Set<Path> = []

  package init() {}

  func note(_ keys: [ChildKey]) {
    paths.insert(Path(keys))
  }
}

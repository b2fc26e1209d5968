package import JSONTree

/// The places in the tree that a decision looked at. While nothing changes at, above or below any of them,
/// the decision is the same, but for rules that ask what time it is.
package final class Lookups {
  package private(set) var paths: Set<Path> = []

  package init() {}

  func note(_ keys: [ChildKey]) {
    paths.insert(Path(keys))
  }
}

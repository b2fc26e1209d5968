package import JSONTree

/// A setting of one database that operators read and write over REST.
package enum Setting: String, Sendable, CaseIterable {
  case defaultWriteSizeLimit
  case strictTriggerValidation

  /// What holds as long as nothing was set.
  package var standard: Node {
    switch self {
    case .defaultWriteSizeLimit: Node("large")
    case .strictTriggerValidation: Node(true)
    }
  }

  /// The value to keep for what a client sent, which may stand in an object `{"value": …}`.
  ///
  /// Nil if it is no value of this setting.
  package func checked(_ sent: Node) -> Node? {
    let inner = (try? ChildKey("value")).map { sent[$0] } ?? .null
    let value = sent.isObject && sent.childCount == 1 ? inner : sent
    switch self {
    case .defaultWriteSizeLimit: return value.string.flatMap(WriteSizeLimit.init) == nil ? nil : value
    case .strictTriggerValidation: return value.bool == nil ? nil : value
    }
  }
}

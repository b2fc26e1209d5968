import JSONTree

/// A setting of one database that operators read and write over REST.
package enum Setting: String, Sendable, CaseIterable {
  case defaultWriteSizeLimit
  case strictTriggerValidation

  /// The name under which the engine keeps it.
  var key: ChildKey { ChildKey(unchecked: rawValue) }

  /// What clients are shown for the value that is kept, null if none is.
  func text(_ kept: Node) -> String {
    switch self {
    case .defaultWriteSizeLimit: (kept.isNull ? Node(WriteSizeLimit.large.rawValue) : kept).text()
    case .strictTriggerValidation: #"{"value":\#(kept.bool ?? true)}"#
    }
  }

  /// The value to keep for what a client sent, which may stand in an object `{"value": …}`.
  ///
  /// Nil if it is no value of this setting.
  func checked(_ sent: Node) -> Node? {
    let value = sent.isObject && sent.childCount == 1 ? sent[ChildKey(unchecked: "value")] : sent
    switch self {
    case .defaultWriteSizeLimit: return value.string.flatMap(WriteSizeLimit.init) == nil ? nil : value
    case .strictTriggerValidation: return value.bool == nil ? nil : value
    }
  }
}
